"""Files that are packed, or written in another encoding than UTF-8."""

import codecs
import gzip
import io
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, cast

import pyarrow as pa

from churn.shell.raw import RawFile
from churn.words.errors import ContractFault, IntegrityFault, message

ENDINGS = {".gz": "gzip", ".zst": "zstd"}
BLOCK_BYTES = 1 << 20
_MAGIC = {"gzip": b"\x1f\x8b", "zstd": b"\x28\xb5\x2f\xfd"}
_BAD = "\udcff"
"""What stands for bytes that the encoding does not have, until it is written as a byte that UTF-8 does not have."""


def packing(path: Path) -> str | None:
    """gzip, zstd or None, by the file's ending."""
    return ENDINGS.get(path.suffix.lower())


def unpacked(path: Path) -> IO[bytes]:
    """The file as it is when unpacked, as a stream of bytes."""
    kind = packing(path)
    if kind == "gzip":
        return cast(IO[bytes], gzip.open(path, "rb"))
    if kind == "zstd":
        return io.BufferedReader(pa.input_stream(path, compression="zstd"))
    return path.open("rb")


def head(file: RawFile, size: int, *, whole: bool = True) -> bytes:
    """The first bytes, unpacked. A packed file is unpacked to its end if `whole`: only the end tells that it is there.

    Raises
    ------
    IntegrityFault
        If the file is cut off (exit 10).
    ContractFault
        If it is not packed as its name says (exit 4).
    """
    kind, n_bytes = packing(file.path), file.path.stat().st_size
    if kind:
        with file.path.open("rb") as handle:
            start = handle.read(4)
        if not start.startswith(_MAGIC[kind]):
            ending = file.path.suffix
            raise ContractFault(f"{file.path} is named {ending} but is not packed. Rename it without {ending}")
    try:
        with unpacked(file.path) as handle:
            first = handle.read(size)
            while kind and whole and handle.read(BLOCK_BYTES):
                pass
    except (EOFError, zlib.error, OSError) as error:
        if not kind:
            raise
        raise IntegrityFault(
            f"{file.path} ({n_bytes:,} bytes) is cut off or damaged: {error}. Copy it again"
        ) from error
    return first


def blocks(file: RawFile) -> Iterator[bytes]:
    """All the bytes, unpacked, in pieces. Only the end of a packed file tells whether it is whole.

    Raises
    ------
    IntegrityFault
        If the file is cut off (exit 10).
    ContractFault
        If it is not packed as its name says (exit 4).
    """
    head(file, 1, whole=False)
    kind, n_bytes = packing(file.path), 0
    try:
        with unpacked(file.path) as handle:
            while block := handle.read(BLOCK_BYTES):
                n_bytes += len(block)
                yield block
    except (EOFError, zlib.error, OSError) as error:
        if not kind:
            raise
        raise IntegrityFault(
            message(
                f"{file.path} ({file.path.stat().st_size:,} bytes) is cut off or damaged: {error}",
                many=f"{n_bytes:,} bytes could be unpacked, nothing of them was kept",
                do="copy it again",
            )
        ) from error


def in_utf8(file: RawFile, encoding: str, folder: Path) -> Path:
    """The same text in UTF-8, in a file of its own in `folder`.

    Bytes that the encoding does not have become bytes that UTF-8 does not have, so that their rows are rejected.
    """
    import hashlib

    suffixes = [s for s in file.path.suffixes if s.lower() not in ENDINGS]
    mark = hashlib.sha256(f"{file.path}\0{encoding}".encode()).hexdigest()[:16]
    path = folder / f"{mark}{suffixes[-1] if suffixes else ''}"
    codecs.register_error("churn_marked", _marked)
    decoder = codecs.getincrementaldecoder(encoding)("churn_marked")
    with unpacked(file.path) as read, path.open("wb") as write:
        while block := read.read(BLOCK_BYTES):
            write.write(decoder.decode(block).encode("utf-8", "surrogateescape"))
        write.write(decoder.decode(b"", final=True).encode("utf-8", "surrogateescape"))
    return path


def with_line_feeds(path: Path, folder: Path) -> Path:
    """The same text, unpacked, with a line feed at the end of each line, in a file of its own in `folder`.

    For texts whose lines end in two ways, as where a program of another system appended to an export: DuckDB reads
    nothing of them (2.0.0).
    """
    import hashlib

    suffixes = [s for s in path.suffixes if s.lower() not in ENDINGS]
    mark = hashlib.sha256(f"{path}\0line feeds".encode()).hexdigest()[:16]
    made = folder / f"{mark}{suffixes[-1] if suffixes else ''}"
    with unpacked(path) as read, made.open("wb") as write:
        held = b""
        while block := read.read(BLOCK_BYTES):
            text = held + block
            held = b"\r" if text.endswith(b"\r") else b""  # its line feed may begin the next block
            write.write(text.removesuffix(held).replace(b"\r\n", b"\n"))
        write.write(held)
    return made


def without_title(file: RawFile, text: Path, lines: int, folder: Path) -> tuple[Path, bytes]:
    """The text with blank lines in place of its first `lines`, and its first bytes after them.

    Titles may hold quotation marks that no column closes.
    """
    import hashlib

    mark = hashlib.sha256(f"{file.path}\0{lines}".encode()).hexdigest()[:16]
    suffixes = [s for s in file.path.suffixes if s.lower() not in ENDINGS]
    path = folder / f"{mark}_table{suffixes[-1] if suffixes else ''}"
    with unpacked(text) as read, path.open("wb") as write:
        for _ in range(lines):
            # Lines that end in two ways are not read at all.
            write.write(b"\r\n" if read.readline(BLOCK_BYTES).endswith(b"\r\n") else b"\n")
        head = read.read(BLOCK_BYTES)
        block = head
        while block:
            write.write(block)
            block = read.read(BLOCK_BYTES)
    return path, head


def _marked(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return _BAD, error.end
