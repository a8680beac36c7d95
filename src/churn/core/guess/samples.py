"""Samples: rows of each kind as they were read, and what was found out about each table."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from churn.core.guess import words
from churn.core.guess.profiles import Profile

EVENTS, PERIODS, STATES, HISTORY, THINGS = "events", "periods", "states", "history", "things"
"""Something happened; something held from a start to an end; how customers are today; since when; what is no event."""
DAY_US = 86_400_000_000
NULL_TOKENS = frozenset(
    {
        "NULL",
        "null",
        "Null",
        "N/A",
        "n/a",
        "#N/A",
        "NA",
        "na",
        "NaN",
        "nan",
        "NaT",
        "None",
        "none",
        "nil",
        "\\N",
        "-",
        "--",
    }
    | {"?", "(null)", "<NA>", "(blank)", "无", "空"}
)
"""What programs write where they have nothing."""


@dataclass(frozen=True)
class Sample:
    """Rows of one kind as they were read: texts, or typed columns; `files` as conf/ says it.

    `written`: keys of the declaration about how the files are written, each with its evidence. `whole`: whether these
    are all rows.
    """

    name: str
    files: str
    rows: pa.Table
    written: dict[str, tuple[Any, str]] = field(default_factory=dict)
    whole: bool = True

    @cached_property
    def profiles(self) -> dict[str, Profile]:
        """Column → its profile."""
        plain = {name: _plain(self.rows[name]) for name in self.rows.column_names}
        if not self.null_tokens:
            return {name: Profile(name, column) for name, column in plain.items()}
        tokens = pa.array(self.null_tokens)
        return {name: Profile(name, _without(column, tokens)) for name, column in plain.items()}

    @cached_property
    def null_tokens(self) -> tuple[str, ...]:
        """Words such as NULL that stand where other rows have a number or a time.

        In a column of words they may be words: NA is a country as well.
        """
        found: set[str] = set()
        for name in self.rows.column_names:
            column = _plain(self.rows[name])
            if not pa.types.is_string(column.type):
                continue
            words_of = {str(v) for v in column.unique().to_pylist() if v and str(v).strip() in NULL_TOKENS} - found
            if words_of:
                profile = Profile(name, _without(column, pa.array(sorted(words_of))))
                found |= (
                    {w.strip() for w in words_of} if profile.n_distinct and (profile.decimal or profile.time) else set()
                )
        return tuple(sorted(found))


@dataclass(frozen=True)
class Link:
    """Another table that a row leads to: by `key`, which is `key_there` in that table."""

    name: str
    to: Sample
    key: str


@dataclass(frozen=True)
class Found:
    """A table, what one row of it is (`kind`), and the columns that matter most.

    `customer` and `time` may be LINK.column. `end`: the column of the end of a period. `renewals`: whether rows are
    payments for a time, each of which the next one follows.
    """

    sample: Sample
    kind: str
    customer: str | None = None
    time: str | None = None
    end: str | None = None
    links: tuple[Link, ...] = ()
    why: str = ""
    customer_why: str = ""
    renewals: bool = False

    def profile(self, column: str) -> Profile:
        """The profile of a column of this table or of one that it leads to."""
        name, dot, inner = column.partition(".")
        if dot and column not in self.sample.profiles:
            link = next(one for one in self.links if one.name == name)
            return link.to.profiles[inner]
        return self.sample.profiles[column]

    @property
    def role(self) -> str | None:
        """The role that the table's name speaks of."""
        return words.role_of(self.sample.name)


def _plain(column: pa.ChunkedArray) -> pa.Array:
    """One array; blank texts are null, and long texts are texts."""
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    array = pa.concat_arrays(array.chunks) if isinstance(array, pa.ChunkedArray) else array
    if pa.types.is_dictionary(array.type) or pa.types.is_large_string(array.type):
        array = array.cast(pa.string())
    if pa.types.is_string(array.type):
        blank = pc.equal(pc.utf8_trim_whitespace(array), "")
        array = pc.if_else(blank, pa.scalar(None, pa.string()), array)
    if pa.types.is_floating(array.type):
        array = pc.if_else(pc.is_nan(array), pa.scalar(None, array.type), array)
    return array


def _without(column: pa.Array, tokens: pa.Array) -> pa.Array:
    """The column with null where it holds one of the tokens."""
    if not pa.types.is_string(column.type):
        return column
    return pc.if_else(pc.is_in(pc.utf8_trim_whitespace(column), value_set=tokens), pa.scalar(None, pa.string()), column)
