"""Files of any format become sorted events, and what cannot be read is kept with its line."""

import gzip
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from churn.core.dataset import Attributes, EventType, Lookup, Noun, Source, dataset
from churn.core.events import checked, reconciliation
from churn.shell import raw, store
from churn.shell.engine import ENGINES, doors
from churn.shell.engine.queries import N_CONFLICT_IDS
from churn.words.errors import ConfigFault, ContractFault, Fault, IntegrityFault, NotEnoughData, UsageFault
from churn.words.tables import ATTRIBUTES, CODE, EVENTS, INSTANT, QUARANTINE, SNAPSHOTS
from churn.words.windows import instant

ORDERS = """
customer|at|number|amount|group
a|2024-05-01 10:00|1|1.50|toys
b|2024-05-01 10:00|2|2.00|books
a|2024-04-01 09:00|3|3.25|toys
10|2024-05-02 10:00|4|4.00|
"""


@pytest.fixture(params=["duckdb", "spark"])
def each_engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The test runs on both engines; the others are about reading files, which has one implementation."""
    if request.param == "spark":
        monkeypatch.setattr(sys.modules[__name__], "ENGINE", request.getfixturevalue("spark"))


on_each_engine = pytest.mark.usefixtures("each_engine")


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "data/raw").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def put(name: str, content: str | bytes) -> Path:
    path = Path("data/raw") / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def csv_text(table: str = ORDERS) -> str:
    return table.strip().replace("|", ",") + "\n"


def as_table(table: str = ORDERS) -> pa.Table:
    return pa.csv.read_csv(pa.BufferReader(csv_text(table).encode()))


def world(attributes: dict[str, Attributes] | None = None, files: str = "data/raw/orders*", **source: Any) -> Any:
    given = {
        "files": files,
        "customer_id": "customer",
        "occurred_at": "at",
        "event_types": {"order": EventType("purchase")},
        "amount": "amount",
        "category": "group",
        "event_id": "number",
        **source,
    }
    given = {key: value for key, value in given.items() if value is not None}
    return dataset(
        name="shop",
        time_zone="UTC",
        observed_from="2024-01-01",
        observed_until="2025-01-01",
        currency="EUR",
        nouns={"purchase": Noun("order", "orders", "订单")},
        sources={"orders": Source(**given)},
        attributes=attributes or {},
    )


ENGINE = ENGINES["duckdb"](
    kind="duckdb", memory_limit="1GB", threads=None, temporary_folder=None, temporary_most=None, incremental=False
)


def found(data: Any, check: Callable[..., Any] = checked) -> tuple[pa.Table, pa.Table, pa.Table, dict[str, Any]]:
    """Events, attributes, quarantine as whole tables, and the counts."""
    with ENGINE.events(data, check=check, inventory=raw.inventory(data)) as result:
        tables = [pa.concat_tables(part) for part in (result.events, result.attributes, result.quarantine)]
    for table, declared in zip(tables, (EVENTS, ATTRIBUTES, QUARANTINE), strict=True):
        declared.check(table)
    events, attributes, quarantine = tables
    return events, attributes, quarantine, result.counts


def told(events: pa.Table, *columns: str) -> list[tuple[Any, ...]]:
    return list(zip(*[events[c].to_pylist() for c in columns], strict=True))


def faults(quarantine: pa.Table) -> list[tuple[int, str]]:
    return list(zip(quarantine["line"].to_pylist(), quarantine["reason"].to_pylist(), strict=True))


# ---- the same events, however they come


@on_each_engine
def test_events_are_sorted_by_the_bytes_of_customer_then_time() -> None:
    put("orders.csv", csv_text())
    events, _, _, counts = found(world())
    assert told(events, "customer_id", "amount_minor", "category", "event_id") == [
        ("10", 400, None, "4"), ("a", 325, "toys", "3"), ("a", 150, "toys", "1"), ("b", 200, "books", "2"),
    ]  # fmt: skip
    assert events["occurred_at"].cast(pa.int64())[1].as_py() == instant("2024-04-01T09:00", "UTC")
    assert counts["orders"]["rows"] == counts["orders"]["kept"] == counts["orders"]["events"] == 4


def test_one_file_and_many_in_any_format_and_any_order_give_the_same_bytes() -> None:
    table = as_table()
    lines = [{k: v for k, v in row.items() if v != ""} for row in table.to_pylist()]
    writers: dict[str, Callable[[pa.Table, str], Any]] = {
        "csv": lambda t, n: pa.csv.write_csv(t, f"data/raw/{n}.csv"),
        "csv.gz": lambda t, n: put(f"{n}.csv.gz", gzip.compress(_csv_bytes(t))),
        "parquet": lambda t, n: pq.write_table(t, f"data/raw/{n}.parquet"),
    }
    put("jsonl/orders.jsonl", "\n".join(json.dumps(row, default=str) for row in lines) + "\n\n")
    results = [found(world(files="data/raw/jsonl/orders*"))[0]]
    for write in writers.values():
        for parts in ([table], [table.take([3, 1, 2, 0])], [table.slice(2), table.slice(0, 2)]):
            for old in Path("data/raw").glob("orders*"):
                old.unlink()
            for place, part in enumerate(parts):
                write(part, f"orders_{place}")
            results.append(found(world())[0])
    assert len(results) == 1 + 3 * 3
    assert all(r.equals(results[0]) for r in results)


def test_without_ids_the_format_does_not_matter_either() -> None:
    put("orders.csv", csv_text())
    from_csv = found(world(event_id=None))[0]
    Path("data/raw/orders.csv").unlink()
    pq.write_table(as_table(), "data/raw/orders.parquet")
    assert found(world(event_id=None))[0].equals(from_csv)


def _csv_bytes(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    pa.csv.write_csv(table, sink)
    return sink.getvalue().to_pybytes()


def test_pieces_have_the_same_dictionaries_and_break_at_the_same_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    put("orders.csv", csv_text())
    whole = found(world())[0]
    monkeypatch.setattr(doors, "PIECE_ROWS", 3)
    data = world()
    with ENGINE.events(data, check=checked, inventory=raw.inventory(data)) as result:
        pieces = list(result.events)
    assert [p.num_rows for p in pieces] == [3, 1]
    assert pieces[1]["category"].chunk(0).dictionary.to_pylist() == ["books", "toys"]
    assert pa.concat_tables(pieces).equals(whole)


def test_byte_order_mark_line_ends_and_quotes_are_read() -> None:
    put(
        "orders.csv",
        "\ufeff" + csv_text('customer|at|number|amount|group\n"a"|2024-05-01|1|1|"x, ""y"""').replace("\n", "\r\n"),
    )
    events, _, quarantine, _ = found(world())
    assert told(events, "customer_id", "category") == [("a", 'x, "y"')]
    assert quarantine.num_rows == 0


