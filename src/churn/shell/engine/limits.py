# ruff: noqa: S608 - columns are quoted by `named`
"""Limits: files that would unpack to many times their size, or have lines without end, before they fill the memory."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from churn.words.errors import ContractFault, message

if TYPE_CHECKING:
    import duckdb

LINE_BYTES = 1 << 20
"""No row of business data is longer than 1 MB; a longer one is a file without line ends, and would fill the memory."""
SMALL_BYTES = 1 << 25
"""What unpacks to less than 32 MB harms nobody, whatever its ratio."""
PACKED_MOST = 200
"""Times its size that a packed text may have: exports reach 5 to 60, a file made to fill a disk 1,000."""
COLUMNS_MOST = 1_000
"""The same for Parquet, where a column of one value takes no space at all."""
CHECKED_BYTES = 1 << 26
"""Larger files than 64 MB are read in pieces within the memory of the database; to read their texts twice costs more
than it protects."""


def check_unpacked(path: Path, source: str, packed: int, unpacked: int, most: int = PACKED_MOST) -> None:
    """Nothing, unless a file unpacks to more than it may.

    Raises
    ------
    ContractFault
        With the sizes and the limit (exit 4).
    """
    if unpacked <= max(SMALL_BYTES, most * packed):
        return
    raise ContractFault(
        message(
            f"the file unpacks to more than {unpacked / max(packed, 1):,.0f} times its size, the limit is {most} times",
            where=f"{path} (source {source})",
            many=f"{packed:,} bytes hold {unpacked:,} bytes or more",
            do="nothing of it was read; export it again, in smaller files if it is truly so large",
        )
    )


def check_columns(con: "duckdb.DuckDBPyConnection", path: Path, source: str, types: dict[str, str]) -> None:
    """The columns of a Parquet file do not unpack to more than they may.

    What the file says of its size is not believed, since it leaves out what a dictionary makes small: the rows are
    counted, and the lengths of texts are added up.

    Raises
    ------
    ContractFault
        With the sizes and the limit (exit 4).
    """
    packed = path.stat().st_size
    ((rows,),) = con.execute("SELECT sum(num_rows) FROM parquet_file_metadata(?)", [str(path)]).fetchall()
    plain = 8 * int(rows or 0) * len(types)
    check_unpacked(path, source, packed, plain, COLUMNS_MOST)
    names = [name for name in types if types[name] in {"VARCHAR", "BLOB"}]
    if not names or packed > CHECKED_BYTES:
        return
    length = {"VARCHAR": "strlen", "BLOB": "octet_length"}
    lengths = ", ".join(f"sum({length[types[name]]}({_named(name)}))" for name in names)
    (found,) = con.execute(f"SELECT {lengths} FROM read_parquet(?)", [str(path)]).fetchall()
    check_unpacked(path, source, packed, plain + sum(int(n or 0) for n in found), COLUMNS_MOST)


def _named(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


class Scan(NamedTuple):
    """A text before it is read: its first bytes, its lines that are not blank, whether there are quotation marks.

    `mixed`: some lines end with a return and a line feed, others with a line feed alone. `returns_alone`: returns that
    end no line, in a text whose lines end otherwise.
    """

    head: bytes
    lines: int
    quoted: bool
    mixed: bool
    returns_alone: int


def scanned(blocks: Iterable[bytes], path: Path, source: str, packed: int | None) -> Scan:
    """What a text is, once no line of it is too long and, if it is `packed` into so many bytes, it is no bomb.

    DuckDB was seen to lose rows without a word: a line of 80 MB, and two million lines behind a quotation mark that is
    not closed (2.0.0). So lines are counted here, by hand.

    Raises
    ------
    ContractFault
        A line is longer than 1 MB, or a packed file unpacks to more than it may (exit 4).
    """
    head, ends, blank, quoted, offset, last, mark = b"", 0, 0, False, 0, -1, 10
    before = feeds = pairs = alone = 0
    for block in blocks:
        if not head:
            head, mark = block, 10 if b"\n" in block or b"\r" not in block else 13
        quoted |= b'"' in block
        found = np.frombuffer(block, np.uint8)
        at = np.flatnonzero(found == mark)
        lengths = np.diff(at + offset, prepend=last) - 1
        long = np.flatnonzero(lengths > LINE_BYTES)
        offset += len(block)
        rest = offset - 1 - (int(at[-1]) + offset - len(block) if len(at) else last)
        if len(long) or rest > LINE_BYTES:
            _raise_too_long(path, source, ends + (int(long[0]) if len(long) else len(at)) + 1)
        returns = np.where(at > 0, found[at - 1], before) == 13
        blank += int(np.sum((lengths == 0) | ((lengths == 1) & returns & (mark == 10))))
        feeds, pairs = feeds + len(at), pairs + int(np.sum(returns))
        alone += int(np.sum(found == 13))
        ends, last = ends + len(at), offset - 1 - rest
        before = block[-1]
        if packed is not None:
            check_unpacked(path, source, packed, offset)
    lines = ends - blank + (offset - 1 > last)
    if mark == 13:
        return Scan(head, lines, quoted, mixed=False, returns_alone=0)
    return Scan(head, lines, quoted, mixed=0 < pairs < feeds, returns_alone=alone - pairs)


def _raise_too_long(path: Path, source: str, line: int) -> None:
    raise ContractFault(
        message(
            "line_too_long: a line is longer than 1 MB, the limit of a line",
            where=f"{path}:{line} (source {source}), line {line}",
            do="has the file lost its line ends? Export it again, one row a line",
        )
    )
