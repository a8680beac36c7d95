# ruff: noqa: S608 - columns are quoted by the caller
"""Keys within keys of JSON: `{"customer": {"id": 7}}` has the column `customer.id`. An array of objects as lines."""

import hashlib
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from churn.shell.engine import packed
from churn.shell.engine.limits import LINE_BYTES
from churn.shell.raw import RawFile
from churn.words.errors import ContractFault

if TYPE_CHECKING:
    import duckdb

Way = tuple[str, ...]
"""The way to a value: `("customer", "id")`."""


def columns(con: "duckdb.DuckDBPyConnection", lines: str) -> dict[str, str]:
    """Column → JSON pointer, sorted by column, of every value in the objects of the column `json` of a query.

    An object within an object is not a column, but its values are, as OUTER.INNER. A key that is now an object and now
    something else is one column, as text; so are lists.
    """
    found = con.execute(f"SELECT json_group_structure(json::JSON) FROM ({lines})").fetchall()
    structure = json.loads(found[0][0]) if found and found[0][0] else {}
    ways = sorted(_ways(structure), key=len) if isinstance(structure, dict) else []
    # A key that holds a dot itself comes first: it is what the file says literally.
    names: dict[str, str] = {}
    for way in ways:
        names.setdefault(".".join(way), _pointer(way))
    return dict(sorted(names.items()))


def _ways(structure: dict[str, Any], before: Way = ()) -> Iterator[Way]:
    for key, inner in structure.items():
        if isinstance(inner, dict) and inner:
            yield from _ways(inner, (*before, key))
        else:
            yield (*before, key)


def _pointer(way: Way) -> str:
    """A way as JSON pointer (RFC 6901), in which no sign has another meaning."""
    return "".join("/" + key.replace("~", "~0").replace("/", "~1") for key in way)


def is_array(head: bytes, encoding: str) -> bool:
    """Whether a file of JSON holds one array instead of lines."""
    return head.decode(encoding, "replace").lstrip("\ufeff \t\r\n").startswith("[")


def in_lines(file: RawFile, encoding: str, folder: Path) -> Path:
    """The objects of an array as lines, each as it is written but for line ends, in a file of its own in `folder`.

    Raises
    ------
    ContractFault
        If the array breaks off, or holds an element of more than 1 MB (exit 4).
    """
    path = folder / f"{hashlib.sha256(f'{file.path}#lines'.encode()).hexdigest()[:16]}.jsonl"
    read = io.TextIOWrapper(packed.unpacked(file.path), encoding, "surrogateescape", newline="")
    with read, path.open("w", encoding="utf-8", errors="surrogateescape", newline="\n") as write:
        for element in _elements(read, file):
            write.write(element.replace("\r", " ").replace("\n", " ") + "\n")
    return path


def _elements(read: IO[str], file: RawFile) -> Iterator[str]:
    """The elements of an array, as they are written."""
    decoder, text, at, n = json.JSONDecoder(), "", 0, 0
    first = True
    while True:
        at = _after_blanks(text, at, "[" if first and text else ",")
        if at < len(text) and text[at] == "]":
            return
        try:
            _, end = decoder.raw_decode(text, at) if at < len(text) else (None, len(text))
        except json.JSONDecodeError:
            end = len(text)
        if end < len(text):
            yield text[at:end]
            at, n, first = end, n + 1, False
            continue
        more = read.read(packed.BLOCK_BYTES)
        if not more or len(text) - at > LINE_BYTES + packed.BLOCK_BYTES:
            what = "breaks off, or is no JSON" if not more else "is longer than 1 MB"
            raise ContractFault(f"{file.path} (source {file.source}): element {n + 1:,} of its array {what}")
        text, at = text[at:] + more, 0


def _after_blanks(text: str, at: int, mark: str) -> int:
    """The place of the next sign that is neither blank nor `mark`."""
    signs = " \t\r\n\ufeff" + mark
    while at < len(text) and text[at] in signs:
        at += 1
    return at
