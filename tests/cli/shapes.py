"""Small shops whose files come in shapes that nobody described: each writer puts the same orders into a folder."""

import gzip
import json
import sqlite3
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

START, DAYS = datetime(2023, 1, 2), 420  # noqa: DTZ001 - a shop's own clock


class Order(NamedTuple):
    customer: str
    at: datetime
    cents: int


def orders(n_customers: int = 150, seed: int = 5) -> list[Order]:
    """Orders by customers who each have a rhythm of their own, and of whom half leave at some time."""
    random = np.random.default_rng(seed)
    found = []
    for number in range(n_customers):
        pause = random.choice([3, 5, 8, 12])
        day, last = random.integers(0, 60), random.choice([DAYS, random.integers(90, DAYS)])
        while day < last:
            minute = int(random.integers(8 * 60, 21 * 60))
            found.append(
                Order(
                    f"{number:04d}", START + timedelta(days=int(day), minutes=minute), int(random.integers(200, 9999))
                )
            )
            day += 1 + random.poisson(pause)
    return sorted(found, key=lambda order: (order.at, order.customer))


def _lines(rows: list[list[str]], delimiter: str) -> str:
    return "".join(delimiter.join(row) + "\n" for row in rows)


def _money(cents: int, mark: str = ".") -> str:
    return f"{cents // 100}{mark}{cents % 100:02d}"


def _table(
    form: str, delimiter: str = ",", mark: str = ".", header: tuple[str, ...] = ("customer_id", "date", "amount")
):
    def write(made: list[Order]) -> str:
        rows = [[o.customer, o.at.strftime(form), _money(o.cents, mark)] for o in made]
        return _lines([list(header), *rows] if header else rows, delimiter)

    return write


def _offsets(made: list[Order]) -> str:
    rows = []
    for place, o in enumerate(made):
        zone = timezone(timedelta(hours=place % 3 - 1))
        rows.append(
            [o.customer, o.at.replace(tzinfo=UTC).astimezone(zone).isoformat(timespec="minutes"), _money(o.cents)]
        )
    return _lines([["user", "ordered_at", "total"], *rows], ",")


def _json(made: list[Order]) -> str:
    rows = [
        {"customer": {"id": o.customer, "tags": ["a"]}, "order": {"at": o.at.isoformat(), "total": o.cents / 100}}
        for o in made
    ]
    return "".join(json.dumps(row) + "\n" for row in rows)


def _epoch(made: list[Order], per_second: int) -> str:
    rows = [[o.customer, str(int(o.at.replace(tzinfo=UTC).timestamp()) * per_second), _money(o.cents)] for o in made]
    return _lines([["member", "created_ts", "paid"], *rows], ",")


def _day_numbers(made: list[Order]) -> str:
    rows = [[o.customer, str((o.at - START).days), _money(o.cents)] for o in made]
    return _lines([["customer", "day", "amount"], *rows], ",")


def weekly(made: list[Order]) -> dict[tuple[str, date], int]:
    """How many orders each customer made in each week, by its Monday."""
    sums: dict[tuple[str, date], int] = {}
    for o in made:
        monday = (o.at - timedelta(days=o.at.weekday())).date()
        sums[o.customer, monday] = sums.get((o.customer, monday), 0) + 1
    return sums


def _weekly(made: list[Order]) -> str:
    rows = [[customer, monday.isoformat(), str(n)] for (customer, monday), n in weekly(made).items()]
    return _lines([["customer_id", "week", "logins"], *rows], ",")


def _parquet(folder: Path, made: list[Order]) -> None:
    columns = {
        "client_no": pa.array([o.customer for o in made]),
        "sold_on": pa.array([o.at.replace(tzinfo=UTC) for o in made], pa.timestamp("ms", tz="UTC")),
        "amount": pa.array([o.cents / 100 for o in made]),
    }
    pq.write_table(pa.table(columns), folder / "sales.parquet")


def _zstd(folder: Path, made: list[Order]) -> None:
    with pa.CompressedOutputStream(str(folder / "orders.csv.zst"), "zstd") as file:
        file.write(_table("%Y-%m-%d %H:%M")(made).encode())


def _sqlite(folder: Path, made: list[Order]) -> None:
    with sqlite3.connect(folder / "shop.db") as con:
        con.execute("CREATE TABLE orders (customer TEXT, ordered TEXT, amount REAL)")
        rows = [(o.customer, o.at.isoformat(), o.cents / 100) for o in made]
        con.executemany("INSERT INTO orders VALUES (?, ?, ?)", rows)
    con.close()


