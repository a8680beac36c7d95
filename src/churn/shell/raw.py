"""Raw files: which files a data set is made of, and their digests. The project never writes them."""

import getpass
import hashlib
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from glob import has_magic
from importlib.util import find_spec
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple, Protocol

from churn.shell import databases
from churn.words.errors import ConfigFault, ContractFault, DiskFault, IntegrityFault, message

PACKAGE = "package:"
"""Scheme of files that come inside an installed package: `package:NAME/folder/*.parquet`."""
_BLOCK_BYTES = 1 << 20


class Dataset(Protocol):
    """What is needed of a declared data set."""

    @property
    def sources(self) -> Mapping[str, Any]: ...
    @property
    def attributes(self) -> Mapping[str, Any]: ...
    @property
    def made_by(self) -> str: ...
    @property
    def kinds(self) -> tuple[tuple[str, str, str], ...]: ...


class RawFile(NamedTuple):
    """A file of a source: `source` is the source's name, or SOURCE.LOOKUP; `name` is without the folders they share."""

    source: str
    name: str
    path: Path


def found(source: str, pattern: str, *, made_by: str = "") -> list[RawFile]:
    """The files that a pattern names, sorted by name; for a table of a database, the file in which it was saved.

    `made_by` is the command that makes such files, where there is one.

    Raises
    ------
    ConfigFault
        If the pattern leaves the project or names a package that is not installed (exit 3).
    ContractFault
        If there is no such file (exit 4).
    """
    table = databases.place(source, pattern)
    if table:
        path = databases.saved_file(pattern)
        if not path.is_file():
            raise ContractFault(f"source {source}: the table {table.table} was not saved yet; `churn run` does it")
        return [RawFile(source, f"{table.table}.parquet", path)]
    root, inside = _root(source, pattern)
    paths = sorted(p for p in root.glob(inside) if p.is_file()) if has_magic(inside) else [root / inside]
    _check_inside(source, pattern, root, [root / PurePosixPath(inside).parent, *paths])
    if not paths or not all(p.is_file() for p in paths):
        raise ContractFault(_absent(source, pattern, root / inside, made_by))
    return [RawFile(source, _name(path, root, PurePosixPath(inside)), path) for path in paths]


def _name(path: Path, root: Path, inside: PurePosixPath) -> str:
    """The name of a file, with the folders that a pattern leaves open: files of two months may have one name."""
    fixed = next((n for n, part in enumerate(inside.parts) if has_magic(part)), len(inside.parts) - 1)
    return path.relative_to(root.joinpath(*inside.parts[:fixed])).as_posix()


def different(files: list[RawFile]) -> tuple[list[RawFile], dict[str, str]]:
    """The files of a source without those of equal content, and each that is left out → the one that stands for it.

    A file that was delivered again under another name would count twice where rows have no id.
    """
    sizes = Counter(file.path.stat().st_size for file in files)
    first: dict[str, str] = {}
    kept, skipped = [], {}
    for file in files:
        digest = _sha256(file.path) if sizes[file.path.stat().st_size] > 1 else str(file.path)
        if digest in first:
            skipped[file.name] = first[digest]
        else:
            first[digest] = file.name
            kept.append(file)
    return kept, skipped


def all_files(dataset: Dataset) -> list[RawFile]:
    """Every file that the data set is made of, those of lookups included, in the order of the declaration."""
    return list(_all_files(dataset))


def save_tables(dataset: Dataset) -> None:
    """Save the tables of databases that the data set is made of, as they are now, where `found` finds them."""
    databases.save(_patterns(dataset))


def inventory(dataset: Dataset) -> list[dict[str, Any]]:
    """One entry a file: source, name, size in bytes, sha256. Its bytes decide what the pipeline makes again."""
    return [
        {"source": file.source, "name": file.name, "size": file.path.stat().st_size, "sha256": _sha256(file.path)}
        for file in all_files(dataset)
    ]


