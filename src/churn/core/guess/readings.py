"""Readings: how the numbers of a column are written, where nearly all of its values agree on one way."""

import re
from collections import Counter
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from churn.core.events.numerals import INDIAN, plain
from churn.core.guess import words

ENOUGH = 0.98
"""Of the distinct values that must fit a reading; the others are rejected at the door, and counted."""
_LOOKED_AT = 5_000
"""Distinct values among which currency signs are looked for."""
_WAYS = ((".", ""), (",", ""), (".", ","), (",", "."), (".", "'"), (",", "'"), (".", " "), (",", " "))
"""Decimal mark and what divides thousands, the plainest first."""
_GROUPS_LEAST = 30
"""So many different values with three digits behind a mark, and none with fewer, are thousands: of three decimals whose
last zeros are left out every tenth would show fewer digits (.9 to the 30th is 4 %)."""
_NAMES = {".": "a point", ",": "a comma", "'": "an apostrophe", " ": "a blank"}
_CODES = "|".join(sorted(words.CODES))
_SIGN = re.compile(
    rf"(?:US|R|C|A|S|HK|NT|NZ)?\$|[€£¥￥₹₩₽₺₫฿₪₴₦₱]|(?<![A-Za-z])(?:{_CODES}|kr|zł|Kč|Ft|Rs\.?)(?![A-Za-z])|元|円|원"
)


class Reading(NamedTuple):
    """How numbers are written; `thousands` and `signs` are empty where there are none, `doubt` is to be checked."""

    decimal: str
    thousands: str = ""
    signs: tuple[str, ...] = ()
    doubt: str | None = None

    def numbers(self, texts: pa.Array) -> np.ndarray:
        """Trimmed texts as numbers, shape `(n_values,)`; NaN where one is not written so."""
        found = plain(texts, decimal=self.decimal, thousands=self.thousands, signs=self.signs)
        return found.cast(pa.float64()).fill_null(np.nan).to_numpy(zero_copy_only=False)

    @property
    def how(self) -> str:
        """What is beside the digits, in words."""
        parts = [f"the sign {' or '.join(self.signs)}"] if self.signs else []
        parts += [f"{_NAMES[self.thousands]} between thousands"] if self.thousands else []
        parts += ["a decimal comma"] if self.decimal == "," else []
        return ", ".join(parts[:-1]) + (" and " if parts[:-1] else "") + parts[-1]


def reading(distinct: pa.Array) -> Reading | None:
    """How the distinct trimmed texts of a column are written as numbers; None if they are none, or nobody can tell."""
    bare = [way for mark in (".", ",") if _share(way := Reading(mark), distinct) >= ENOUGH]
    divides = _divides(distinct, bare)
    if bare and not divides:
        return max(bare, key=lambda way: _share(way, distinct))
    signs = _signs(distinct)
    if len(currencies(signs)) > 1 or not (signs or pc.any(pc.match_substring_regex(distinct, r"\d[,.' ]\d")).as_py()):
        return None
    likely = [way for mark, group in _WAYS if _share(way := Reading(mark, group, signs), distinct) >= ENOUGH]
    different = _different(likely, distinct)
    if len(different) > 1 and (signs and not set(currencies(signs)) & words.THREE_DECIMALS):
        # No money of such a currency is written with three decimals only.
        different = [way for way in different if not _only_threes(distinct, way)]
    elif len(different) > 1 and divides:
        said = f"three digits follow {_NAMES[divides]} wherever there is one, so it is taken to divide thousands"
        different = [way._replace(doubt=f"CHECK: {said}") for way in different if way.thousands == divides]
    return different[0] if len(different) == 1 else None


def currencies(signs: tuple[str, ...]) -> tuple[str, ...]:
    """What the signs mean, each once; a sign of several currencies stands for itself, where no other says which.

    >>> currencies(("$", "USD")), currencies(("€", "$")), currencies(("¥",))
    (('USD',), ('$', 'EUR'), ('¥',))
    """
    meant = {words.SIGNS.get(sign, sign) for sign in signs}
    vague = {sign for sign in meant if meant & set(words.SHARED_SIGNS.get(sign, ()))}
    return tuple(sorted(meant - vague))


