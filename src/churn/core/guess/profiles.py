"""Profiles: what the values of one column say about it."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from churn.core.guess import times, words
from churn.core.guess.readings import Reading, reading
from churn.core.guess.times import TimeGuess

_NO_IDS = ("paid", "prepaid", "unpaid", "valid", "invalid", "bid", "grid", "void", "mid", "aid")


@dataclass(frozen=True)
class Profile:
    """A column of a sample. Blank is null or a text without a sign."""

    name: str
    column: pa.Array = field(repr=False)

    @cached_property
    def n_rows(self) -> int:
        """Rows of the sample."""
        return len(self.column)

    @cached_property
    def n_blank(self) -> int:
        """Rows without a value."""
        return self.column.null_count

    @cached_property
    def counts(self) -> dict[Any, int]:
        """Each distinct value and how often it stands there; at most those of small columns."""
        found = self.column.drop_null().value_counts()
        return dict(zip(found.field("values").to_pylist(), found.field("counts").to_pylist(), strict=True))

    @cached_property
    def n_distinct(self) -> int:
        """Distinct values, blank not counted."""
        return int(pc.count_distinct(self.column, mode="only_valid").as_py())

    @cached_property
    def unique(self) -> bool:
        """Whether every row has a value of its own."""
        return self.n_rows > 1 and self.n_blank == 0 and self.n_distinct == self.n_rows

    @cached_property
    def time(self) -> TimeGuess | None:
        """How its values are times, if they are."""
        return times.guessed(self.name, self.column)

    @cached_property
    def reading(self) -> Reading | None:
        """How its numbers are written; None if they are no numbers."""
        kind = self.column.type
        if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
            return Reading(".")
        if not pa.types.is_string(kind) or self.n_blank == self.n_rows:
            return None
        return reading(self.distinct)

    @property
    def distinct(self) -> pa.Array:
        """Its different texts, trimmed, blank not counted."""
        return pc.utf8_trim_whitespace(self.column.unique().drop_null())

    @property
    def decimal(self) -> str | None:
        """The decimal mark of its numbers; None if they are no numbers."""
        return self.reading.decimal if self.reading else None

    @cached_property
    def reading_evidence(self) -> str | None:
        """How many numbers are written in another way than programs do, if any."""
        way = self.reading
        if way is None or way == Reading("."):
            return None
        column = self.column.drop_null()
        if way.thousands or way.signs:
            n = int(np.isfinite(way.numbers(pc.utf8_trim_whitespace(column))).sum())
            example = max(self.distinct[:100].to_pylist(), key=len)
            return f"{n:,} of {len(column):,} values of {self.name} are numbers with {way.how}, such as {example}"
        n = int(pc.sum(pc.match_substring(column, ",")).as_py() or 0)
        return f"{n:,} of {len(column):,} values of {self.name} have a comma, and none has a point"

    @cached_property
    def numbers(self) -> np.ndarray:
        """Its numbers, shape `(n_rows,)`; NaN where there is none."""
        column = self.column
        if self.reading is None:
            return np.full(self.n_rows, np.nan)
        if pa.types.is_string(column.type):
            return self.reading.numbers(pc.utf8_trim_whitespace(column))
        return column.cast(pa.float64(), safe=False).fill_null(np.nan).to_numpy(zero_copy_only=False)

    def is_read(self, way: Reading) -> bool:
        """Whether another way of reading gives the same numbers."""
        return self.reading is not None and bool(
            np.array_equal(way.numbers(self.distinct), self.reading.numbers(self.distinct), equal_nan=True)
        )

    @cached_property
    def whole(self) -> bool:
        """Whether all its numbers are whole."""
        sound = self.numbers[np.isfinite(self.numbers)]
        return bool(len(sound)) and bool((sound == np.trunc(sound)).all())

    @cached_property
    def spoilt(self) -> bool:
        """Whether whole numbers are stored as floating point, as a column with gaps is in many tools."""
        if pa.types.is_floating(self.column.type):
            return self.whole
        if not pa.types.is_string(self.column.type) or not self.n_distinct:
            return False
        return _share(self.column.unique().drop_null(), r"^\d+\.0$") == 1.0

    @property
    def is_text(self) -> bool:
        """Whether its values are words: neither numbers nor times."""
        return pa.types.is_string(self.column.type) and self.decimal is None and self.time is None

    @property
    def is_flag(self) -> bool:
        """Whether it only says true or false."""
        if pa.types.is_boolean(self.column.type):
            return True
        said = {str(value).strip().lower() for value in self.counts} if 0 < self.n_distinct <= 3 else {"-"}
        return said <= {"true", "false", "yes", "no", "y", "n", "0", "1", "t", "f", ""}

    @property
    def is_id(self) -> bool:
        """Whether its name says that it identifies something."""
        last = self.name.rstrip(". ").rsplit(".", 1)[-1].lower()
        return words.has(self.name, words.ID) or (last.endswith("id") and not words.has(self.name, _NO_IDS))


def _share(distinct: pa.Array, pattern: str) -> float:
    return float(pc.mean(pc.match_substring_regex(distinct, pattern).cast(pa.int8())).as_py() or 0.0)
