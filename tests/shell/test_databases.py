"""Tables of databases become files once, and no password is told to anybody."""

import sqlite3
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from churn.core.dataset import EventType, Lookup, Source, dataset
from churn.core.events import checked, reconciliation
from churn.shell import databases, raw
from churn.shell.engine import ENGINES
from churn.shell.store import digest
from churn.words.errors import ConfigFault, ContractFault, IntegrityFault
from tests.shell.postgresql import PASSWORD, execute, server

ENGINE = ENGINES["duckdb"](
    kind="duckdb", memory_limit="1GB", threads=None, temporary_folder=None, temporary_most=None, incremental=False
)
ORDERS = (
    "CREATE TABLE orders (id bigint, customer text, at timestamptz, amount numeric(12, 2), what uuid, tags text[])",
    """INSERT INTO orders
       SELECT n, 'c' || lpad((n % 7)::text, 3, '0'), timestamptz '2024-01-01 12:00+01' + n * interval '1 hour',
              n / 4.0, '00000000-0000-0000-0000-000000000000', '{a,b}'
       FROM generate_series(1, 1000) AS s(n)""",
    "CREATE TABLE people (customer text, shop text)",
    "INSERT INTO people SELECT 'c' || lpad(n::text, 3, '0'), 'shop ' || n FROM generate_series(0, 6) AS s(n)",
)


@pytest.fixture(scope="session")
def address(tmp_path_factory):
    """The address of a PostgreSQL server with a shop in it."""
    with server(tmp_path_factory.mktemp("pg")) as found:
        execute(found, *ORDERS)
        yield found


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def shop(files: str, lookup: str | None = None, **changes) -> object:
    source = {
        "files": files,
        "customer_id": "customer",
        "occurred_at": "at",
        "event_types": {"order": EventType("purchase")},
        "amount": "amount",
        "event_id": "id",
        "lookups": {"people": Lookup(lookup, key="customer")} if lookup else None,
        "category": "people.shop" if lookup else None,
    }
    return dataset(
        name="shop", time_zone="UTC", observed_from="2024-01-01", observed_until="2025-01-01", currency="EUR",
        nouns={}, sources={"orders": Source(**{**source, **changes})}, attributes={},
    )  # fmt: skip


def events_of(data) -> pa.Table:
    with ENGINE.events(data, check=checked, inventory=raw.inventory(data)) as found:
        assert reconciliation(data, found.counts)["total"]["quarantined"] == 0
        return pa.concat_tables(found.events)


def test_a_table_of_postgresql_and_its_lookup_become_events(address, monkeypatch):
    monkeypatch.setenv("SHOP_URL", address)
    data = shop("database:SHOP_URL/orders", "database:SHOP_URL/people")
    raw.save_tables(data)
    events = events_of(data)
    assert events.num_rows == 1000
    assert sum(events["amount_minor"].to_pylist()) == sum(round(n * 25) for n in range(1, 1001))
    first = events.slice(0, 1).to_pylist()[0]
    assert (first["customer_id"], first["category"]) == ("c000", "shop 0")
    assert first["occurred_at"].isoformat() == "2024-01-01T18:00:00+00:00"


def test_what_is_read_is_what_was_saved_though_the_table_changes_meanwhile(address, monkeypatch):
    monkeypatch.setenv("SHOP_URL", address)
    execute(address, "CREATE TABLE IF NOT EXISTS moving AS SELECT * FROM orders WHERE id <= 10")
    data = shop("database:SHOP_URL/moving")
    raw.save_tables(data)
    listed = raw.inventory(data)
    execute(address, "INSERT INTO moving SELECT * FROM orders WHERE id = 11")
    raw.check_unchanged(data, listed)
    assert events_of(data).num_rows == 10
    raw.save_tables(data)
    with pytest.raises(IntegrityFault, match="1 of 1 raw files changed"):
        raw.check_unchanged(data, listed)
    assert events_of(data).num_rows == 11