def _workbook(folder: Path, made: list[Order]) -> None:
    import xlsxwriter

    with xlsxwriter.Workbook(folder / "shop.xlsx", {"default_date_format": "yyyy-mm-dd hh:mm"}) as book:
        notes, sheet = book.add_worksheet("notes"), book.add_worksheet("orders")
        notes.write_row(0, 0, ["what", "who"])
        notes.write_row(1, 0, ["made by hand", "me"])
        sheet.write_row(0, 0, ["customer", "date", "amount"])
        for line, o in enumerate(made, start=1):
            sheet.write_row(line, 0, [int(o.customer), o.at, o.cents / 100])


def _parts(folder: Path, made: list[Order]) -> None:
    for month in sorted({o.at.strftime("%Y-%m") for o in made}):
        text = _table("%Y-%m-%d %H:%M")([o for o in made if o.at.strftime("%Y-%m") == month])
        (folder / f"orders_{month}.csv.gz").write_bytes(gzip.compress(text.encode(), mtime=0))


def _folders(folder: Path, made: list[Order]) -> None:
    for month in sorted({o.at.strftime("%Y-%m") for o in made}):
        (folder / month).mkdir()
        text = _table("%Y-%m-%d %H:%M")([o for o in made if o.at.strftime("%Y-%m") == month])
        (folder / month / "orders.csv").write_text(text)


def _array(made: list[Order]) -> str:
    rows = [{"client": {"id": o.customer}, "at": o.at.isoformat(), "total": o.cents / 100} for o in made]
    return json.dumps(rows, indent=1)


def _titled(made: list[Order]) -> str:
    return 'Sales of the "shop;;\n\n;;\n' + _table("%d.%m.%Y %H:%M", ";", ",")(made)


def _numbered(made: list[Order]) -> str:
    """As pandas writes it: a first column without a name."""
    lines = _table("%d-%b-%Y %H:%M")(made).splitlines()
    return "".join(f"{n if n >= 0 else ''},{line}\n" for n, line in enumerate(lines, start=-1))


def _titled_workbook(folder: Path, made: list[Order]) -> None:
    """A title above the names, and dates as the numbers that they are to a spreadsheet."""
    import xlsxwriter

    with xlsxwriter.Workbook(folder / "shop.xlsx") as book:
        sheet = book.add_worksheet("orders")
        sheet.write(0, 0, "Sales of the shop")
        sheet.write_row(2, 0, ["Customer No.", "Date", "Net amount"])
        for line, o in enumerate(made, start=3):
            days = (o.at - datetime(1899, 12, 30)) / timedelta(days=1)  # noqa: DTZ001 - a shop's own clock
            sheet.write_row(line, 0, [o.customer, days, o.cents / 100])


def _text(name: str, write: Callable[[list[Order]], str], encoding: str = "utf-8"):
    return lambda folder, made: (folder / name).write_bytes(write(made).encode(encoding))


CHINESE = ("客户ID", "订单时间", "金额")
SHAPES: dict[str, Callable[[Path, list[Order]], object]] = {
    "headerless_tsv": _text("orders.tsv", _table("%Y-%m-%d", "\t", header=())),
    "day_first_slashes": _text("orders.csv", _table("%d/%m/%Y")),
    "day_first_dots_and_decimal_comma": _text("orders.csv", _table("%d.%m.%Y %H:%M", ";", ",")),
    "month_first_with_clock": _text("orders.csv", _table("%m/%d/%Y %I:%M %p")),
    "day_numbers": _text("orders.csv", _day_numbers),
    "weekly_sums": _text("usage.csv", _weekly),
    "epoch_seconds": _text("orders.csv", lambda made: _epoch(made, 1)),
    "epoch_milliseconds": _text("orders.csv", lambda made: _epoch(made, 1000)),
    "mixed_offsets": _text("orders.csv", _offsets),
    "nested_json": _text("orders.jsonl", _json),
    "chinese": _text("orders.csv", _table("%Y年%m月%d日 %H:%M", header=CHINESE)),
    "chinese_gbk": _text("订单.csv", _table("%Y/%m/%d %H:%M", header=CHINESE), "gbk"),
    "utf_16": _text("orders.txt", _table("%Y-%m-%d %H:%M", "\t"), "utf-16"),
    "typed_parquet": _parquet,
    "zstd": _zstd,
    "sqlite": _sqlite,
    "workbook": _workbook,
    "parts": _parts,
    "folders_of_months": _folders,
    "json_array": _text("orders.json", _array),
    "title_above": _text("orders.csv", _titled),
    "row_numbers_and_names_of_months": _text("orders.csv", _numbered),
    "workbook_with_title_and_serial_dates": _titled_workbook,
}
"""Shape → what writes it."""