def test_another_delimiter_is_declared() -> None:
    put("orders.csv", ORDERS.strip().replace("|", ";"))
    assert found(world(delimiter=";"))[0].num_rows == 4


# ---- duplicates, conflicts, merging, lookups


@on_each_engine
def test_exact_duplicates_are_dropped_and_counted() -> None:
    put("orders.csv", csv_text())
    once = found(world())[0]
    put("orders_again.csv", csv_text() + "\n")
    twice, _, _, counts = found(world())
    assert twice.equals(once)
    assert (counts["orders"]["rows"], counts["orders"]["duplicates"], counts["orders"]["conflicts"]) == (4 + 4, 4, 0)


@on_each_engine
def test_of_rows_with_one_id_the_latest_recorded_stands_and_the_others_were_in_force_until_the_next() -> None:
    head = "customer|at|number|amount|group|entered\n"
    body = ["a|2024-05-01|1|1|x|2024-05-02", "a|2024-05-01|1|2|x|2024-05-04", "a|2024-05-01|1|3|x|2024-05-03"]
    for order in (body, body[::-1]):
        put("orders.csv", csv_text(head + "\n".join(order)))
        events, _, _, counts = found(world(recorded_at="entered"))
        day = {n: instant(f"2024-05-0{n}", "UTC") for n in (3, 4)}
        until = events["superseded_at"].cast(pa.int64()).to_pylist()
        assert told(events, "amount_minor") == [(100,), (300,), (200,)]
        assert until == [day[3], day[4], None]
        assert (counts["orders"]["duplicates"], counts["orders"]["conflicts"]) == (2, 2)
        assert counts["orders"]["conflict_ids"] == ["1"]