def check_unchanged(dataset: Dataset, listed: list[dict[str, Any]]) -> None:
    """The raw files are those that were listed, byte by byte.

    Raises
    ------
    IntegrityFault
        Naming the files that differ (exit 10).
    """
    before, now = _by_file(listed), _by_file(inventory(dataset))
    changed = sorted(key for key in before.keys() | now.keys() if before.get(key) != now.get(key))
    if changed:
        names = ", ".join(f"{name} (source {source})" for source, name in changed[:5])
        raise IntegrityFault(
            f"{len(changed)} of {len(now)} raw files changed since they were listed in data/raw.json: {names}. "
            f"Is somebody still writing them? Run the same command again when they are complete"
        )


def _by_file(listed: list[dict[str, Any]]) -> dict[tuple[str, str], dict[str, Any]]:
    return {(file["source"], file["name"]): file for file in listed}


def _all_files(dataset: Dataset) -> Iterator[RawFile]:
    for name, pattern in _patterns(dataset):
        yield from found(name, pattern, made_by=dataset.made_by)


def _patterns(dataset: Dataset) -> Iterator[tuple[str, str]]:
    """Every name and what its `files` says, those of lookups after their source."""
    for name, source in {**dataset.sources, **dataset.attributes}.items():
        yield name, source.files
        yield from ((f"{name}.{inner}", lookup.files) for inner, lookup in (source.lookups or {}).items())


def _check_inside(source: str, pattern: str, root: Path, paths: list[Path]) -> None:
    """No path leads out of the project, or of the package, through a link."""
    home = root.resolve()
    outside = [path for path in paths if not path.resolve().is_relative_to(home)]
    if outside:
        raise ConfigFault(
            message(
                f"{outside[-1]} is a link, or lies in one, that leaves the project",
                where=f"data.sources.{source}.files is {pattern!r}",
                do="put the files themselves under data/raw/",
            )
        )


def _root(source: str, pattern: str) -> tuple[Path, str]:
    """The folder in which a pattern is looked for, and the pattern in it."""
    inside = pattern.removeprefix(PACKAGE)
    if PurePosixPath(inside).is_absolute() or ".." in PurePosixPath(inside).parts or "\\" in inside:
        raise ConfigFault(
            f"data.sources.{source}.files is {pattern!r}, which leaves the project; "
            f"put the files under data/raw/ and write the path from there, with `/`"
        )
    if not pattern.startswith(PACKAGE):
        return Path(), inside
    package, _, rest = inside.partition("/")
    # Found, not imported: a package of data may bring pandas along, which takes seconds that nobody needs here.
    spec = find_spec(package) if package.isidentifier() else None
    if spec is None or not spec.submodule_search_locations:
        raise ConfigFault(
            f"data.sources.{source}.files names the package {package!r}, which is not installed; "
            f"check the name or install it"
        )
    return Path(spec.submodule_search_locations[0]), rest


def _absent(source: str, pattern: str, place: Path, made_by: str) -> str:
    """What is missing, where it was looked for, what is there instead, and what brings it."""
    folder, wanted = place.parent, place.name
    there = sorted(p.name for p in folder.iterdir() if p.is_file()) if folder.is_dir() else []
    near = get_close_matches(wanted, there, n=1)
    hint = f"did you mean {near[0]}? " if near else ""
    shown = ", ".join(there[:5]) + (f" and {len(there) - 5} more" if len(there) > 5 else "")
    content = f"the folder holds {shown}" if there else "the folder is empty" if folder.is_dir() else "no such folder"
    remedy = f"Run `{made_by}`, which makes the files" if made_by else "Put the file there"
    return (
        f"source {source}: no file {pattern} (looked from {Path.cwd()}); {content}. {hint}"
        f"{remedy}, or correct `files` in conf/data/"
    )


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # a container may run as a number that has no name
        return str(os.getuid())


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    try:
        with path.open("rb") as handle:
            while block := handle.read(_BLOCK_BYTES):
                digest.update(block)
    except PermissionError as error:
        raise DiskFault(
            message(
                f"{path} may not be read",
                where=f"user {_user()}, mode {path.stat().st_mode & 0o777:03o}",
                do=f"run `chmod u+r {path}`, or ask who owns it",
            )
        ) from error
    return digest.hexdigest()
