"""Texts, JSON and folders of files."""

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from churn.shell.store.whole import absent, beside, force, force_folder, reading, replaced, writing
from churn.words.errors import Fault, IntegrityFault


def read_json(path: str | Path, *, remedy: str = "Run `churn run`, which makes it again") -> Any:
    """What the JSON file says; `remedy` is what mends a damaged one, where no stage makes it.

    Raises
    ------
    IntegrityFault
        If it is cut off, or no JSON at all.
    """
    try:
        return json.loads(read_text(path))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise IntegrityFault(f"{path} is not whole JSON ({error}). {remedy}.") from error


def write_json(path: str | Path, value: Any) -> None:
    """Write JSON with sorted keys, so that the same value always gives the same bytes; NaN is refused."""
    write_text(path, json.dumps(value, ensure_ascii=False, sort_keys=True, indent=2, allow_nan=False) + "\n")


def read_text(path: str | Path) -> str:
    """The UTF-8 text of the file."""
    with reading(Path(path)):
        return Path(path).read_bytes().decode("utf-8")


def write_text(path: str | Path, text: str) -> None:
    """Write UTF-8 text with the line ends that it has."""
    with replaced(Path(path)) as handle:
        handle.write(text.encode("utf-8"))


def read_texts(folder: str | Path) -> dict[str, str]:
    """Every file of the folder as UTF-8 text, by its path relative to it, sorted."""
    root = Path(folder)
    if not root.is_dir():
        raise absent(root)
    return {p.relative_to(root).as_posix(): read_text(p) for p in sorted(root.rglob("*")) if p.is_file()}


def write_files(folder: str | Path, files: Mapping[str, bytes | str | Iterator[bytes]]) -> None:
    """Make `folder` hold exactly `files` (relative path → content, whole or in pieces).

    The new folder takes the old one's place whole.
    """
    target = Path(folder)
    fresh, old = beside(target, "partial"), beside(target, "old")
    with writing(target, fresh):
        for name in sorted(files):
            path = fresh / _inside(name)
            path.parent.mkdir(parents=True, exist_ok=True)
            content = files[name]
            with path.open("wb") as handle:
                for piece in [content] if isinstance(content, bytes | str) else content:
                    handle.write(piece.encode("utf-8") if isinstance(piece, str) else piece)
                force(handle)
        fresh.mkdir(parents=True, exist_ok=True)
        if target.exists():
            target.rename(old)
        fresh.rename(target)
        force_folder(target.parent)
        shutil.rmtree(old, ignore_errors=True)


def digest(path: str | Path) -> str:
    """The SHA-256 of the file's bytes, in hexadecimal."""
    with reading(Path(path)), Path(path).open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def _inside(name: str) -> PurePosixPath:
    """The relative path, once it cannot lead out of its folder."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or not path.parts:
        raise Fault(f"{name!r} leads out of the folder that it should be written to")
    return path