@on_each_engine
def test_a_row_that_is_delivered_again_later_changes_nothing_of_when_it_was_known() -> None:
    head = "customer|at|number|amount|group|entered\n"
    put("orders.csv", csv_text(head + "a|2024-05-01|1|1|x|2024-05-02"))
    once = found(world(recorded_at="entered"))[0]
    put("orders_again.csv", csv_text(head + "a|2024-05-01|1|1|x|2024-05-09"))
    twice, _, _, counts = found(world(recorded_at="entered"))
    assert twice.equals(once)
    assert (counts["orders"]["duplicates"], counts["orders"]["conflicts"]) == (1, 0)
    assert counts["orders"]["conflict_ids"] == []


@on_each_engine
def test_ids_of_rows_that_say_something_else_are_listed_in_their_order_up_to_a_limit() -> None:
    n = N_CONFLICT_IDS + 2
    ids = [f"{i:04d}" for i in range(n)]
    rows = [f"a|2024-05-01|{one}|{amount}|x" for one in reversed(ids) for amount in (1, 2)]
    put("orders.csv", csv_text("customer|at|number|amount|group\n" + "\n".join(rows)))
    counts = found(world())[3]["orders"]
    assert (counts["conflicts"], counts["conflict_ids"]) == (n, ids[:N_CONFLICT_IDS])


@on_each_engine
def test_what_was_said_again_after_a_correction_is_in_force_again() -> None:
    head = "customer|at|number|amount|group|entered\n"
    body = ["a|2024-05-01|1|1|x|2024-05-02", "a|2024-05-01|1|2|x|2024-05-03", "a|2024-05-01|1|1|x|2024-05-04"]
    put("orders.csv", csv_text(head + "\n".join(body)))
    assert told(found(world(recorded_at="entered"))[0], "amount_minor") == [(100,), (200,), (100,)]


@on_each_engine
def test_equal_rows_may_be_declared_to_be_separate_events() -> None:
    put("orders.csv", csv_text("customer|at|amount\na|2024-05-01|1\na|2024-05-01|1\na|2024-05-01|2"))
    source = {"event_id": None, "category": None}
    assert found(world(**source))[0].num_rows == 2
    events = found(world(**source, equal_rows="separate"))[0]
    assert sorted(told(events, "amount_minor")) == [(100,), (100,), (200,)]
    assert len(set(told(events, "event_id"))) == 3


@on_each_engine
def test_lines_of_one_basket_become_one_event() -> None:
    put(
        "orders.csv",
        csv_text(
            "customer|at|number|line|amount|group|n\n"
            "a|2024-05-01 10:05|7|1|1.10|toys|1\na|2024-05-01 10:01|7|2|2.20|books|2\n"
            "a|2024-05-01 10:09|7|3|1.10|toys|-1\n"
            "a|2024-05-01 10:05|8|1|1|zoo|1\na|2024-05-01 10:05|8|2|1|apes|1\na|2024-05-01 10:05|8|3|9||1"
        ),
    )
    data = world(event_id=("number", "line"), merge_by="number", quantity="n")
    events, _, _, counts = found(data)
    assert told(events, "event_id", "amount_minor", "quantity_milli", "category") == [
        ("7", 110 + 220 + 110, (1 + 2 - 1) * 1000, "books"), ("8", 100 + 100 + 900, 3000, "apes"),
    ]  # fmt: skip
    assert events["occurred_at"].cast(pa.int64())[0].as_py() == instant("2024-05-01T10:01", "UTC")
    assert events["recorded_at"].cast(pa.int64())[0].as_py() == instant("2024-05-01T10:09", "UTC")
    assert (counts["orders"]["kept"], counts["orders"]["events"]) == (6, 2)


