"""What was made last time is used where it still holds, and nothing but the time shows whether it was."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from contextlib import chdir
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from worlds import events_table, random_events, us

from churn.core.definitions import Definition
from churn.core.features import features, windows
from churn.core.snapshots import COLUMNS, snapshots
from churn.core.touched import remade
from churn.shell import store
from churn.shell.engine import ENGINES
from churn.shell.store import kept
from churn.words.tables import ATTRIBUTES, ROLES
from churn.words.windows import DAY_US, as_of_dates
from pipelines.features import READ

STEP = 30 * DAY_US
UNITS = ("snapshots", "features")
LIVE = Definition("inactivity", 0, 20, live_days=200, roles=("purchase", "usage", "payment"))
LOOKBACK = windows(windows_days=(7, 60), period_days=30, periods=2)
ATTRIBUTE_KEY = ["customer_id", "name", "valid_from", "recorded_at"]


class World(NamedTuple):
    """What is known at one delivery; instants are microseconds."""

    events: pd.DataFrame
    attributes: pd.DataFrame
    observed_until: int

    @property
    def as_of(self):
        return as_of_dates(self.observed_until, every_days=30, earliest=us("2023-06-01"), most=4)

    def tables(self):
        """What the door makes of it."""
        said = self.attributes.drop_duplicates(ATTRIBUTE_KEY).sort_values(ATTRIBUTE_KEY)
        columns = [
            pa.array(said[f.name].tolist(), pa.int64() if pa.types.is_timestamp(f.type) else f.type).cast(f.type)
            for f in ATTRIBUTES.schema
        ]
        inside = self.events[self.events["occurred_at"] < self.observed_until]
        return {"events": events_table(inside), "attributes": pa.table(columns, schema=ATTRIBUTES.schema)}


class Made(NamedTuple):
    """One table as one delivery made it: its bytes, what became of it, and how many units were truly computed."""

    digest: str
    account: kept.Account
    computed: int


def first_world(seed):
    rng = np.random.default_rng(seed)
    events = random_events(seed, customers=5, most=15)
    return World(events, random_attributes(rng, events, 8), us("2024-04-01"))


def random_attributes(rng, events, n):
    day = rng.integers(0, 500, n) * DAY_US + us("2023-01-01")
    said = {
        "customer_id": rng.choice(events["customer_id"].unique(), n),
        "name": rng.choice(["plan", "country"], n),
        "valid_from": day,
        "recorded_at": day + rng.choice([0, 0, 40], n) * DAY_US,
        "value": rng.choice(["gold", "tin", "zinc", "", "z"], n),
    }
    return pd.DataFrame(said)


def more(world, rng, *, late_days=0):
    """A few more events of one customer, and of one who was not there before; late ones were recorded long after."""
    other = random_events(int(rng.integers(1 << 30)), customers=9, most=3)
    there = [str(rng.choice(world.events["customer_id"])), str(rng.choice(other["customer_id"]))]
    new = other[other["customer_id"].isin(there)]
    new = new.assign(event_id="n" + new["event_id"], recorded_at=new["recorded_at"] + late_days * DAY_US)
    return world._replace(events=pd.concat([world.events, new], ignore_index=True))


def nothing(world, rng):
    return world


def late(world, rng):
    return more(world, rng, late_days=int(rng.integers(1, 200)))


def recorded_after_the_newest_as_of(world, rng):
    event = world.events.sample(1, random_state=int(rng.integers(1 << 30)))
    event = event.assign(event_id="late", recorded_at=world.observed_until + int(rng.integers(0, 3)) * DAY_US)
    return world._replace(events=pd.concat([world.events, event], ignore_index=True))


def duplicate(world, rng):
    again = world.events.sample(1, random_state=int(rng.integers(1 << 30)))
    return world._replace(events=pd.concat([world.events, again], ignore_index=True))


def correction(world, rng):
    events, row = world.events.copy(), int(rng.integers(len(world.events)))
    column, value = [("amount_minor", 77), ("channel", "kiosk"), ("category", None), ("event_id", "z"), ("text", "!")][
        int(rng.integers(5))
    ]
    events[column] = events[column].astype(object)
    events.loc[row, column] = value
    return world._replace(events=events)


def vanishing_customer(world, rng):
    gone = rng.choice(world.events["customer_id"])
    events = world.events[world.events["customer_id"] != gone].reset_index(drop=True)
    return world._replace(events=events) if len(events) else world


def attribute(world, rng):
    return world._replace(
        attributes=pd.concat([world.attributes, random_attributes(rng, world.events, 1)], ignore_index=True)
    )


def one_step_on(world, rng):
    return world._replace(observed_until=world.observed_until + STEP)


def seven_days_on(world, rng):
    return world._replace(observed_until=world.observed_until + 7 * DAY_US)


def one_step_back(world, rng):
    return world._replace(observed_until=world.observed_until - STEP)


CHANGES = (
    nothing, more, late, recorded_after_the_newest_as_of, duplicate, correction, vanishing_customer, attribute,
    one_step_on, seven_days_on, one_step_back,
)  # fmt: skip


def making(name, world):
    """The function that the stage hands over, the tables that it takes, and what is computed as a whole."""
    if name == "snapshots":
        told = {"as_of": world.as_of, "observed_until": world.observed_until, "definition": LIVE}
        return partial(snapshots, **told), {"events": COLUMNS}, "customer"
    told = {"lookback": LOOKBACK, "roles": tuple(ROLES), "attribute_names": ("plan", "country")}
    return partial(features, **told), READ, "snapshot"


def made(name, world, *, rows=50_000):
    """The table made with what was kept."""
    make, columns, unit = making(name, world)
    computed = []

    def spying(make, tables, before):
        def counted(*narrowed):
            ids = narrowed[0 if unit == "customer" else 1]["customer_id"]
            computed.append(len(ids.unique()) if unit == "customer" else len(ids))
            return make(*narrowed)

        return remade(counted, tables, before, unit=unit)

    account = store.write_again(name, make, columns, spying, rows)
    return Made(store.digest(store.PATHS[name]), account, sum(computed))


def made_in_full(name, world):
    make, columns, _ = making(name, world)
    store.write_batches(name, (make(*tables) for tables in store.together(columns)))
    return store.digest(store.PATHS[name])


def delivered(world):
    for name, table in world.tables().items():
        store.write(name, table)


def known(world):
    """What each unit of both tables is made of, said as plainly as can be."""
    events, said = (table.to_pylist() for table in world.tables().values())
    of_customers = {c: [] for c in sorted({event["customer_id"] for event in events})}
    for event in events:
        of_customers[event["customer_id"]].append([event[column] for column in COLUMNS])
    of_snapshots = {}
    for customer, as_of in zip(*store.read("snapshots", ["customer_id", "as_of"]).to_pydict().values(), strict=True):
        seen = [
            [e[c] for c in READ["events"]]
            for e in events
            if max(e["occurred_at"], e["recorded_at"]) < as_of and e["customer_id"] == customer
        ]
        told = [s for s in said if max(s["valid_from"], s["recorded_at"]) < as_of and s["customer_id"] == customer]
        of_snapshots[customer, as_of] = seen, told
    return {"snapshots": (world.observed_until, of_customers), "features": (None, of_snapshots)}


def differing(before, now):
    """How many units of now are not as they were; all if something changed that concerns them all."""
    if before is None or before[0] != now[0]:
        return len(now[1])
    return sum(before[1].get(unit) != made_of for unit, made_of in now[1].items())


@pytest.fixture(scope="module")
def hasty():
    """Nothing is forced to the disk: no power will be cut, and thousands of small files are written."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("os.fsync", lambda number: None)
        yield


