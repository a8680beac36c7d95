"""`churn init` declares files of any shape so that the door takes every row, and says what to check."""

import re
import shutil
from datetime import UTC, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from typer.testing import CliRunner

from churn import sections
from churn.cli import app
from churn.core.dataset import dataset
from churn.core.definitions import DEFINITIONS
from churn.core.events import checked, reconciliation
from churn.shell import config, raw
from churn.shell.engine import ENGINES
from churn.words.errors import ConfigFault, ContractFault, NotEnoughData, UsageFault
from tests.cli.shapes import SHAPES, START, orders, weekly
from tests.shell.postgresql import execute, server

ROOT = Path(__file__).parents[2]
ENGINE = ENGINES["duckdb"](
    kind="duckdb", memory_limit="1GB", threads=None, temporary_folder=None, temporary_most=None, incremental=False
)
ORDERS = orders()
WITHOUT_CLOCK = {"headerless_tsv", "day_first_slashes", "day_numbers", "weekly_sums"}


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    """A project whose configuration is ours, and a folder of data in it."""
    shutil.copytree(ROOT / "conf", tmp_path / "conf")
    (tmp_path / "dvc.yaml").touch()
    (tmp_path / "data/raw/mine").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def init(*arguments: str) -> str:
    """What `churn init` says, once it has written its file."""
    done = CliRunner().invoke(app, ["init", *arguments], catch_exceptions=False)
    assert done.exit_code == 0
    return done.output


def declared(name: str = "mine"):
    """The data set and the definition that conf/ now declares."""
    composed = sections.compose([f"data={name}"])
    data = dataset(**config.checked(composed, "data", dataset))
    keys = config.checked(composed, "definition", DEFINITIONS)
    return data, DEFINITIONS[keys["kind"]](**keys), composed.values


def read(data) -> tuple[pa.Table, dict]:
    """All events of a data set, and the account of its rows."""
    raw.save_tables(data)
    with ENGINE.events(data, check=checked, inventory=raw.inventory(data)) as found:
        return pa.concat_tables(found.events), reconciliation(data, found.counts)


def expected(shape: str, made) -> set[tuple[str, str]]:
    """Whose event is when, in UTC, as the files of a shape say it."""
    if shape == "weekly_sums":
        return {(customer, f"{monday}T00:00") for customer, monday in weekly(made)}
    form = "%Y-%m-%dT00:00" if shape in WITHOUT_CLOCK else "%Y-%m-%dT%H:%M"
    shift = timedelta(hours=8) if shape.startswith("chinese") else timedelta()
    if shape == "day_numbers":
        shift = START.replace(year=2023) - START.replace(year=2020, month=1, day=1)
    trimmed = (lambda c: str(int(c))) if shape == "workbook" else str
    return {(trimmed(o.customer), (o.at - shift).strftime(form)) for o in made}