@on_each_engine
def test_a_lookup_gives_columns_and_a_key_without_match_gives_null() -> None:
    put("orders.csv", csv_text("customer|campaign\na|1\nb|2\nc|9"))
    pq.write_table(
        pa.table({"id": [1.0, 2.0], "start": ["2024-05-01", "2024-06-01"], "kind": ["A", None]}),
        "data/raw/campaigns.parquet",
    )
    lookups = {"campaign": Lookup("data/raw/campaigns.parquet", key="campaign", key_there="id")}
    data = world(
        amount=None,
        event_id=("customer", "campaign"),
        occurred_at="campaign.start",
        category="campaign.kind",
        lookups=lookups,
    )
    events, _, quarantine, _ = found(data)
    assert told(events, "customer_id", "category") == [("a", "A"), ("b", None)]
    assert faults(quarantine) == [(4, "occurred_at_blank")]


@on_each_engine
def test_a_lookup_with_a_key_twice_is_refused() -> None:
    put("orders.csv", csv_text())
    put("groups.csv", "group,name\ntoys,x\ntoys,y\n")
    data = world(category="groups.name", lookups={"groups": Lookup("data/raw/groups.csv", key="group")})
    with pytest.raises(
        ContractFault, match=r"lookup orders.groups: 1 values of group stand in it more than once \(such as toys\)"
    ):
        found(data)


@on_each_engine
def test_attributes_keep_a_value_only_where_it_changes() -> None:
    put("orders.csv", csv_text())
    put(
        "plans.csv",
        "c,since,plan\na,2023-01-01,basic\na,2023-02-01,basic\na,2023-03-01,gold\na,2023-03-01,gold\nb,2024-01-01,\n",
    )
    said = Attributes("data/raw/plans.csv", "c", "since", {"plan": "plan"})
    _, attributes, _, counts = found(world({"plans": said}))
    assert told(attributes, "customer_id", "name", "value") == [("a", "plan", "basic"), ("a", "plan", "gold")]
    assert counts["plans"]["rows"] == 5


# ---- rows that cannot be read


@on_each_engine
def test_rows_that_cannot_be_divided_are_kept_with_their_line() -> None:
    put(
        "orders.csv",
        b"customer,at,number,amount,group\na,2024-05-01,1,1,x\nb,2024-05-01\n"
        b"c,2024-05-01,3,1,x,y,z\nd,2024-05-01,4,1,\xff\ne,today,5,1,x\n",
    )
    events, _, quarantine, counts = found(world())
    assert told(events, "customer_id") == [("a",)]
    assert faults(quarantine) == [
        (3, "too_few_columns"),
        (4, "too_many_columns"),
        (5, "not_utf8"),
        (6, "occurred_at_unreadable"),
    ]
    assert json.loads(quarantine["raw"][0].as_py()) == {"line": "b,2024-05-01"}
    assert counts["orders"]["rows"] == 5 == counts["orders"]["kept"] + sum(counts["orders"]["quarantined"].values())


def test_a_quote_that_is_not_closed_swallows_no_rows_silently() -> None:
    put("orders.csv", csv_text() + 'c,2024-05-01,5,1,"open\nd,2024-05-01,6,1,x\n')
    with pytest.raises(ContractFault, match=r"quote_not_closed.*orders\.csv:6 .*up to 1 of 6 lines"):
        found(world())


def test_a_quote_that_is_not_closed_in_the_last_line_is_one_row() -> None:
    put("orders.csv", csv_text() + 'c,2024-05-01,5,1,"open\n')
    events, _, quarantine, _ = found(world())
    assert events.num_rows == 4
    assert faults(quarantine) == [(6, "quote_not_closed")]


def test_a_broken_line_of_json_is_one_line() -> None:
    put(
        "orders.jsonl",
        '{"customer": "007", "at": "2024-05-01", "number": 12345678901234567890, "amount": 1.5, "group": null}\n'
        '{"customer": \n[1]\n',
    )
    events, _, quarantine, counts = found(world())
    assert told(events, "customer_id", "event_id", "amount_minor") == [("007", "12345678901234567890", 150)]
    assert faults(quarantine) == [(2, "no_json_object"), (3, "no_json_object")]
    assert counts["orders"]["rows"] == 3