def test_the_same_table_gives_the_same_bytes_in_groups_of_equal_size(address, monkeypatch):
    monkeypatch.setenv("SHOP_URL", address)
    monkeypatch.setattr(databases, "ROW_GROUP", 300)
    digests = []
    for _ in range(2):
        (path,) = databases.save([("orders", "database:SHOP_URL/orders")])
        digests.append(digest(path))
    assert digests[0] == digests[1]
    footer = pq.read_metadata(path)
    assert [footer.row_group(n).num_rows for n in range(footer.num_row_groups)] == [300, 300, 300, 100]


def test_a_view_in_another_schema_is_a_table_like_any_other(address, monkeypatch):
    monkeypatch.setenv("SHOP_URL", address)
    execute(
        address,
        "CREATE SCHEMA IF NOT EXISTS sales",
        "CREATE OR REPLACE VIEW sales.big AS SELECT * FROM orders WHERE amount > 200",
    )
    assert {"orders", "people", "sales.big"} <= set(databases.tables(databases.DATABASE, "SHOP_URL"))
    (path,) = databases.save([("orders", "database:SHOP_URL/sales.big")])
    assert pq.read_metadata(path).num_rows == 200


@pytest.mark.parametrize("wrong", ["password", "host", "table", "scheme", "unset"])
def test_no_fault_tells_the_password(address, monkeypatch, capfd, wrong):
    known = address.replace("s3cr", "wrong-s3cr") if wrong == "password" else address
    known = known.replace("/shop?host=", "/shop?host=/nowhere") if wrong == "host" else known
    known = known.replace("postgresql://", "mysql://") if wrong == "scheme" else known
    monkeypatch.setenv("SHOP_URL", known)
    if wrong == "unset":
        monkeypatch.delenv("SHOP_URL")
    with pytest.raises((ConfigFault, ContractFault)) as fault:
        databases.save([("orders", f"database:SHOP_URL/{'absent' if wrong == 'table' else 'orders'}")])
    said = str(fault.value) + "".join(capfd.readouterr())
    assert "SHOP_URL" in said
    assert "s3cr" not in said
    assert PASSWORD not in said
    assert fault.value.__cause__ is None


def test_an_address_in_conf_is_refused_and_not_repeated():
    with pytest.raises(ConfigFault, match="environment variable") as fault:
        raw.found("orders", "postgresql://me:hidden@host/shop")
    assert "hidden" not in str(fault.value)


@pytest.mark.parametrize("pattern", ["database:SHOP_URL", "database:9/orders", "sqlite:/etc/x/t", "sqlite:../x.db/t"])
def test_a_place_that_is_no_table_of_a_database_of_the_project_is_refused(pattern):
    with pytest.raises(ConfigFault):
        raw.found("orders", pattern)


def test_a_table_of_sqlite_keeps_leading_zeros_and_large_numbers():
    with sqlite3.connect("shop.db") as con:
        con.execute("CREATE TABLE orders (id, customer, at, amount)")
        rows = [(2**60 + 1, "007", "2024-03-01 10:00", 12.5), (2, 7, "2024-03-02", "3"), (3, "x", "2024-03-02", 0.1)]
        con.executemany("INSERT INTO orders VALUES (?, ?, ?, ?)", rows)
    con.close()
    data = shop("sqlite:shop.db/orders")
    with pytest.raises(ContractFault, match="not saved yet"):
        raw.inventory(data)
    raw.save_tables(data)
    events = events_of(data)
    assert events["customer_id"].to_pylist() == ["007", "7", "x"]
    assert events["event_id"].to_pylist()[0] == str(2**60 + 1)
    assert events["amount_minor"].to_pylist() == [1250, 300, 10]
    assert databases.tables(databases.SQLITE, "shop.db") == ["orders"]


def test_a_database_file_that_is_not_there_or_none_is_explained():
    with pytest.raises(ContractFault, match=r"no database file absent\.db"):
        databases.save([("orders", "sqlite:absent.db/orders")])
    Path("text.db").write_text("this is no database, " * 100)
    with pytest.raises(ConfigFault, match="not a database"):
        databases.save([("orders", "sqlite:text.db/orders")])
