"""The demo world: a simulated subscription business whose hazards, causes and effect of an offer are known."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Literal, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from annotated_types import Ge

from churn.core.demo.customers import customers
from churn.core.demo.sources import LAYOUTS, sources
from churn.core.demo.truth import churn_probability, truth
from churn.words.errors import UsageFault

SIZES = {"small": 2_000, "medium": 10_000, "large": 100_000, "huge": 1_000_000}
"""Customers of each size; a customer has about a hundred events in the two years observed."""
BLOCK = 2_000
"""Customers simulated at a time, from a stream of their own. To change it changes every world."""
FILE_BLOCKS = 2
"""Blocks in one file: 400,000 events, small enough for any machine and large enough to read fast."""
HUGE_FILE_BLOCKS = 10
"""Blocks in one file of a world larger than large: 2 million events, so that a source has 50 files and not 250."""
IDS_A_BLOCK = 10_000_000
"""Room for the event ids of one block, so that blocks need not know of each other."""
ID_DIGITS = 7
"""Customer ids are text of so many digits, filled up with zeros: who reads them as numbers loses the zeros."""
__all__ = ["SIZES", "File", "World", "churn_probability", "demo"]
_TOPICS = ("people", *LAYOUTS)


class File(NamedTuple):
    """A file of the world: its name relative to the world's folder, csv, csv.gz, jsonl or parquet, and its rows."""

    name: str
    format: str
    table: pa.Table


@dataclass(frozen=True)
class World:
    """A demo world: a number of customers and a seed say everything; its tables are made when they are asked for."""

    n_customers: int
    seed: int

    @property
    def n_blocks(self) -> int:
        """Blocks of customers, the last one possibly smaller."""
        return -(-self.n_customers // BLOCK)

    def block(self, index: int) -> dict[str, pa.Table]:
        """Every table of one block of customers, by the names in `sources.LAYOUTS`. Does not depend on other blocks."""
        first = index * BLOCK + 1
        streams = {
            topic: np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=(index, place)))
            for place, topic in enumerate(_TOPICS)
        }
        people = customers(streams["people"], first=first, n=min(BLOCK, self.n_customers - index * BLOCK))
        digits = pa.array(people.number).cast(pa.string())
        ids = pc.utf8_lpad(digits, ID_DIGITS, "0")
        return sources(streams, people, ids, index * IDS_A_BLOCK + 1) | truth(people, ids)

    @property
    def file_blocks(self) -> int:
        """Blocks in one file."""
        return FILE_BLOCKS if self.n_customers <= SIZES["large"] else HUGE_FILE_BLOCKS

    @property
    def n_chunks(self) -> int:
        """Files of each source."""
        return -(-self.n_blocks // self.file_blocks)

    def chunk(self, number: int, blocks: int | None = None) -> dict[str, pa.Table]:
        """The tables of the blocks of one file, or of so many blocks."""
        blocks = blocks or self.file_blocks
        begin = number * blocks
        parts = [self.block(index) for index in range(begin, min(begin + blocks, self.n_blocks))]
        return {name: pa.concat_tables([part[name] for part in parts]) for name in LAYOUTS}

    def chunks(self, blocks: int | None = None) -> Iterator[dict[str, pa.Table]]:
        """Every chunk in turn; memory does not grow with the number of customers."""
        for number in range(-(-self.n_blocks // (blocks or self.file_blocks))):
            yield self.chunk(number, blocks)

    def chunk_files(self, number: int) -> Iterator[File]:
        """One file of each source: one folder a source, and the folder `truth/`, which no pipeline reads."""
        for name, table in self.chunk(number).items():
            folder = "truth" if name in ("truth", "hazard") else name
            yield File(f"{folder}/{name}-{number:05d}.{LAYOUTS[name].format}", LAYOUTS[name].format, table)

    def files(self) -> Iterator[File]:
        """Every file of the world in turn."""
        for number in range(self.n_chunks):
            yield from self.chunk_files(number)


def demo(
    *,
    size: Literal["small", "medium", "large", "huge"],
    seed: Annotated[int, Ge(0)],
    n_customers: Annotated[int, Ge(1)] | None = None,
) -> World:
    """The demo world of a size and a seed.

    Parameters
    ----------
    size
        small: 2,000 customers and 200,000 events; medium: 10,000 and 1 million; large: 100,000 and 10 million; huge:
        1 million and 100 million.
    seed
        The same seed gives the same bytes, another one another world.
    n_customers
        Overrides the size, for worlds smaller than small and larger than huge. Worlds of one seed share their whole
        blocks of 2,000 customers.

    Raises
    ------
    UsageFault
        When there is no such size, or a number below 1.

    >>> demo(size="small", seed=1).n_customers
    2000
    """
    if size not in SIZES:
        raise UsageFault(f"size must be one of {', '.join(SIZES)}, got {size!r}")
    n = SIZES[size] if n_customers is None else n_customers
    if n < 1 or seed < 0:
        raise UsageFault(f"a demo world needs at least 1 customer and a seed of 0 or more, got {n} and {seed}")
    return World(n, seed)