def test_line_numbers_hold_in_a_large_file() -> None:
    n = 300_000
    rows = [f"c{i},2024-05-01,{i},{'x' if i == 271_828 else 1},g" for i in range(n)]
    rows[100_000] = "short"
    put("orders.csv", "customer,at,number,amount,group\n" + "\n".join(rows) + "\n")
    _, _, quarantine, counts = found(world())
    assert faults(quarantine) == [(100_000 + 2, "too_few_columns"), (271_828 + 2, "amount_unreadable")]
    assert counts["orders"]["rows"] == n


# ---- files that cannot be read


@pytest.mark.parametrize(
    ("name", "content", "fault", "said"),
    [
        ("orders.csv", b"", ContractFault, "is empty, 0 bytes"),
        ("orders.csv", b"  \n", ContractFault, "holds nothing"),
        ("orders.csv", b"<!DOCTYPE html><html>", ContractFault, "looks like an HTML page"),
        ("orders.csv", csv_text().encode("utf-16"), ContractFault, "UTF-16"),
        ("orders.csv", "客户,at\n1,2\n".encode("gbk"), ContractFault, "is not UTF-8; it may be GBK"),
        ("orders.csv", ORDERS.strip().replace("|", ";").encode(), ContractFault, "declare `delimiter: ';'`"),
        ("orders.csv", b"customer,at,at\n1,2,3\n", ContractFault, "its header names at twice"),
        ("orders.csv", b"customer,,at\n1,2,3\n", ContractFault, "column 2 of its header has no name"),
        (
            "orders.csv",
            b"Customer,at,nr,amount,group\n",
            ContractFault,
            r"lacks 2 .*customer \(nearest: Customer\), number",
        ),
        ("orders.csv", gzip.compress(csv_text().encode()), ContractFault, "packed with gzip by its content"),
        ("orders.csv.gz", csv_text().encode(), ContractFault, "is named .gz but is not packed"),
        ("orders.csv.gz", gzip.compress(csv_text().encode())[:-12], IntegrityFault, "is cut off or damaged"),
        ("orders.parquet", csv_text().encode(), ContractFault, "is not a Parquet file by its content"),
        ("orders.xlsx", b"PK\x03\x04", IntegrityFault, "cannot be opened as a workbook"),
        ("orders.xls", b"PK\x03\x04", ContractFault, "its ending is none of .csv"),
    ],
)
def test_a_file_that_is_not_what_it_should_be_is_explained(
    name: str, content: bytes, fault: type[Fault], said: str
) -> None:
    put(name, content)
    with pytest.raises(fault, match=said):
        found(world())


def test_a_parquet_file_that_is_cut_off_is_explained() -> None:
    pq.write_table(as_table(), "data/raw/orders.parquet")
    path = Path("data/raw/orders.parquet")
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(IntegrityFault, match="not a whole Parquet file"):
        found(world())
    put("orders.parquet", path.read_bytes() + b"PAR1")
    with pytest.raises(IntegrityFault, match="not a whole Parquet file"):
        found(world())


def test_a_missing_file_names_what_is_there_instead() -> None:
    put("order.csv", csv_text())
    with pytest.raises(
        ContractFault, match=r"no file data/raw/orders.csv .*the folder holds order.csv. did you mean order.csv\?"
    ):
        raw.inventory(world(files="data/raw/orders.csv"))
    with pytest.raises(ContractFault, match=r"no file data/raw/x\*.csv"):
        raw.inventory(world(files="data/raw/x*.csv"))


@pytest.mark.parametrize("files", ["/etc/passwd", "../secret.csv", "data/../../x.csv", "package:no_such_package/x.csv"])
def test_a_path_cannot_leave_the_project(files: str) -> None:
    with pytest.raises(ConfigFault):
        raw.inventory(world(files=files))


# ---- files that change


def test_the_inventory_names_every_file_with_its_digest_and_those_of_lookups() -> None:
    put("orders.csv", csv_text())
    put("groups.csv", "group,name\ntoys,x\n")
    data = world(category="groups.name", lookups={"groups": Lookup("data/raw/groups.csv", key="group")})
    listed = raw.inventory(data)
    assert [(f["source"], f["name"]) for f in listed] == [("orders", "orders.csv"), ("orders.groups", "groups.csv")]
    assert listed[0]["size"] == len(csv_text())