@pytest.mark.parametrize("shape", SHAPES)
def test_every_row_of_every_shape_becomes_the_event_that_it_is(shape):
    SHAPES[shape](Path("data/raw/mine"), ORDERS)
    said = init("data/raw/mine")
    data, definition, _ = declared()
    events, account = read(data)
    total = account["total"]
    assert total["kept"] == total["rows"] == (len(weekly(ORDERS)) if shape == "weekly_sums" else len(ORDERS))
    when = [moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M") for moment in events["occurred_at"].to_pylist()]
    assert set(zip(events["customer_id"].to_pylist(), when, strict=True)) == expected(shape, ORDERS)
    if shape != "weekly_sums":
        assert sum(events["amount_minor"].to_pylist()) == sum(order.cents for order in ORDERS)
    assert definition.kind == "inactivity"
    assert definition.horizon_days <= 28
    assert "Please check" in said


@pytest.mark.parametrize(
    ("currency", "show", "keys"),
    [
        ("USD", lambda amount: f"${amount:,.2f}", ['thousands: ","', 'currency_signs: ["$"]']),
        (
            "EUR",
            lambda amount: f"{amount:,.2f}\u00a0€".translate(str.maketrans(",.", ".,")),
            ['decimal: ","', 'thousands: "."', 'currency_signs: ["€"]'],
        ),
        ("JPY", lambda amount: f"¥{amount:.2f}", ['currency_signs: ["¥"]']),
    ],
)
def test_money_as_people_write_it_is_read_to_the_cent_and_what_is_none_is_accounted_for(currency, show, keys):
    made = [order._replace(cents=31 * order.cents) for order in ORDERS]
    rows = [f"{o.customer};{o.at:%Y-%m-%d %H:%M};{show(o.cents / 100)}\n" for o in made]
    rows[7] = rows[7].rpartition(";")[0] + ";on request\n"
    Path("data/raw/mine/orders.csv").write_text("customer_id;date;amount\n" + "".join(rows), encoding="utf-8")
    init("data/raw/mine")
    text = Path("conf/data/mine.yaml").read_text(encoding="utf-8")
    assert all(key in text for key in keys)
    data, _, _ = declared()
    assert data.currency == currency
    events, account = read(data)
    total = account["total"]
    assert (total["rows"], total["kept"], total["quarantined"]) == (len(made), len(made) - 1, 1)
    assert account["sources"]["orders"]["quarantined"] == {"amount_unreadable": 1}
    assert sum(events["amount_minor"].to_pylist()) == sum(o.cents for n, o in enumerate(made) if n != 7)


def test_the_sum_of_a_week_is_known_when_the_week_is_over():
    SHAPES["weekly_sums"](Path("data/raw/mine"), ORDERS)
    init("data/raw/mine")
    events, _ = read(declared()[0])
    later = {
        recorded - occurred
        for recorded, occurred in zip(events["recorded_at"].to_pylist(), events["occurred_at"].to_pylist(), strict=True)
    }
    assert later == {timedelta(days=7)}
    assert sum(events["quantity_milli"].to_pylist()) == 1000 * len(ORDERS)


def test_each_guess_has_its_evidence_beside_it():
    SHAPES["day_first_dots_and_decimal_comma"](Path("data/raw/mine"), ORDERS)
    init("data/raw/mine")
    text = Path("conf/data/mine.yaml").read_text(encoding="utf-8")
    n = f"{len(ORDERS):,}"
    assert (
        f"# {n} of {n} values parse as %d.%m.%Y %H:%M; 31 is the largest first number, so the day comes first" in text
    )
    assert f"# {n} of {n} values of amount have a comma, and none has a point" in text
    assert re.search(r"# the first 200 lines have 3 columns each when cut there\n +delimiter: \";\"", text)


def test_a_day_that_could_be_a_month_is_for_a_person_to_check():
    rows = "".join(f"{n % 7},{1 + n % 12:02d}/{1 + n // 12 % 12:02d}/2023,1.50\n" for n in range(900))
    Path("data/raw/mine/orders.csv").write_text("customer,date,amount\n" + rows)
    result = CliRunner().invoke(app, ["init", "data/raw/mine"])
    assert isinstance(result.exception, NotEnoughData)
    assert "occurred_at: %d/%m/%Y or %m/%d/%Y? no number is above 12" in result.output


def test_too_few_customers_are_told_what_would_make_it_possible():
    SHAPES["zstd"](Path("data/raw/mine"), [order for order in ORDERS if order.customer < "0008"])
    result = CliRunner().invoke(app, ["init", "data/raw/mine"])
    assert isinstance(result.exception, NotEnoughData)
    assert "churners at all dates, 50 are needed" in str(result.exception)
    assert Path("conf/data/mine.yaml").is_file()


def test_where_few_customers_leave_a_simpler_model_is_announced():
    SHAPES["zstd"](Path("data/raw/mine"), [order for order in ORDERS if order.customer < "0060"])
    said = init("data/raw/mine")
    assert re.search(r"Too few leave for boosted trees \(.*are needed.*\): a simpler model is learnt", said)


def test_too_short_a_history_is_told_how_many_days_it_lacks():
    SHAPES["zstd"](Path("data/raw/mine"), [order for order in ORDERS if order.at < START + timedelta(days=20)])
    result = CliRunner().invoke(app, ["init", "data/raw/mine"])
    assert isinstance(result.exception, NotEnoughData)
    assert re.search(r"the events span \d+ days, .* need 28: \d+ more days", str(result.exception))


def test_a_header_without_rows_is_too_little():
    Path("data/raw/mine/orders.csv").write_text("customer,date,amount\n")
    result = CliRunner().invoke(app, ["init", "data/raw/mine"])
    assert isinstance(result.exception, NotEnoughData)
    assert "0 rows: data/raw/mine/orders.csv has the columns customer, date, amount" in str(result.exception)


def test_files_from_elsewhere_are_copied_and_those_of_the_project_are_not(tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside") / "shop"
    outside.mkdir()
    SHAPES["zstd"](outside, ORDERS)
    assert "copied 1 file " in init(str(outside), "--name", "other")
    assert Path("data/raw/other/orders.csv.zst").read_bytes() == (outside / "orders.csv.zst").read_bytes()
    assert declared("other")[0].sources["orders"].files == "data/raw/other/orders.csv.zst"
    SHAPES["zstd"](Path("data/raw/mine"), ORDERS)
    assert "copied" not in init("data/raw/mine/orders.csv.zst", "--name", "mine")
    assert not Path("data/raw/mine/mine").exists()


def test_a_declaration_that_is_there_is_not_replaced_unless_asked():
    SHAPES["zstd"](Path("data/raw/mine"), ORDERS)
    init("data/raw/mine")
    Path("conf/data/mine.yaml").write_text("data: {name: edited}\n")
    refused = CliRunner().invoke(app, ["init", "data/raw/mine"])
    assert isinstance(refused.exception, UsageFault)
    assert Path("conf/data/mine.yaml").read_text() == "data: {name: edited}\n"
    init("data/raw/mine", "--overwrite")
    assert declared()[0].name == "mine"


def test_guesses_do_not_depend_on_when_they_are_made():
    SHAPES["parts"](Path("data/raw/mine"), ORDERS)
    init("data/raw/mine")
    first = Path("conf/data/mine.yaml").read_bytes()
    init("data/raw/mine", "--overwrite")
    assert Path("conf/data/mine.yaml").read_bytes() == first


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("absent.csv", None, "there is nothing at"),
        ("notes.md", "hello", "no file that we read"),
        ("things.csv", "product,colour\na,red\nb,blue\n", "no table tells who did something and when"),
        ("empty.csv", "", "empty.csv: nothing in it"),
        ("notes.csv", b"\xff\xd8" + bytes(range(128, 256)) * 9, "notes.csv (source init): byte"),
        ("page.csv", "<!doctype html><p>,</p>\n", "page.csv (source init) looks like an HTML page"),
    ],
)
def test_what_is_no_data_about_customers_is_explained(name, content, said):
    if content is not None:
        Path(name).write_bytes(content.encode() if isinstance(content, str) else content)
    result = CliRunner().invoke(app, ["init", name])
    assert isinstance(result.exception, ContractFault)
    assert said in str(result.exception)
    assert not list(Path("conf/data").glob(f"{Path(name).stem}*"))