@settings(max_examples=200)
@given(
    seed=st.integers(0, 10_000),
    changes=st.lists(st.lists(st.sampled_from(CHANGES), min_size=1, max_size=3), min_size=1, max_size=3),
    rows=st.sampled_from([1, 12, 50_000]),
)
def test_after_each_delivery_the_files_are_those_of_a_full_rebuild_and_only_what_is_touched_is_computed(
    hasty, seed, changes, rows
):
    rng = np.random.default_rng(seed)
    world, before = first_world(seed), {"snapshots": None, "features": None}
    with tempfile.TemporaryDirectory() as folder, chdir(folder):
        for change in [(nothing,), *changes]:
            for step in change:
                world = step(world, rng)
            delivered(world)
            found = {"snapshots": made("snapshots", world, rows=rows)}
            found["features"] = made("features", world, rows=rows)
            now = known(world)
            assert {name: one.computed for name, one in found.items()} == {
                name: differing(before[name], now[name]) for name in found
            }
            assert {name: one.digest for name, one in found.items()} == {n: made_in_full(n, world) for n in found}
            before = now


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project with a world, of which both tables were made."""
    monkeypatch.chdir(tmp_path)
    world = first_world(3)
    delivered(world)
    for name in ("snapshots", "features"):
        assert made(name, world).computed > 0
    return world


def test_what_nothing_touched_is_not_computed(project):
    again = made("features", project)
    assert (again.computed, again.account.rows_kept) == (0, again.account.rows)
    assert again.digest == made_in_full("features", project)


@pytest.mark.parametrize("ending", [".parquet", ".digests.parquet", ".json"])
@pytest.mark.parametrize("harm", ["gone", "cut", "changed"])
def test_what_was_kept_and_is_damaged_is_never_used(project, ending, harm):
    path = kept.FOLDER / f"features{ending}"
    held = path.read_bytes()
    path.unlink()
    if harm != "gone":
        middle = len(held) // 2
        changed = held[:middle] + bytes([held[middle] ^ 1]) + held[middle + 1 :]
        path.write_bytes(held[:-7] if harm == "cut" else changed)
    again = made("features", project)
    assert again.account.rows_kept == 0
    assert again.digest == made_in_full("features", project)
    assert made("features", project).computed == 0


@pytest.mark.parametrize("text", ["", "null", "[1]", '{"made_by": 1}', "\xff"])
def test_a_note_that_says_something_else_is_never_used(project, text):
    (kept.FOLDER / "features.json").write_text(text, encoding="latin-1")
    assert made("features", project).account.rows_kept == 0


def test_the_folder_may_be_deleted_at_any_moment(project):
    for path in kept.FOLDER.iterdir():
        path.unlink()
    kept.FOLDER.rmdir()
    again = made("features", project)
    assert (again.account.rows_kept, again.digest) == (0, made_in_full("features", project))


def test_another_parameter_computes_everything_again(project, monkeypatch):
    monkeypatch.setattr(sys.modules[__name__], "LOOKBACK", windows(windows_days=(7, 61), period_days=30, periods=2))
    again = made("features", project)
    assert (again.account.rows_kept, again.digest) == (0, made_in_full("features", project))


@pytest.mark.parametrize("what", ["_code", "version"])
def test_other_code_or_packages_compute_everything_again(project, monkeypatch, what):
    monkeypatch.setattr(kept, what, lambda *_: "another")
    assert made("features", project).account.rows_kept == 0


def test_the_digest_of_the_code_changes_with_any_file_of_it(tmp_path, monkeypatch):
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "a.py").write_text("1")
    monkeypatch.setattr("churn.__path__", [str(tmp_path)])
    found = [kept._code.__wrapped__()]
    (tmp_path / "inner" / "a.py").write_text("2")
    found.append(kept._code.__wrapped__())
    (tmp_path / "inner" / "a.py").rename(tmp_path / "inner" / "b.py")
    found.append(kept._code.__wrapped__())
    assert len(set(found)) == 3


def test_a_fault_while_writing_leaves_the_file_and_what_was_kept(project, monkeypatch):
    before = Path(store.PATHS["features"]).read_bytes()

    def broken(make, tables, before):
        raise ZeroDivisionError

    make, columns, _ = making("features", project)
    with pytest.raises(ZeroDivisionError):
        store.write_again("features", make, columns, broken)
    assert Path(store.PATHS["features"]).read_bytes() == before
    assert sorted(os.listdir("data/kept")) == sorted(
        f"{name}{ending}" for name in UNITS for ending in (".parquet", ".digests.parquet", ".json")
    )


@pytest.mark.parametrize("step", ["tables.replaced", "kept.replaced", "os.link", "os.replace", "kept.write_json"])
def test_a_run_that_is_killed_at_any_step_leaves_nothing_that_misleads_the_next(project, step, monkeypatch):
    """In a process of its own, which ends at the step as `kill -9` ends it: nothing of it is tidied up."""
    killed = f"""
