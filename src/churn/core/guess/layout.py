"""How a text file is laid out: encoding, delimiter, and whether its first line names the columns."""

import csv
import io
import re
from typing import NamedTuple

_LINES = 200
_TITLES_MOST = 20
"""More lines above a table are no titles."""
DELIMITERS = (",", ";", "\t", "|")
_BOMS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_NUMBER = re.compile(r"[+-]?[\d.,]*\d[\d.,]*%?")
_TIME = re.compile(r"\d{1,4}[-/.年]\d{1,2}([-/.月]\d{1,4}日?)?([ T].*)?|\d{4}-?W\d{2}")


class Layout(NamedTuple):
    """What the first bytes of a text file say; each part has its evidence.

    `header` is empty if the file has one; `skip_lines` stand above it: titles, and blank lines.
    """

    encoding: str
    delimiter: str
    header: tuple[str, ...]
    skip_lines: int
    evidence: dict[str, str]


def encoding_of(head: bytes) -> tuple[str, str]:
    """The encoding of the first bytes of a text, and why."""
    for bom, name in _BOMS:
        if head.startswith(bom):
            return name, f"it starts with the byte order mark of {name.upper()}"
    try:
        # The last character may be cut in the middle.
        head.decode("utf-8") if len(head) < 4 else io.TextIOWrapper(io.BytesIO(head[: _whole(head)]), "utf-8").read()
    except UnicodeDecodeError as error:
        return _legacy(head, error.start)
    return "utf-8", "every byte is UTF-8"


def layout(head: bytes, *, tabs: bool = False) -> Layout:
    """The layout of a delimited file.

    Parameters
    ----------
    head
        Its first bytes, unpacked; the last line may be cut.
    tabs
        Whether the file's name says that tabs divide the columns.
    """
    encoding, why = encoding_of(head)
    text = head.decode(encoding, "replace").removeprefix("\ufeff")
    physical = text.splitlines()
    delimiter, above = _cut(physical, ("\t",) if tabs else DELIMITERS)
    lines = _whole_lines(physical[above:])
    rows = list(csv.reader(io.StringIO("\n".join(lines)), delimiter=delimiter))
    evidence = {"encoding": why}
    evidence["delimiter"] = (
        f"the first {len(rows)} lines have {len(rows[0]) if rows else 0} columns each when cut there"
    )
    named, reason = _first_is_header(rows)
    evidence["header"] = reason
    header = () if named else tuple(f"column_{n + 1}" for n in range(len(rows[0]) if rows else 0))
    evidence["skip_lines"] = "so many lines stand above the names of the columns, with one cell each at most"
    return Layout(encoding, delimiter, header, above, evidence)


def _whole_lines(physical: list[str]) -> list[str]:
    """The first lines that are not blank, without the last one, which may be cut."""
    lines = [line for line in physical if line.strip()]
    return lines[: min(_LINES, max(len(lines) - 1, 2))]


def _cut(physical: list[str], marks: tuple[str, ...]) -> tuple[str, int]:
    """The delimiter, and how many lines stand above the table: of steady ones the one that leaves out the fewest."""
    found = {mark: _titles(physical, mark) for mark in marks}
    best = max(found, key=lambda mark: (_steadiness(_whole_lines(physical[found[mark] :]), mark), -found[mark]))
    return best, found[best]


def _titles(physical: list[str], mark: str) -> int:
    """How many lines at the top have one cell that says something, or none."""
    for place, line in enumerate(physical[: _TITLES_MOST + 1]):
        cells = next(csv.reader([line], delimiter=mark), [])
        if sum(bool(cell.strip()) for cell in cells) > 1:
            return place
    return 0


def _whole(head: bytes) -> int:
    """Bytes up to the last line end, or to the last character that is surely whole."""
    end = head.rfind(b"\n")
    return end + 1 if end >= 0 else max(len(head) - 4, 0)


def _legacy(head: bytes, at: int) -> tuple[str, str]:
    """An encoding of before UTF-8: pairs of high bytes are Chinese, single ones between letters are Western."""
    why = f"byte {at + 1:,} ({head[at]:#04x}) is not UTF-8"
    if head[:4000].count(0) > len(head[:4000]) // 4:
        return "utf-16", f"{why}, and every second byte is 0"
    high = [m.group() for m in re.finditer(rb"[\x80-\xff]+", head[: _whole(head)])]
    try:
        head[: _whole(head)].decode("gb18030")
    except UnicodeDecodeError:
        return "cp1252", f"{why}, and it is no Chinese encoding either"
    paired = sum(len(run) % 2 == 0 for run in high)
    if paired >= 0.9 * len(high) and max(map(len, high)) >= 4:
        return "gb18030", f"{why}; {paired:,} of {len(high):,} runs of such bytes come in pairs, as Chinese does in GBK"
    return "cp1252", f"{why}; such bytes stand alone between letters, as accents do"


def _steadiness(lines: list[str], mark: str) -> tuple[float, int]:
    """The share of lines with as many columns as the first one has, and that number; nothing for one column."""
    if not lines:
        return 0.0, 0
    counts = [len(row) for row in csv.reader(io.StringIO("\n".join(lines)), delimiter=mark)]
    if counts[0] < 2:
        return 0.0, 0
    return sum(n == counts[0] for n in counts) / len(counts), counts[0]


def _first_is_header(rows: list[list[str]]) -> tuple[bool, str]:
    """Whether the first row names the columns: it has no number or time where the others have one."""
    if len(rows) < 2:
        return True, "there is one line only"
    first, others = rows[0], rows[1:]
    # Names may be times, as where each month has a column: then no times stand below them.
    odd = [cell for place, cell in enumerate(first) if _is_value(cell) and not _names_a_time(cell, others, place)]
    if odd:
        return False, f"the first line holds the value {odd[0].strip()}, so it names nothing"
    valued = [place for place in range(len(first)) if _mostly_values(others, place)]
    if valued or len(set(first)) == len(first):
        return True, "the first line holds no number and no time"
    return False, "the first line says something twice, so it names nothing"


def _names_a_time(cell: str, others: list[list[str]], place: int) -> bool:
    """Whether a cell of the first row is a time, and those below it are numbers or nothing."""
    if not _TIME.fullmatch(cell.strip()):
        return False
    below = [row[place].strip() for row in others if place < len(row)]
    return not any(_TIME.fullmatch(text) for text in below) and _mostly_values(others, place)


def _mostly_values(rows: list[list[str]], place: int) -> bool:
    cells = [row[place] for row in rows if place < len(row) and row[place].strip()]
    return bool(cells) and sum(map(_is_value, cells)) > 0.8 * len(cells)


def _is_value(cell: str) -> bool:
    text = cell.strip()
    return bool(_NUMBER.fullmatch(text) or _TIME.fullmatch(text))
