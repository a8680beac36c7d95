"""Deliveries: lists published whole, one folder per `as_of`, each proven by the digests in its manifest.

    deliveries/2018-01-01 -> .versions/2018-01-01-8c1f0e5a7b21     what people and programs read
    deliveries/latest     -> 2018-01-01                            the one that was published last

A version is written under a temporary name, forced to the disk, read back, and only then does the link change, in one
step. So a reader finds the old list or the new one, whatever fails before. Equal lists give equal bytes in every file,
the manifest included: it holds no clock and no number of a run.
"""

import os
import shutil
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from churn.shell.store.files import digest, read_json, write_json
from churn.shell.store.whole import beside, force, force_folder, reading, writing
from churn.words.errors import DiskFault, Fault, IntegrityFault, NotEnoughData

if TYPE_CHECKING:
    import pyarrow as pa

FILES = (
    "index.html",
    "model_card.html",
    "model_card.json",
    "risk_list.csv",
    "risk_list.json",
    "risk_list.parquet",
    "risk_list_en.xlsx",
    "risk_list_zh.xlsx",
)
"""What a delivery must hold for its readers; it may hold more."""
MANIFEST = "manifest.json"
ORIGIN = "origin.json"
"""Which run of MLflow and which commit told the figures of a delivery. It is no part of it: two makers of the same
bytes have different ones."""
LATEST = "latest"
SUPERSEDED = 3
"""Older versions of the same as_of that are kept, to see what a correction changed. More would only fill the disk."""

_VERSIONS = ".versions"


class Published(NamedTuple):
    """Where the list can be read, and whether this call changed anything a reader sees."""

    folder: Path
    is_new: bool


def publish(
    made: Path,
    deliveries: Path,
    *,
    as_of: str,
    rows: int,
    model_version: str,
    params_digest: str,
    data_digest: str,
) -> Published:
    """Make `deliveries/<as_of>` hold the files of `made` and a manifest, in one step; the same list again is a no-op.

    Parameters
    ----------
    made
        Folder that a stage has made.
    deliveries
        Folder of all deliveries.
    as_of
        Local date of the prediction, `yyyy-mm-dd`; names the delivery.
    rows
        Customers on the list.
    model_version, params_digest, data_digest
        Where the list comes from; written into the manifest.

    Raises
    ------
    NotEnoughData
        If the list is empty.
    IntegrityFault
        If a file is missing or empty, or what was written is not what is read back.
    DiskFault
        If the disk refuses. The delivery before is untouched in each case.
    """
    _check(made, as_of, rows)
    about = {"as_of": as_of, "rows": rows, "model_version": model_version}
    manifest = about | {"params_digest": params_digest, "data_digest": data_digest, "files": _files(made)}
    version = _version(made, deliveries / _VERSIONS, manifest)
    link, before = deliveries / as_of, _target(deliveries / as_of)
    swapped = _point(link, f"{_VERSIONS}/{version.name}")
    try:
        verify(link)
    except Fault:
        _point(link, before) if before else link.unlink()
        raise
    newest = _point(deliveries / LATEST, as_of)
    if swapped:
        os.utime(version)  # a version that comes back is the newest again
        _forget(deliveries / _VERSIONS, as_of, version)
    return Published(link, swapped or newest)


def verify(folder: Path) -> None:
    """Check every file of a delivery against its manifest; nothing may be missing, changed or added.

    Raises
    ------
    IntegrityFault
        Naming the files that differ.
    """
    wanted = read_json(folder / MANIFEST)["files"]
    found = _files(folder)
    wrong = sorted(name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name))
    if wrong:
        raise IntegrityFault(
            f"{folder}: {len(wrong)} of {len(wanted)} files are not what {MANIFEST} says: {', '.join(wrong[:5])}. "
            "Run `churn run`, which publishes the list again"
        )


def name_origin(folder: Path, origin: dict[str, object]) -> None:
    """Say beside the files of a delivery who made them; equal words again change nothing."""
    path = folder / ORIGIN
    with suppress(IntegrityFault):  # a damaged one is written anew
        if path.exists() and read_json(path) == origin:
            return
    write_json(path, origin)


