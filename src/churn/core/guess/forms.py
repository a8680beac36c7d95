"""Forms: the formats that a text may be a time in."""

import re
from collections.abc import Iterator

from churn.core.dataset.formats import ISO
from churn.words.months import month_number

_CLOCK = r"(?P<clock>[ T]+\d{1,2}:\d{2}(?P<second>:\d{2}(?P<fraction>[.]\d+)?)?(?P<half> ?[AaPp][Mm])?)?"
_DATE = re.compile(
    r"(?P<a>\d{1,4})(?P<mark>[-/.])(?P<b>\d{1,2})(?P=mark)(?P<c>\d{1,4})"
    + _CLOCK
    + r"(?P<zone> ?(Z|UTC|GMT|[+-]\d{2}:?\d{2}))?"
)
_CHINESE = re.compile(r"\d{4}年\d{1,2}月\d{1,2}日" + _CLOCK)
_LETTERS = r"[^\W\d_]{2,12}"
_WEEKDAY = rf"(?:(?P<weekday>{_LETTERS}\.?),? )?"
_MONTH = rf"(?P<month>{_LETTERS}\.?)"
_OF = r"(?: de |[-/ .,]{0,2})"
_CLOCK_AFTER = _CLOCK.replace("[ T]+", "[ T:,]+")
_ZONE = r"(?P<zone> ?(Z|UTC|GMT|[+-]\d{2}:?\d{2}))?"
_NAMED = tuple(
    re.compile(pattern)
    for pattern in (
        rf"{_WEEKDAY}(?P<day>\d{{1,2}}){_OF}{_MONTH}{_OF}(?P<year>\d{{4}}|\d{{2}}){_CLOCK_AFTER}{_ZONE}",
        rf"{_WEEKDAY}{_MONTH} (?P<day>\d{{1,2}}),? (?P<year>\d{{4}}){_CLOCK_AFTER}{_ZONE}",
        rf"{_WEEKDAY}{_MONTH} +(?P<day>\d{{1,2}}){_CLOCK_AFTER}{_ZONE} (?P<year>\d{{4}})",
        rf"(?P<weekday>\b)(?P<day>\b){_MONTH}{_OF}(?P<year>\d{{4}}|\d{{2}})(?P<clock>\b|$)(?P<zone>\b|$)",
    )
)
"""Day first; month first; as computers print it, with the year at the end; a month of a year."""


def forms(text: str) -> Iterator[str]:
    """Formats that one text may be written in, the likelier ones first."""
    if re.fullmatch(r"\d{4}-?W\d{1,2}", text):
        yield "%G-W%V" if "-" in text else "%GW%V"
    if found := re.fullmatch(r"\d{4}([-/.年])\d{1,2}月?", text):
        yield "%Y年%m月" if found[1] == "年" else f"%Y{found[1]}%m"
    if _CHINESE.fullmatch(text):
        yield "%Y年%m月%d日" + _clock(_CHINESE.fullmatch(text))
    found = _DATE.fullmatch(text)
    if not found:
        yield from _named(text)
        return
    yield ISO
    mark, clock = found["mark"], _clock(found)
    zone = _zone(found)
    if len(found["a"]) == 4:
        yield f"%Y{mark}%m{mark}%d{clock}{zone}"
        return
    year = "%Y" if len(found["c"]) == 4 else "%y"
    orders = (f"%d{mark}%m{mark}{year}", f"%m{mark}%d{mark}{year}", *(() if year == "%Y" else (f"%y{mark}%m{mark}%d",)))
    yield from (f"{order}{clock}{zone}" for order in orders)


def _clock(found: re.Match[str] | None) -> str:
    if not found or not found["clock"]:
        return ""
    blank = re.match(r"\D*", found["clock"])[0]  # type: ignore[index] # always matches
    half = found["half"] or ""
    seconds = (":%S" if found["second"] else "") + (".%f" if found["fraction"] else "")
    return blank + ("%I" if half else "%H") + ":%M" + seconds + half[:-2] + ("%p" if half else "")


def _zone(found: re.Match[str]) -> str:
    return (" " if found["zone"].startswith(" ") else "") + "%z" if found["zone"] else ""


def _named(text: str) -> Iterator[str]:
    """Formats with the name of a month: 12-Jan-2023, 3. März 2023, Jan 12, 2023, Thu Jan 12 13:05:07 2023."""
    for pattern in _NAMED:
        found = pattern.fullmatch(text)
        if not found or month_number(found["month"]) is None:
            continue
        parts = []
        for name, part in (("weekday", "%a"), ("day", "%d"), ("month", "%b"), ("year", "%Y"), ("clock", "")):
            if found[name]:
                written = part or _clock(found)
                written = "%y" if name == "year" and len(found[name]) == 2 else written
                parts.append((found.span(name), written))
        if found["zone"]:
            parts.append((found.span("zone"), _zone(found)))
        yield _between(text, sorted(parts))
        return


def _between(text: str, parts: list[tuple[tuple[int, int], str]]) -> str:
    """The parts with what stands between them; a point that ends an abbreviation belongs to its part."""
    made, at = "", 0
    for (start, end), part in parts:
        made, at = made + text[at:start] + part, end
    return made + text[at:]