def test_a_file_that_changed_since_the_inventory_stops_the_run() -> None:
    path = put("orders.csv", csv_text())
    data = world()
    listed = raw.inventory(data)
    path.write_text(csv_text() + "c,2024-05-01,9,1,x\n")
    with (
        pytest.raises(IntegrityFault, match=r"1 of 1 raw files changed .* orders.csv"),
        ENGINE.events(data, check=checked, inventory=listed),
    ):
        pass


def test_a_file_that_changes_while_it_is_read_stops_the_run() -> None:
    path = put("orders.csv", csv_text())

    def disturbed(rows: pa.Table, data: Any, **where: str) -> Any:
        path.write_text(csv_text() + "c,2024-05-01,9,1,x\n", encoding="utf-8")
        return checked(rows, data, **where)

    with pytest.raises(IntegrityFault, match=r"orders\.csv"):
        found(world(), disturbed)


def test_a_file_that_is_put_back_after_it_changed_is_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    path, data = put("orders.csv", csv_text()), world()
    listed, take = raw.inventory(data), raw.inventory
    reads: list[int] = []

    def disturbed(rows: pa.Table, data: Any, **where: str) -> Any:
        reads.append(rows.num_rows)
        if len(reads) == 1:
            path.write_text(csv_text() + "c,2024-05-01,9,1,x\n", encoding="utf-8")
        return checked(rows, data, **where)

    def then_put_back(data: Any) -> Any:
        taken = take(data)
        if taken != listed:
            path.write_text(csv_text(), encoding="utf-8")
        return taken

    monkeypatch.setattr(raw, "inventory", then_put_back)
    with ENGINE.events(data, check=disturbed, inventory=listed) as result:
        assert sum(piece.num_rows for piece in result.events) == 4
    assert reads == [4, 4]
    assert result.counts["orders"]["rows"] == 4


# ---- settings


@on_each_engine
def test_pieces_of_whole_customers_come_back_in_order() -> None:
    def rows_beside(snapshots: pa.Table, features: pa.Table) -> pa.Table:
        assert features["plan"].type == CODE
        assert snapshots.schema.equals(SNAPSHOTS.schema)
        ids = snapshots["customer_id"].to_pylist()
        parted = [ids.count(customer) < 2 for customer in ids]
        return pa.table({"customer_id": ids, "plan": features["plan"].cast(pa.string()), "parted": parted})

    instants = pa.array([0, 86_400_000_000] * 50).cast(INSTANT)
    ids = [f"c{i // 2:02}" for i in range(100)]
    churned, plans = pa.array([True, None] * 50), pa.array(["gold", None] * 50, pa.string())
    store.write("snapshots", pa.table([ids, instants, churned], schema=SNAPSHOTS.schema))
    store.write("features", pa.table({"customer_id": ids, "as_of": instants, "plan": plans.dictionary_encode()}))
    columns = {"snapshots": None, "features": ["plan"]}
    made = pa.concat_tables(ENGINE.made(rows_beside, columns, rows=7))
    assert made["customer_id"].to_pylist() == ids
    assert made["plan"].equals(pa.chunked_array([plans]))
    assert set(made["parted"].to_pylist()) == {False}


@on_each_engine
def test_a_fault_within_a_batch_is_the_fault_of_the_run() -> None:
    def refused(snapshots: pa.Table) -> pa.Table:
        raise NotEnoughData(f"{snapshots.num_rows} row is not enough")

    row = [["a"], pa.array([0]).cast(INSTANT), pa.array([True])]
    store.write("snapshots", pa.table(row, schema=SNAPSHOTS.schema))
    with pytest.raises(NotEnoughData, match="1 row"):
        list(ENGINE.made(refused, {"snapshots": None}))