def listed(folder: Path, columns: list[str] | None = None) -> "pa.Table":
    """RISK_LIST as it lies in a folder with a list; `columns` narrows it."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = folder / "risk_list.parquet"
    with reading(path):
        try:
            return pq.read_table(path, columns=columns)
        except pa.ArrowInvalid as error:
            raise IntegrityFault(
                f"{path} is not a whole Parquet file: {error}. Remove {folder}, run `churn run`"
            ) from error


def _check(made: Path, as_of: str, rows: int) -> None:
    """Nothing is published that nobody could use."""
    if as_of != date.fromisoformat(as_of).isoformat():
        raise Fault(f"as_of names a folder and must be a date such as 2018-01-31, got {as_of!r}")
    if rows < 1:
        raise NotEnoughData(f"the list for {as_of} is empty, so it is not published; the last delivery stays as it is")
    missing = [name for name in FILES if not (made / name).is_file() or not (made / name).stat().st_size]
    if missing:
        raise IntegrityFault(
            f"{len(missing)} of {len(FILES)} files of the list are missing or empty in {made}: {', '.join(missing)}. "
            f"Nothing was published. Remove {made} and run `churn run`"
        )


def _files(folder: Path) -> dict[str, dict[str, str | int]]:
    """Digest and size in bytes of every file of the folder that belongs to the delivery, by its path in it."""
    return {
        path.relative_to(folder).as_posix(): {"sha256": digest(path), "bytes": path.stat().st_size}
        for path in _delivered(folder)
    }


def _delivered(folder: Path) -> list[Path]:
    about = (folder / MANIFEST, folder / ORIGIN)
    return sorted(path for path in folder.rglob("*") if path.is_file() and path not in about)


def _version(made: Path, versions: Path, manifest: dict[str, object]) -> Path:
    """The folder with these bytes: one that is there and still whole, or a new one."""
    partial = beside(versions / str(manifest["as_of"]), "partial")
    with writing(versions / str(manifest["as_of"]), partial):
        _copy(made, partial, manifest)
        verify(partial)
        name = f"{manifest['as_of']}-{digest(partial / MANIFEST)[:12]}"
        for number in range(1, 1000):  # a number is added only where somebody changed a published file
            version = versions / (name if number == 1 else f"{name}-{number}")
            if not version.exists():
                partial.rename(version)
                force_folder(versions)
                return version
            if _is_same(version, partial):
                return version
    raise Fault(f"{versions} holds a thousand damaged versions named {name}; remove them")


def _copy(made: Path, partial: Path, manifest: dict[str, object]) -> None:
    """Copy content, never links: the stage may rewrite its own files at any time."""
    for path in _delivered(made):
        target = partial / path.relative_to(made)
        target.parent.mkdir(parents=True, exist_ok=True)
        with path.open("rb") as source, target.open("wb") as handle:
            shutil.copyfileobj(source, handle)
            force(handle)
    write_json(partial / MANIFEST, manifest)
    for folder in (partial, *(p for p in partial.rglob("*") if p.is_dir())):
        force_folder(folder)


def _is_same(version: Path, partial: Path) -> bool:
    """Whether a published version still has the bytes that were just made."""
    try:
        return digest(version / MANIFEST) == digest(partial / MANIFEST) and _files(version) == _files(partial)
    except Fault:
        return False


def _target(link: Path) -> str:
    """Where the link points, or nothing."""
    return os.readlink(link) if link.is_symlink() else ""


def _point(link: Path, target: str) -> bool:
    """Make the link point to `target`, relative to its folder, in one step; False when it does already."""
    if _target(link) == target:
        return False
    if link.exists() and not link.is_symlink():
        raise DiskFault(f"{link} is a file or folder that churn did not make, so it is left alone; move it away")
    partial = beside(link, "partial")
    with writing(link, partial):
        try:
            partial.symlink_to(target)
            os.replace(partial, link)
        finally:
            partial.unlink(missing_ok=True)
        force_folder(link.parent)
    return True


def _forget(versions: Path, as_of: str, current: Path) -> None:
    """Remove all but the newest superseded versions of this as_of."""
    others = [p for p in versions.glob(f"{as_of}-*") if p != current]
    newest_first = sorted(others, key=lambda p: (p.stat().st_mtime_ns, p.name), reverse=True)
    for version in newest_first[SUPERSEDED:]:
        shutil.rmtree(version, ignore_errors=True)