import os, signal, sys
import test_kept as here
from churn.shell import store
from churn.shell.store import kept, tables
module, name = {step!r}.split(".")
def die(*arguments, **keywords):
    os.kill(os.getpid(), signal.SIGKILL)
world = here.one_step_on(here.first_world(3), None)
here.delivered(world)
setattr({{"os": os, "kept": kept, "tables": tables}}[module], name, die)
here.made("snapshots", world)
"""
    paths = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "core"), str(Path(__file__).parents[2])]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(paths)}
    ended = subprocess.run([sys.executable, "-c", killed], env=environment, capture_output=True, check=False)
    assert ended.returncode == -signal.SIGKILL, ended.stderr.decode()
    world = one_step_on(project, None)
    delivered(world)
    for name in ("snapshots", "features"):
        assert made(name, world).digest == made_in_full(name, world)


def test_what_cannot_be_linked_is_copied_and_what_cannot_be_kept_is_made_again(project, monkeypatch):
    def refuse(*_):
        raise OSError("not here")

    monkeypatch.setattr("os.link", refuse)
    world = late(project, np.random.default_rng(1))
    delivered(world)
    made("snapshots", world)
    assert made("features", world).account.rows_kept > 0
    assert made("features", world).computed == 0
    monkeypatch.setattr("shutil.copyfile", refuse)
    made("features", world)
    assert not (kept.FOLDER / "features.json").exists()
    assert made("features", world).account.rows_kept == 0


def test_the_engine_of_one_machine_keeps_only_when_told_and_says_what_it_did(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    world = first_world(3)
    delivered(world)
    make, columns, unit = making("snapshots", world)
    given = {"kind": "duckdb", "memory_limit": "1GB", "threads": None, "temporary_folder": None, "temporary_most": None}
    ENGINES["duckdb"](**given, incremental=False).write("snapshots", make, columns, partial(remade, unit=unit))
    assert (kept.FOLDER.exists(), capsys.readouterr().out) == (False, "")
    for recomputed in (5, 0):
        ENGINES["duckdb"](**given, incremental=True).write("snapshots", make, columns, partial(remade, unit=unit))
        rows = store.read("snapshots").num_rows
        told = f"snapshots: recomputed {recomputed} of 5 customers, kept {0 if recomputed else rows} of {rows} rows\n"
        assert capsys.readouterr().out == told
    about = json.loads((kept.FOLDER / "snapshots.json").read_text())
    assert about["rows"] == store.digest(store.PATHS["snapshots"])