def test_pyspark_is_asked_for_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    given = {"kind": "spark", "master": "local[1]", "driver_memory": "1g", "partitions": 1, "memory_limit": "1GB"}
    spark, put_away = ENGINES["spark"](**given, settings={}), {"pyspark": None, "pyspark.sql": None}
    for name, module in put_away.items():
        monkeypatch.setitem(sys.modules, name, module)
    with pytest.raises(UsageFault, match="install this project with its extra `spark`"):
        list(spark.made(len, {"snapshots": None}))
    with pytest.raises(ConfigFault, match=r"engine\.memory_limit"):
        ENGINES["spark"](**given | {"memory_limit": "much"}, settings={})


@pytest.mark.parametrize("limit", ["", "2", "lots", "-1GB", "2GB; DROP TABLE x", "0GB"])
def test_a_memory_limit_that_is_no_size_is_refused(limit: str) -> None:
    with pytest.raises(ConfigFault, match=r"engine\.memory_limit must be a size such as 2GB"):
        ENGINES["duckdb"](
            kind="duckdb",
            memory_limit=limit,
            threads=None,
            temporary_folder=None,
            temporary_most=None,
            incremental=False,
        )


def test_sorting_more_than_the_memory_limit_spills_into_a_folder_that_is_gone_afterwards(tmp_path: Path) -> None:
    n = 400_000
    rows = pa.table({"customer": [f"c{i % 977}" for i in range(n)], "at": ["2024-05-01"] * n, "number": range(n)})
    pq.write_table(rows.append_column("amount", pa.array(range(n))), "data/raw/orders.parquet")
    data, spilled = world(category=None), tmp_path / "spill"
    spilled.mkdir()
    small = ENGINES["duckdb"](
        kind="duckdb",
        memory_limit="60MB",
        threads=1,
        temporary_folder=str(spilled),
        temporary_most=None,
        incremental=False,
    )
    with small.events(data, check=checked, inventory=raw.inventory(data)) as result:
        pieces = list(result.events)
        assert any(path.is_file() for path in spilled.rglob("*"))
    assert sum(piece.num_rows for piece in pieces) == n
    assert list(spilled.iterdir()) == []
    assert pa.concat_tables(pieces).equals(found(data)[0])


@on_each_engine
def test_money_with_signs_and_thousands_is_read_as_declared_and_the_rest_is_kept_with_its_reason() -> None:
    put(
        "orders.csv",
        "customer;at;number;amount;group\n"
        "a;2024-05-01;1;1.234,50 €;toys\n"
        "b;2024-05-02;2;€ 7;toys\n"
        "b;2024-05-03;3;(3,25 €);toys\n"
        "b;2024-05-04;4;1,234.50 €;toys\n"
        "c;2024-05-05;5;$5;toys\n"
        "c;2024-05-06;6;;toys\n",
    )
    data = world(delimiter=";", decimal=",", thousands=".", currency_signs=("€",), quarantine_stop=0.5)
    events, _, quarantine, counts = found(data)
    assert told(events, "event_id", "amount_minor") == [("1", 123450), ("2", 700), ("3", -325), ("6", None)]
    assert faults(quarantine) == [(5, "amount_unreadable"), (6, "amount_unreadable")]
    assert json.loads(quarantine["raw"][0].as_py())["amount"] == "1,234.50 €"
    total = reconciliation(data, counts)["total"]
    assert (total["rows"], total["kept"], total["quarantined"]) == (6, 4, 2)


# ---- real data, where it is at hand

SHARED = Path(__file__).resolve().parents[3] / "shared/data"


def adapter(name: str) -> Any:
    import inspect

    import yaml
    from pydantic import ConfigDict, TypeAdapter, create_model

    path = Path(__file__).resolve().parents[2] / f"conf/data/{name}.yaml"
    given = yaml.safe_load(path.read_text(encoding="utf-8"))["data"]
    keywords = inspect.signature(dataset).parameters.items()
    fields: Any = {k: (p.annotation, ... if p.default is p.empty else p.default) for k, p in keywords}
    made = TypeAdapter(create_model("data", __config__=ConfigDict(extra="forbid"), **fields)).validate_json(
        json.dumps(given), strict=True
    )
    return dataset(**{k: getattr(made, k) for k in fields})