def obstacle(distinct: pa.Array) -> str | None:
    """Why values that look like money are no numbers; None if they do not look like money."""
    signs = _signs(distinct)
    if len(currencies(signs)) > 1:
        return f"amounts have the signs {', '.join(signs)}; a data set has one currency, so convert them first"
    shown = pc.match_substring_regex(distinct, r"\d[.,' ]\d{3}|\p{Sc}\s?\d|\d\s?\p{Sc}")
    if (pc.mean(shown.cast(pa.int8())).as_py() or 0) > 0.5:
        return "they can be read in several ways, or in none; say which with decimal, thousands and currency_signs"
    return None


def _signs(distinct: pa.Array) -> tuple[str, ...]:
    """The currency signs beside the digits, the most frequent first; one that a few values have is a slip."""
    found = Counter(sign for text in distinct[:_LOOKED_AT].to_pylist() for sign in set(_SIGN.findall(text)))
    few = len(distinct[:_LOOKED_AT]) * (1 - ENOUGH)
    return tuple(sign for sign, n in sorted(found.items(), key=lambda pair: (-pair[1], pair[0])) if n >= few)


def _divides(distinct: pa.Array, bare: list[Reading]) -> str | None:
    """The mark of plain numbers, if it divides thousands: three digits behind it always, and some numbers without.

    A number that has it twice settles it, as few as there may be: no number has two decimal marks.
    """
    marks = [way.decimal for way in bare if pc.any(pc.match_substring(distinct, way.decimal)).as_py()]
    if len(marks) != 1:
        return None
    mark = re.escape(marks[0])
    marked = int(pc.sum(pc.match_substring(distinct, marks[0])).as_py())
    indian = f"|{INDIAN}" if marks[0] == "," else ""
    threes = pc.match_substring_regex(distinct, rf"^[+-]?(?:[1-9]\d{{0,2}}(?:{mark}\d{{3}})+{indian})$")
    if int(pc.sum(threes).as_py()) != marked:
        return None
    twice = pc.any(pc.match_substring_regex(distinct, rf"{mark}\d+{mark}")).as_py()
    return marks[0] if twice or _GROUPS_LEAST <= marked < len(distinct) else None


def _different(likely: list[Reading], distinct: pa.Array) -> list[Reading]:
    """The readings that give different numbers; one that reads less than another, but the same, is none of its own."""
    values = [way.numbers(distinct) for way in likely]
    read = [np.isfinite(found) for found in values]
    covered = [
        [bool(np.array_equal(values[i][read[i]], values[j][read[i]])) for j in range(len(likely))]
        for i in range(len(likely))
    ]
    return [
        way
        for i, way in enumerate(likely)
        if not any(covered[i][j] and (j < i or not covered[j][i]) for j in range(len(likely)) if j != i)
    ]


def _only_threes(distinct: pa.Array, way: Reading) -> bool:
    """Whether, in this reading, every number with decimals has exactly three."""
    mark = re.escape(way.decimal)
    decimals = pc.match_substring_regex(distinct, rf"\d{mark}\d")
    threes = pc.match_substring_regex(distinct, rf"\d{mark}\d{{3}}(\D|$)")
    return bool(pc.any(decimals).as_py()) and pc.sum(decimals).as_py() == pc.sum(threes).as_py()


def _share(way: Reading, distinct: pa.Array) -> float:
    found = plain(distinct, decimal=way.decimal, thousands=way.thousands, signs=way.signs)
    if way.decimal == ",":
        # Read at the door, but nothing that speaks for a comma.
        found = pc.if_else(pc.match_substring(distinct, "."), None, found) if not way.thousands else found
    return 1 - found.null_count / max(len(distinct), 1)
