"""A case of the catalogue: its folder becomes a project, its command is run, and what happened is told."""

import copy
import gzip
import os
import shutil
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
CHURN = (sys.executable, "-c", "from churn.cli import main; main()")
DOOR = ("raw", "events")
LINE = (*DOOR, "snapshots", "split", "features", "model", "evaluation", "scores")
"""Stages by what a case says under `run`; the line ends where the list would be made."""


class Outcome(NamedTuple):
    """How a command ended: its exit code, and everything that it said."""

    code: int
    said: str


def load(number: str) -> dict[str, Any]:
    """The case as its folder declares it."""
    return yaml.safe_load((HERE / number / "case.yaml").read_text(encoding="utf-8"))


def laid_out(case: dict[str, Any], number: str, folder: Path) -> None:
    """Write the project of a case into an empty folder, which is the working directory."""
    for source in sorted((HERE / number).rglob("*")):
        inside = source.relative_to(HERE / number)
        if source.is_file() and inside.name != "case.yaml":
            put(folder / inside, source.read_bytes())
    for name, recipe in case.get("make", {}).items():
        put(folder / name, made(recipe))
    for name, target in case.get("links", {}).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).symlink_to(target)
    params = merged(copy.deepcopy(base()), {"data": case.get("data", {}), **case.get("params", {})})
    from churn.shell.config import dump

    put(folder / "params.yaml", dump(params).encode())
    if case.get("project"):
        _project(case, folder)


def _project(case: dict[str, Any], folder: Path) -> None:
    """Make the folder a copy of the project, with its own configuration and the edits of the case."""
    for name in ("conf", "dvc.yaml", "params.yaml", ".dvc/config"):
        source, target = ROOT / name, folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, dirs_exist_ok=True)
        else:
            shutil.copy(source, target)
    edits = dict(case.get("edit", {}))
    for group, member in case.get("choose", {}).items():
        edits["conf/config.yaml"] = {f"- {group}: complete_journey": f"- {group}: {member}"}
    for name, changes in edits.items():
        text = (folder / name).read_text(encoding="utf-8")
        for before, after in changes.items():
            assert before in text, f"{before!r} is not in {name}; the case must change with it"
            text = text.replace(before, after, 1)
        put(folder / name, text.encode())


