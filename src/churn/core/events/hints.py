"""Hints: what rejected rows have in common, and the line of conf/data/ that would read them."""

import json
import re
from collections.abc import Mapping, Sequence

from churn.core.events.numerals import INDIAN

_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d{1,2}")
_GROUPED = re.compile(
    rf"[+-]?(?:\d{{1,3}}(?:(?P<mark>[,.' ])\d{{3}})+|(?P<indian>{INDIAN})|\d+)(?:(?P<decimal>[.,])\d+)?"
)
_CURRENCY = re.compile(r"[$€£¥￥₹₩₽]|^(?:[A-Z]{3}|Rs\.?)(?= ?\d)|(?<=\d)[A-Z]{3}$|(?<=\d )[A-Z]{3}$|(?:kr|zł|元|円)$")
_SLASHED = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{2,4})(.*)")
_DIGITS = re.compile(r"-?\d+")


def hint(reason: str, column: str | None, raw: Sequence[str], looks_like: Mapping[str, int]) -> str:
    """What would probably read the rows, or an empty text.

    Parameters
    ----------
    reason
        Why they were rejected.
    column
        The column that broke the rule.
    raw
        Some of the rows, as JSON text.
    looks_like
        Encoding → lines that are probably written in it.
    """
    values = [v for v in (_value(text, column) for text in raw) if v]
    if reason.endswith("_unreadable") and reason.startswith(("occurred", "recorded", "valid")):
        return _time_hint(values)
    if reason.endswith("_unreadable"):
        return _number_hint(values)
    if reason.endswith("_out_of_range"):
        return _unit_hint(values)
    return encoding_hint(looks_like) if reason == "not_utf8" else ""


def encoding_hint(looks_like: Mapping[str, int]) -> str:
    """How lines in another encoding can be read."""
    if not looks_like:
        return ""
    name = max(looks_like, key=lambda n: looks_like[n])
    called = {"gb18030": "GBK", "latin-1": "Latin-1"}.get(name, name)
    return f"they look like {called}: save the file as CSV in UTF-8 (另存为 CSV UTF-8), or declare `encoding: {name}`"


def _value(text: str, column: str | None) -> str:
    found = json.loads(text).get(column) if column else None
    return str(found).strip() if found is not None else ""


def _all(pattern: re.Pattern, values: Sequence[str]) -> bool:
    return bool(values) and all(pattern.fullmatch(v) for v in values)


def _number_hint(values: Sequence[str]) -> str:
    if _all(_DECIMAL_COMMA, values):
        return "they look like numbers with a decimal comma: declare `decimal: ','` for the source"
    signs = sorted({found[0] for v in values if (found := _CURRENCY.search(v))})
    bare = [_CURRENCY.sub("", v).strip() for v in values]
    keys = [f"currency_signs: [{', '.join(signs)}]"] if signs else []
    said = ["have a currency sign"] if signs else []
    marks = _marks(bare)
    if marks:
        thousands, decimal = marks
        said.append("have thousands separators")
        keys += ["decimal: ','"] if decimal == "," else []
        keys.append(f'thousands: "{thousands}"')
    elif _all(_DECIMAL_COMMA, bare):
        keys.append("decimal: ','")
    return f"they {' and '.join(said)}: declare `{'`, `'.join(keys)}` for the source" if said else ""


def _marks(values: Sequence[str]) -> tuple[str, str] | None:
    """What divides thousands in all of the values, and what their decimals, if they say it."""
    parts = [_GROUPED.fullmatch(v) for v in values]
    if not values or not all(parts):
        return None
    groups = {p["mark"] or "," for p in parts if p and (p["mark"] or p["indian"])}
    decimals = {p["decimal"] for p in parts if p and p["decimal"]}
    if len(groups) != 1 or len(decimals) > 1 or groups == decimals:
        return None
    return groups.pop(), decimals.pop() if decimals else "."


def _time_hint(values: Sequence[str]) -> str:
    if _all(_DIGITS, values):
        return _epoch(values, "they are whole numbers")
    parts = [_SLASHED.fullmatch(v) for v in values]
    if not values or not all(parts):
        return ""
    found = [p for p in parts if p]
    sign = re.sub(r"\d", "", values[0])[0]
    year = "%Y" if len(found[0][3]) == 4 else "%y"
    times = {"": "", 5: " %H:%M", 8: " %H:%M:%S"}.get(len(found[0][4].strip()) or "", "")
    orders = {"%d": max(int(p[1]) for p in found) <= 31, "%m": max(int(p[1]) for p in found) <= 12}
    orders["%d"] &= max(int(p[2]) for p in found) <= 12
    likely = [f"{a}{sign}{'%m' if a == '%d' else '%d'}{sign}{year}{times}" for a, fits in orders.items() if fits]
    written = " or ".join(f'`format: "{f}"`' for f in likely)
    return f"the order of day and month is never guessed: declare {written}" if likely else ""


def _unit_hint(values: Sequence[str]) -> str:
    return _epoch(values, "as they are declared they lie outside of 1971 to 2100") if _all(_DIGITS, values) else ""


def _epoch(values: Sequence[str], why: str) -> str:
    lengths = {len(v.lstrip("-")) for v in values}
    unit = {9: "epoch_s", 10: "epoch_s", 12: "epoch_ms", 13: "epoch_ms"}.get(lengths.pop() if len(lengths) == 1 else 0)
    return f"{why}, and would be times of our days as `format: {unit}`" if unit else ""