def test_complete_journey_accounts_for_every_line_and_every_cent() -> None:
    data = adapter("complete_journey")
    events, _, quarantine, counts = found(data)
    total = reconciliation(data, counts)["total"]
    assert total["rows"] == 1_469_307 + 6_589 + 2_102
    assert quarantine.num_rows == 0
    baskets = events.filter(pa.compute.equal(events["role"], "purchase"))
    assert baskets.num_rows == 155_848
    # From the package's own file: SELECT sum(round(sales_value * 100)).
    lines = pq.read_table(raw.found("baskets", data.sources["baskets"].files)[0].path, columns=["sales_value"])
    cents = pa.compute.sum(pa.compute.round(pa.compute.multiply(lines["sales_value"], 100))).as_py()
    assert pa.compute.sum(baskets["amount_minor"]).as_py() == cents


def test_online_retail_has_the_customers_of_its_protocol(project: Path) -> None:
    source = SHARED / "online_retail/online_retail.parquet"
    if not source.is_file():
        pytest.skip("Online Retail is not at hand: no ../shared/data/online_retail beside the checkout")
    put("online_retail/online_retail.parquet", source.read_bytes())
    events, attributes, _, counts = found(adapter("online_retail"))
    assert counts["invoices"]["quarantined"] == {"left_out_anonymous": 135_080}
    as_of = instant("2011-12-09", "Europe/London") - 90 * 86_400_000_000
    at, ids = events["occurred_at"].cast(pa.int64()).to_numpy(), events["customer_id"].to_numpy()
    made = pa.compute.equal(events["state"], "made").to_numpy()
    live = set(ids[made & (at >= as_of - 180 * 86_400_000_000) & (at < as_of)])
    back = set(ids[made & (at >= as_of)])
    # docs/quality.md: 2,787 customers, 38 % of them churned.
    assert len(live) == 2_787
    assert round(1 - len(live & back) / len(live), 3) == 0.382
    assert "17850" in live | set(ids)
    assert attributes.num_rows > 4_000


def test_cdnow_keeps_every_purchase_of_the_cohort() -> None:
    source = SHARED / "cdnow/cdnow_master.csv.gz"
    if not source.is_file():
        pytest.skip("CDNOW is not at hand: no ../shared/data/cdnow beside the checkout")
    put("cdnow/cdnow_master.csv.gz", source.read_bytes())
    events, _, _, _ = found(adapter("cdnow"))
    assert events.num_rows == 69_659
    assert len(set(events["customer_id"].to_pylist())) == 23_570


@pytest.mark.parametrize("bytes_each", [10**12, 10**8, 10**7, 100])
def test_sorting_one_range_of_customers_after_the_other_gives_the_same_table(
    bytes_each: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [f"{i},c{i * 7 % 13}'s,2024-01-{1 + i % 28:02}T12:00:00Z,1.5,books" for i in range(60)]
    put("orders.csv", "number,customer,at,amount,group\n" + "\n".join(rows) + "\n")
    whole = found(world())[0]
    monkeypatch.setattr("churn.shell.engine.room.SORTED_ROW_BYTES", bytes_each)
    parts = found(world())[0]
    assert parts.num_rows == 60
    assert parts.equals(whole)


def test_a_key_that_differs_only_by_case_is_another_key_and_not_read() -> None:
    rows = [
        {"customer": "a", "at": "2024-05-01T00:00:00Z", "number": str(n), "amount": 1, "group": "x"} for n in (1, 2)
    ]
    rows[1]["AMOUNT"] = rows[1].pop("amount")
    put("jsonl/orders.jsonl", "\n".join(json.dumps(row) for row in rows) + "\n")
    events, _, _, counts = found(world(files="data/raw/jsonl/orders*"))
    assert sorted(told(events, "event_id", "amount_minor")) == [("1", 100), ("2", None)]
    assert counts["orders"]["kept"] == 2


def test_a_column_whose_name_holds_nul_stops_with_its_name() -> None:
    row = {"customer": "a", "at": "2024-05-01T00:00:00Z", "number": "1", "amount": 1, "group": "x"}
    put("jsonl/orders.jsonl", json.dumps(row) + "\n" + json.dumps(row | {"at\0": "?"}) + "\n")
    with pytest.raises(ContractFault, match="holds the character NUL"):
        found(world(files="data/raw/jsonl/orders*"))