def put(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


@cache
def base() -> dict[str, Any]:
    """The configuration of every case: that of the project, with a shop for its data and a quick model."""
    params = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    params["data"] = yaml.safe_load((HERE / "shop.yaml").read_text(encoding="utf-8"))
    params["model"] = yaml.safe_load((ROOT / "conf/model/logistic.yaml").read_text(encoding="utf-8"))
    params["evaluation"] |= {"bootstrap": 100, "influence_rows": 50, "capacity": 20}
    params["snapshots"] |= {"most": 16}
    params["split"] |= {"train_as_ofs": 2}
    params["tracking"]["enabled"] = False
    params["engine"] = yaml.safe_load((ROOT / "conf/engine/duckdb.yaml").read_text(encoding="utf-8"))
    params["engine"]["memory_limit"] = "1GB"
    return params


def merged(under: Any, over: Any) -> Any:
    """`under` with what `over` says; a section that says `+: null` first is replaced whole."""
    if not isinstance(under, dict) or not isinstance(over, dict):
        return over
    if "+" in over:
        return {key: value for key, value in over.items() if key != "+"}
    changed = {key: merged(under.get(key), value) for key, value in over.items()}
    return {key: value for key, value in {**under, **changed}.items() if value != "(none)"}


# -- what files are made of --------------------------------------------------------------------------------------------


def made(recipe: Any) -> bytes:
    """The bytes of a file by its recipe: parts, one after the other, and then what is done to all of them."""
    parts = recipe if isinstance(recipe, list) else recipe.get("parts", [])
    content = b"".join(part(p) for p in parts)
    if isinstance(recipe, list):
        return content
    if "columns" in recipe:
        content = parquet(recipe["columns"], recipe.get("times", 1), recipe.get("compression", "snappy"))
    if "encode" in recipe:
        content = content.decode("utf-8").encode(recipe["encode"])
    if "line_end" in recipe:
        content = content.replace(b"\n", recipe["line_end"].encode())
    if recipe.get("gzip"):
        content = gzip.compress(content, mtime=0)
    return content[: recipe["cut"]] if "cut" in recipe else content


def part(said: Any) -> bytes:
    """One part: text, bytes in hexadecimal digits, a text many times, numbered rows, or orders of a shop's year."""
    if isinstance(said, str):
        return said.encode()
    if "hex" in said:
        return bytes.fromhex(said["hex"])
    if "repeat" in said:
        return said["repeat"].encode() * said["times"]
    if "rows" in said:
        return rows(said["rows"], **{key: value for key, value in said.items() if key != "rows"}).encode()
    if "knowing" in said:
        return knowing(**said["knowing"]).encode()
    return shop(**said["shop"]).encode()


def rows(n: int, like: str = "c{c},{day} 12:00,{i},9.90\n", first: int = 1, customers: int = 50,
         start: str = "2024-01-01", days: int = 182, without: tuple[str, ...] = ()) -> str:  # fmt: skip
    """Rows numbered from `first`, spread evenly over days and customers; those of some days are left out."""
    begin = datetime.fromisoformat(start)
    texts = []
    for i in range(first, first + n):
        day = (begin + timedelta(days=(i - first) * days // n)).date().isoformat()
        if day not in without:
            values = {"c": i * 7 % customers, "i": i, "day": day, "d": day[8:], "m": day[5:7]}
            values["s"] = int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp())
            texts.append(like.format(**values))
    return "".join(texts)


def parquet(columns: dict[str, Any], times: int, compression: str) -> bytes:
    """A Parquet file whose columns are lists (repeated `times` times), or `{type: …, values: […]}`."""
    arrays = {}
    for name, said in columns.items():
        values = said["values"] if isinstance(said, dict) else said
        kind = getattr(pa, said["type"])() if isinstance(said, dict) else None
        if isinstance(values, dict):  # a single long text
            values = [values["repeat"] * values["times"]]
        one = pa.array(values, kind)
        arrays[name] = pa.DictionaryArray.from_arrays(np.tile(np.arange(len(one), dtype=np.int32), times), one)
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table(arrays), sink, compression=compression)
    return sink.getvalue().to_pybytes()


BEGAN = datetime(2023, 7, 1, tzinfo=UTC)


def shop(**world: Any) -> str:
    """Orders of the customers of a world, with a header."""
    lines = ["customer,at,number,amount"]
    for number, (customer, day, amount) in enumerate(bought(**world), start=1):
        lines.append(f"c{customer},{BEGAN + timedelta(days=day):%Y-%m-%d %H:%M},{number},{amount:.2f}")
    return "\n".join(lines) + "\n"


def bought(
    customers: int = 400, days: int = 366, stays: float = 0.5, stops: int | None = None, leave_at: int | None = None,
    every: float = 12.0, seed: int = 1,
) -> list[tuple[int, float, float]]:  # fmt: skip
    """Customer, day and amount: everybody buys `every` so many days, and all but `stays` leave at some time.

    From day `stops` on nobody buys: the feed has stopped. On day `leave_at` all leave who do not stay.
    """
    rng = np.random.default_rng(seed)
    found = []
    for customer in range(customers):
        day = float(rng.uniform(0, 60))
        last = days if rng.random() < stays else float(rng.uniform(40, days))
        last = min(last if leave_at is None or last == days else leave_at, days if stops is None else stops)
        while day < last:
            found.append((customer, day, float(rng.gamma(2, 20))))
            day += float(rng.exponential(every)) + 0.01
    return found


def knowing(horizon_days: int = 28, **world: Any) -> str:
    """A table of accounts whose plan says, at every time, whether the customer will buy within the horizon."""
    lines = ["id,since,plan"]
    by_customer: dict[int, list[float]] = {}
    for customer, day, _ in bought(**world):
        by_customer.setdefault(customer, []).append(day)
    for customer, days in by_customer.items():
        for day, following in zip(days, [*days[1:], 10_000.0], strict=True):
            gone = following - day > horizon_days
            lines.append(f"c{customer},{BEGAN + timedelta(days=day):%Y-%m-%d %H:%M:%S.%f},{'gone' if gone else 'here'}")
            if gone and following < 10_000:
                back = BEGAN + timedelta(days=following - horizon_days)
                lines.append(f"c{customer},{back:%Y-%m-%d %H:%M:%S.%f},here")
    return "\n".join(lines) + "\n"


# -- commands ----------------------------------------------------------------------------------------------------------


def run(case: dict[str, Any], folder: Path) -> Outcome:
    """What the command of a case does: stages within this process, or a command line in one of its own."""
    command = case.get("run", "door")
    if isinstance(command, list):
        return commanded(command, folder, case.get("environment", {}), _pretended(case))
    stages = {"door": DOOR, "line": LINE}[command]
    with circumstances(case):
        return told(lambda: made_all(stages, strict=case.get("strict", False)))


@contextmanager
def circumstances(case: dict[str, Any]) -> Iterator[None]:
    """What happens around a command: a file that changes or may not be read, a model that answers nonsense."""
    import churn.core.scores
    from churn.shell.engine import doors, on_duckdb  # noqa: F401

    with pytest.MonkeyPatch.context() as patch:
        if "forbidden" in case:
            _forbid(patch, Path(case["forbidden"]))
        if "disturbed" in case:
            _disturb(patch, Path(case["disturbed"]))
        for name, value in case.get("pretend", {}).items():
            patch.setattr(churn.core.scores.door, name, partial(_always, value))
        yield


def _always(value: float, _: Any, asked: Any) -> np.ndarray:
    """The same answer for every row of a table, or every margin."""
    return np.full(len(asked), value)


def _forbid(patch: pytest.MonkeyPatch, path: Path) -> None:
    """The file may not be read, not even by root, who may read all."""
    path.chmod(0)
    opened = Path.open

    def refused(self: Path, *args: Any, **kwargs: Any) -> Any:
        if self.name == path.name:
            raise PermissionError(13, "Permission denied", str(self))
        return opened(self, *args, **kwargs)

    patch.setattr(Path, "open", refused)


def _disturb(patch: pytest.MonkeyPatch, path: Path) -> None:
    """Somebody adds a row whenever a batch of the file is checked."""
    from churn.core.events import checked

    stage = import_module("pipelines.events")

    def disturbed(rows: pa.Table, *args: Any, **kwargs: Any) -> Any:
        with path.open("a", encoding="utf-8") as file:
            file.write("z,2024-01-05,99,1\n")
        return checked(rows, *args, **kwargs)

    patch.setattr(stage, "checked", disturbed)


def _pretended(case: dict[str, Any]) -> str:
    """Code that makes a package, or Python, another version than it is."""
    lines = ["import importlib.metadata as m, sys"]
    for name, version in case.get("package", {}).items():
        lines.append(f"known = m.version; m.version = lambda n: {version!r} if n == {name!r} else known(n)")
    if "python" in case:
        lines.append(f"sys.version_info = {tuple(case['python'])!r}")
    return "\n".join(lines) + "\n"


def commanded(command: list[str], folder: Path, environment: dict[str, str], pretended: str = "") -> Outcome:
    """A command line in a process of its own, once it has ended; `pretended` is run before it."""
    path = os.pathsep.join(p for p in sys.path if p)
    env = os.environ | {"PYTHONPATH": path, "DVC_SITE_CACHE_DIR": str(folder / ".dvc/site")} | environment
    # Above the folder there may be a repository, such as that of the project itself.
    env |= {"GIT_CEILING_DIRECTORIES": str(folder.parent)}
    done = subprocess.run(
        [sys.executable, "-c", pretended + CHURN[-1], *command],
        cwd=folder,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    return Outcome(done.returncode, done.stdout + done.stderr)


def told(act: Callable[[], str]) -> Outcome:
    """What `act` says, or the fault that it ends with, as the border of a stage tells it."""
    from churn.shell.runs import explained
    from churn.shell.runs import told as in_words

    try:
        return Outcome(0, act())
    except Exception as error:  # noqa: BLE001 - the border of a command
        fault = explained(error)
        if fault is None:
            return Outcome(1, traceback.format_exc())
        return Outcome(int(fault.code), in_words(fault))


def made_all(stages: tuple[str, ...], *, strict: bool) -> str:
    """What a run says of the stages, once they are made."""
    from churn.cli import reference
    from churn.cli.told import account, check_warnings

    os.environ["DVC_EXP_NAME"] = "case"  # params.yaml need not be what a conf/ says that is not there
    try:
        for stage in stages:
            import_module(f"pipelines.{stage}").main()
    finally:
        del os.environ["DVC_EXP_NAME"]
    reference.check()
    reference.keep()
    said = account()
    if strict:
        check_warnings(said.warnings)
    return said.text