def test_the_page_on_your_own_data_shows_what_the_command_writes():
    page = (ROOT / "docs/bring_your_own_data.md").read_text(encoding="utf-8")
    told = re.search(r"^## An example$.*?^```\n(.*?)^```.*?^```yaml\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    for command in told[1].split("\n")[:-1]:
        assert CliRunner().invoke(app, command.split()[1:]).exit_code == 0
    assert told[2] in Path("conf/data/shop.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize("shape", ["headerless_tsv", "zstd"])
def test_the_address_of_a_database_is_in_no_file_and_no_message(shape):
    # No server answers there; what matters is what is said, and that nothing is left behind.
    result = CliRunner().invoke(app, ["init", f"postgresql://me:hid%20den@/{shape}?host=/nowhere", "--name", "shop"])
    assert isinstance(result.exception, ConfigFault)
    said = result.output + str(result.exception)
    assert "SHOP_DATABASE_URL" in said
    assert "hid" not in said
    assert not [p for p in Path().rglob("*") if p.is_file() and "hid%20den" in p.read_text(errors="replace")]


def test_a_database_server_is_declared_by_its_variable_and_read(tmp_path_factory, monkeypatch):
    with server(tmp_path_factory.mktemp("pg")) as address:
        columns = "customer_id text, ordered_at timestamp, amount numeric(10, 2)"
        execute(address, f"CREATE TABLE orders ({columns})", *_inserts(ORDERS))
        monkeypatch.setenv("SHOP_DATABASE_URL", "")
        said = init(address, "--name", "shop")
        text = Path("conf/data/shop.yaml").read_text(encoding="utf-8")
        assert 'files: "database:SHOP_DATABASE_URL/orders"' in text
        assert "export SHOP_DATABASE_URL=" in said
        assert "s3cr" not in text + said
        events, account = read(declared("shop")[0])
    assert account["total"]["kept"] == len(ORDERS)
    assert sum(events["amount_minor"].to_pylist()) == sum(order.cents for order in ORDERS)


def _inserts(made) -> list[str]:
    rows = [f"('{o.customer}', '{o.at.isoformat()}', {o.cents / 100})" for o in made]
    return [f"INSERT INTO orders VALUES {', '.join(rows[n : n + 1000])}" for n in range(0, len(rows), 1000)]


def test_the_data_set_in_use_has_no_say_and_its_file_may_be_gone(project):
    SHAPES["day_first_slashes"](Path("data/raw/mine"), ORDERS)
    init("data/raw/mine")
    first = (project / "conf/data/mine.yaml").read_text(encoding="utf-8")
    config.use({"data": "demo"})
    init("data/raw/mine", "--overwrite")
    assert (project / "conf/data/mine.yaml").read_text(encoding="utf-8") == first
    config.use({"data": "mine"})
    (project / "conf/data/mine.yaml").unlink()
    init("data/raw/mine")
    assert (project / "conf/data/mine.yaml").read_text(encoding="utf-8") == first
