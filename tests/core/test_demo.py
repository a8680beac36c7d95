"""The demo world keeps its promises: the same bytes, clean causality, and a truth that the events agree with."""

import re
from datetime import datetime
from functools import cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
import yaml
from pydantic import TypeAdapter
from sklearn.metrics import roc_auc_score

from churn.core.dataset import Attributes, Noun, Source, dataset
from churn.core.demo import BLOCK, churn_probability, demo
from churn.core.demo.causes import CAUSES
from churn.core.demo.dirt import DUPLICATES, FLAWS, SPACED_IDS
from churn.core.demo.rhythm import DAY, END, START, WEEK, local
from churn.core.demo.sources import LAYOUTS, UNREADABLE
from churn.core.demo.truth import HAZARD, TRUTH
from churn.core.events.rows import LINE, checked
from churn.core.features import GROUPS
from churn.words.errors import UsageFault

DOC = Path(__file__).parents[2] / "docs" / "demo_world.md"
CONF = Path(__file__).parents[2] / "conf" / "data" / "demo.yaml"
EVENTS = [name for name in LAYOUTS if name not in {"customers", "truth", "hazard"}]
SECOND_US = 1_000_000


@cache
def world(seed=1, n_customers=None):
    """Every table of a small world in one piece."""
    return next(demo(size="small", seed=seed, n_customers=n_customers).chunks(1_000))


def seconds(column):
    """Instants as seconds since 1970; null is far in the future."""
    return pc.fill_null(column.cast(pa.int64()), 2**60).to_numpy() // SECOND_US


def started(tables):
    """Local second of sign-up per customer, in the order of the truth."""
    first = tables["customers"].group_by("customer_id", use_threads=False).aggregate([("valid_from", "min")])
    order = pc.index_in(tables["truth"]["customer_id"], value_set=first["customer_id"].combine_chunks())
    written = first["valid_from_min"].take(order).cast(pa.timestamp("s"))
    return written.cast(pa.int64()).to_numpy()


def times(name, table):
    """UTC seconds of the events of a source, and which rows have a readable one; orders and surveys are local."""
    if name in {"usage", "payments"}:
        return seconds(table["started_at" if name == "usage" else "tried_at"]), np.ones(table.num_rows, bool)
    if name == "contacts":
        return table["time_ms"].to_numpy() // 1000, np.ones(table.num_rows, bool)
    if name == "surveys":
        column = pc.strptime(table["answered"], format="%d.%m.%Y %H:%M", unit="s")
        return column.cast(pa.int64()).to_numpy(), np.ones(table.num_rows, bool)
    text = table[{"orders": "ordered_at", "tickets": "at", "campaigns": "time", "cancellations": "time"}[name]]
    readable = pc.not_equal(text, UNREADABLE)
    without_zone = pc.replace_substring(pc.replace_substring(text, "T", " "), "Z", "")
    shown = pc.if_else(readable, without_zone, "1970-01-01 00:00:00")
    return shown.cast(pa.timestamp("s")).cast(pa.int64()).to_numpy(), readable.to_numpy()


def rows_of(tables, name):
    """Row of each event's customer in the truth (-1: blank id), its UTC second, and whether both can be used."""
    table = tables[name]
    ids = pc.utf8_trim_whitespace(table["customer_id"])
    who = pc.fill_null(pc.index_in(ids, value_set=tables["truth"]["customer_id"].combine_chunks()), -1).to_numpy()
    at, readable = times(name, table)
    if name in {"orders", "surveys"}:
        # Berlin is one hour ahead, in summer two; only whole hours matter here.
        at = at - 3600 - 3600 * (local(at - 3600) != at)
    return who, at, readable & (who >= 0) & (at >= START - DAY) & (at < END + DAY)


def test_the_same_seed_gives_the_same_tables_and_another_seed_another_world():
    one, same, other = (list(demo(size="small", seed=s, n_customers=50).files()) for s in (1, 1, 2))
    assert [f.name for f in one] == [f.name for f in same] == [f.name for f in other]
    for mine, again, differs in zip(one, same, other, strict=True):
        assert mine.table.equals(again.table)
        assert not mine.table.equals(differs.table)


def test_reading_in_other_chunks_or_in_a_larger_world_changes_no_customer():
    small, large = (demo(size="small", seed=3, n_customers=n) for n in (BLOCK, 2 * BLOCK + 10))
    parts, whole, alone = list(large.chunks(1)), next(large.chunks(3)), small.block(0)
    assert [part["truth"].num_rows for part in parts] == [BLOCK, BLOCK, 10]
    for name in LAYOUTS:
        assert parts[0][name].equals(alone[name])
        assert whole[name].equals(pa.concat_tables([part[name] for part in parts]))


def test_blocks_differ_from_each_other():
    large = demo(size="small", seed=3, n_customers=2 * BLOCK)
    hazards = [large.block(index)["hazard"]["hazard"] for index in (0, 1)]
    assert not hazards[0].equals(hazards[1])


def test_the_truth_is_as_declared():
    TRUTH.check(world()["truth"])
    HAZARD.check(world()["hazard"])


def test_every_source_has_events_of_every_kind():
    column = {"orders": "kind", "tickets": "event", "contacts": "direction", "payments": "status", "surveys": "survey"}
    column |= {"campaigns": "action", "cancellations": "action"}
    kinds = {name: set(world()[name][of].to_pylist()) for name, of in column.items()}
    assert kinds == {
        "orders": {"order", "return", "voucher_import"},
        "tickets": {"complaint_opened", "complaint_closed"},
        "contacts": {"inbound", "outbound"},
        "payments": {"paid", "failed"},
        "surveys": {"nps", "csat", "quiz"},
        "campaigns": {"sent", "answered"},
        "cancellations": {"cancel", "uncancel"},
    }
    assert world()["usage"].num_rows > 100_000


def test_complaints_are_written_in_english_and_chinese():
    text = pc.drop_null(world()["tickets"]["message"])
    assert pc.any(pc.match_substring_regex(text, "[a-z]")).as_py()
    assert pc.any(pc.match_substring_regex(text, r"\p{Han}")).as_py()


@pytest.mark.parametrize("name", EVENTS)
def test_nothing_happens_before_sign_up_or_after_leaving(name):
    tables = world()
    who, at, usable = rows_of(tables, name)
    who, at = who[usable], at[usable]
    left = seconds(tables["truth"]["cancelled_at"])
    ends = 1 if name == "cancellations" else 0  # the cancellation itself is the last event
    # Survey answers are written without seconds.
    assert (at < left[who] + ends).all()
    assert (local(at) >= started(tables)[who] - (60 if name == "surveys" else 0)).all()


def test_the_last_cancellation_is_that_of_the_truth_and_stands():
    tables = world()
    who, at, _ = rows_of(tables, "cancellations")
    back = pc.equal(tables["cancellations"]["action"], "uncancel").to_numpy()
    left = seconds(tables["truth"]["cancelled_at"])
    gone = np.flatnonzero(left < END)
    for customer in range(len(left)):
        mine = np.flatnonzero(who == customer)
        final = mine[np.argmax(at[mine])] if len(mine) else None
        assert (final is not None and not back[final]) == (left[customer] < END)
        assert final is None or back[final] or at[final] == left[customer]
    assert set(who[~back & (at == left[who])]) == set(gone)


def test_a_cancellation_is_taken_back_well_within_the_grace_period():
    tables = world()
    who, at, _ = rows_of(tables, "cancellations")
    back = pc.equal(tables["cancellations"]["action"], "uncancel").to_numpy()
    assert back.any()
    for customer in set(who[back]):
        cancelled = np.min(at[(who == customer) & ~back])
        assert 0 < np.max(at[(who == customer) & back]) - cancelled < 14 * DAY


@pytest.mark.parametrize("seed", [1, 2])
def test_as_many_leave_as_the_true_hazards_say(seed):
    tables = world(seed)
    hazard = np.stack(tables["hazard"]["hazard"].combine_chunks().to_numpy(zero_copy_only=False))
    left, begun = seconds(tables["truth"]["cancelled_at"]), started(tables)
    seen, expected, variance, deciles = 0.0, 0.0, 0.0, []
    for weeks_back in range(4, 100, 4):
        as_of = END - weeks_back * WEEK
        there = (local(begun * 0 + as_of) > begun) & (left >= as_of)
        p = churn_probability(hazard[there], as_of * SECOND_US, (as_of + 4 * WEEK) * SECOND_US)
        churned = left[there] < as_of + 4 * WEEK
        seen, expected, variance = seen + churned.sum(), expected + p.sum(), variance + (p * (1 - p)).sum()
        deciles.append(np.column_stack([p, churned]))
    # Windows do not overlap, so the counts are independent given the past: three deviations are rare.
    assert abs(seen - expected) < 3 * np.sqrt(variance)
    p, churned = np.concatenate(deciles).T
    for part in np.array_split(np.argsort(p), 5):
        assert abs(churned[part].sum() - p[part].sum()) < 4 * np.sqrt((p[part] * (1 - p[part])).sum())


def test_an_offer_multiplies_the_hazard():
    hazard = np.full((2, 104), 0.1, dtype=np.float32)
    since, until = START * SECOND_US, (START + 2 * WEEK) * SECOND_US
    p = churn_probability(hazard, since, until, np.array([1.0, 0.5]))
    assert p == pytest.approx([1 - np.exp(-0.2), 1 - np.exp(-0.1)])


def weekly(tables, name, keep=None):
    """Events a week of each customer while the cause shows, and in the eight weeks before; None where unseen."""
    truth = tables["truth"]
    who, at, usable = rows_of(tables, name)
    usable &= True if keep is None else keep
    onset = seconds(truth["onset"])
    until = np.minimum.reduce([seconds(truth["solved_at"]), seconds(truth["cancelled_at"]), np.full(len(onset), END)])
    begun = np.maximum(started(tables), START)
    since = np.maximum(onset - 8 * WEEK, begun)
    known = (onset < END) & (since + 4 * WEEK < onset) & (onset + 3 * WEEK < until)
    late_from = onset + WEEK
    during = np.bincount(who[usable & (at >= late_from[who]) & (at < until[who])], minlength=len(onset))
    before = np.bincount(who[usable & (at >= since[who]) & (at < onset[who])], minlength=len(onset))
    with np.errstate(divide="ignore", invalid="ignore"):
        rates = during / (until - late_from) * WEEK, before / (onset - since) * WEEK
    return known, *rates


def by_cause(tables, name, keep=None):
    """Mean events a week per cause: while it shows, and before."""
    known, during, before = weekly(tables, name, keep)
    cause = np.array(tables["truth"]["cause"].to_pylist())
    struck = {name: known & (cause == name) for name in CAUSES if name != "none"}
    return {name: (during[rows].mean(), before[rows].mean()) for name, rows in struck.items()}


def test_each_cause_shows_in_its_own_events_before_customers_leave_and_no_other_does():
    tables = world()
    failed = pc.equal(tables["payments"]["status"], "failed").to_numpy()
    opened = pc.equal(tables["tickets"]["event"], "complaint_opened").to_numpy()
    asked = pc.equal(tables["contacts"]["direction"], "inbound").to_numpy()
    reduced = pc.greater(tables["orders"]["discount"], 0).to_numpy()
    change = {
        "usage_fades": by_cause(tables, "usage"),
        "orders_fade": by_cause(tables, "orders"),
        "price": by_cause(tables, "orders", reduced),
        "complaints_pile_up": by_cause(tables, "tickets", opened),
        "payments_fail": by_cause(tables, "payments", failed),
        "bad_service": by_cause(tables, "contacts", asked),
    }
    for cause in ("usage_fades", "orders_fade", "price"):
        during, before = change[cause][cause]
        assert during < 0.45 * before
    for cause in ("complaints_pile_up", "payments_fail", "bad_service"):
        during, before = change[cause][cause]
        assert during > 5 * before
    for source, rates in change.items():
        for cause in set(rates) - {source, "orders_fade"}:
            during, before = rates[cause]
            assert during == pytest.approx(before, rel=0.35, abs=0.06), (source, cause)


def test_customers_with_bad_service_answer_surveys_badly():
    tables = world()
    who, at, usable = rows_of(tables, "surveys")
    truth, answer = tables["truth"], tables["surveys"]["answer"].to_numpy()
    csat = pc.equal(tables["surveys"]["survey"], "csat").to_numpy() & usable
    cause = np.array(truth["cause"].to_pylist())
    within = (at >= seconds(truth["onset"])[who] + WEEK) & (at < seconds(truth["solved_at"])[who])
    bad = csat & within & (cause[who] == "bad_service")
    assert answer[bad].mean() < 2.2
    assert answer[csat & (cause[who] != "bad_service")].mean() > 3.8


def test_the_reason_groups_of_causes_exist_and_are_told_apart():
    groups = [group for cause in CAUSES.values() for group in cause.groups]
    assert set(groups) <= set(GROUPS)
    assert len(groups) == len(set(groups))


@pytest.mark.parametrize("name", EVENTS)
def test_dirt_is_planted_as_documented(name):
    table, flaws = world()[name], LAYOUTS[name].flaws
    n = table.num_rows
    ids = table["customer_id"]
    blank = pc.sum(pc.equal(ids, "")).as_py()
    spaced = pc.sum(pc.ends_with(ids, " ")).as_py()
    assert blank == pytest.approx(FLAWS["blank_id"] * n if "blank_id" in flaws else 0, abs=1.1)
    assert spaced == pytest.approx(SPACED_IDS * n, abs=4 * np.sqrt(SPACED_IDS * n))
    distinct = table.group_by(table.column_names, use_threads=False).aggregate([]).num_rows
    assert n - distinct == pytest.approx(DUPLICATES * n, abs=2 + 0.0002 * n)
    at, readable = times(name, table)
    assert np.sum(~readable) == pytest.approx(FLAWS["unreadable_date"] * n * ("unreadable_date" in flaws), abs=1.1)
    outside = readable & ((at < START - DAY) | (at >= END + DAY))
    assert outside.sum() == pytest.approx(FLAWS["out_of_window"] * n * ("out_of_window" in flaws), abs=1.1)


def test_less_than_one_row_in_a_thousand_of_a_source_goes_to_quarantine():
    for layout in LAYOUTS.values():
        assert sum(FLAWS[flaw] for flaw in layout.flaws if flaw != "out_of_window") < 0.0005


def test_ids_have_leading_zeros_and_na_is_a_value():
    tables = world()
    assert tables["truth"]["customer_id"][0].as_py() == "0000001"
    assert "NA" in tables["customers"]["country"].to_pylist()
    assert "NA" in tables["surveys"]["comment"].to_pylist()
    assert (pc.sum(pc.less(tables["orders"]["amount"], 0))).as_py() == round(FLAWS["negative_amount"] * 30_000)


def test_nothing_is_recorded_before_it_happened_or_after_the_files_were_written():
    happened, recorded = (seconds(world()["usage"][name]) for name in ("started_at", "received_at"))
    assert (recorded - happened).min() >= 0
    assert DAY < (recorded - happened).max() <= 21 * DAY
    # Rows that were moved years away on purpose keep their delay and nothing else.
    assert recorded[happened < END].max() < END


def test_local_times_follow_the_clock_of_berlin():
    summer = int(datetime.fromisoformat("2025-07-01T12:00:00+02:00").timestamp())
    winter = int(datetime.fromisoformat("2025-12-01T12:00:00+01:00").timestamp())
    assert [int(s) % DAY // 3600 for s in local(np.array([summer, winter]))] == [12, 12]


def test_no_order_falls_into_the_hour_that_the_clock_shows_twice():
    at, readable = times("orders", world()["orders"])
    for day in ("2024-10-27", "2025-10-26"):
        twice = int(datetime.fromisoformat(f"{day}T02:00:00+00:00").timestamp())
        assert not (readable & (at >= twice) & (at < twice + 3600)).any()


def figures(tables):
    """What the table of figures in the document names."""
    truth, cancellations = tables["truth"], tables["cancellations"]["action"]
    left, begun, solved = seconds(truth["cancelled_at"]), started(tables), seconds(truth["solved_at"])
    caused = np.array(truth["cause"].to_pylist()) != "none"
    hazard = np.stack(tables["hazard"]["hazard"].combine_chunks().to_numpy(zero_copy_only=False))
    churned, p = [], []
    for weeks_back in range(4, 56, 4):
        as_of = END - weeks_back * WEEK
        there = (begun < as_of) & (left >= as_of)
        churned.append(left[there] < as_of + 4 * WEEK)
        p.append(churn_probability(hazard[there], as_of * SECOND_US, (as_of + 4 * WEEK) * SECOND_US))
    churned, p = np.concatenate(churned), np.concatenate(p)
    stays, over = left > END, caused & (solved < END)
    delay = seconds(tables["usage"]["received_at"]) - seconds(tables["usage"]["started_at"])
    undone = pc.sum(pc.equal(cancellations, "uncancel")).as_py()
    return {
        "events": sum(tables[name].num_rows for name in EVENTS),
        "customers still there at the end, %": 100 * stays.mean(),
        "leaving in 28 days, %": 100 * churned.mean(),
        "AUC of the true probability": roc_auc_score(churned, p),
        "of those still there at the end, with a cause at work, %": 100 * (caused & (solved > END))[stays].mean(),
        "of those whose cause is over, stayed, %": 100 * (left >= solved)[over].mean(),
        "cancellations taken back, %": 100 * undone / (len(cancellations) - undone),
        "usage recorded an hour or more late, %": 100 * (delay >= 3600).mean(),
    }


@pytest.mark.parametrize("seed", [1, 2])
def test_the_figures_of_the_document_hold(seed):
    rows = re.findall(r"^\| ([^|]+) \| ([\d.,]+) \| ([\d.,]+) \|$", DOC.read_text(encoding="utf-8"), flags=re.MULTILINE)
    documented = {name: tuple(float(v.replace(",", "")) for v in span) for name, *span in rows}
    found = figures(world(seed))
    assert set(documented) == set(found)
    assert {k: v for k, v in found.items() if not documented[k][0] <= v <= documented[k][1]} == {}


def test_the_document_describes_every_cause_as_it_is():
    text = DOC.read_text(encoding="utf-8")
    for name, cause in CAUSES.items():
        row = next(line for line in text.splitlines() if line.startswith(f"| {name} |")).strip(" |").split(" | ")
        lag, groups = (str(cause.lag_weeks), ", ".join(cause.groups)) if cause.groups else ("–", "–")
        assert row[2:] == [lag, f"× {cause.offer_hazard_ratio:.2f}", groups]


def test_the_document_names_every_folder_that_is_written():
    folders = {file.name.split("/")[0] for file in demo(size="small", seed=1, n_customers=5).files()}
    assert folders == set(re.findall(r"^\| `(\w+)` \|", DOC.read_text(encoding="utf-8"), flags=re.MULTILINE))


def test_a_world_without_customers_is_refused():
    with pytest.raises(UsageFault, match="at least 1 customer"):
        demo(size="small", seed=1, n_customers=0)


@cache
def declared():
    """What conf/data/demo.yaml says."""
    said = yaml.safe_load(CONF.read_text(encoding="utf-8"))["data"]
    said["sources"] = TypeAdapter(dict[str, Source]).validate_python(said["sources"])
    said["attributes"] = TypeAdapter(dict[str, Attributes]).validate_python(said["attributes"])
    said["nouns"] = TypeAdapter(dict[str, Noun]).validate_python(said["nouns"])
    return dataset(**said)


def test_the_declared_data_set_is_observed_as_long_as_the_world():
    assert (declared().observed_from, declared().observed_until) == (START * SECOND_US, END * SECOND_US)


def test_the_declaration_names_the_files_as_they_are_written():
    said = {name: source.files for name, source in {**declared().sources, **declared().attributes}.items()}
    assert said == {n: f"data/demo/{n}/*.{f.format}" for n, f in LAYOUTS.items() if n not in {"truth", "hazard"}}


@pytest.mark.parametrize("name", [*EVENTS, "customers"])
def test_the_data_contract_rejects_the_planted_dirt_and_nothing_else(name):
    rows = world()[name].combine_chunks()
    result = checked(rows.append_column(LINE, pa.array(range(rows.num_rows))), declared(), name=name, file=name)
    found = {pair["values"]: pair["counts"] for pair in pc.value_counts(result.rejected["reason"]).to_pylist()}
    reasons = {
        "blank_id": "customer_id_blank",
        "unreadable_date": "occurred_at_unreadable",
        "negative_amount": "left_out_negative_amount",
        "unknown_type": "event_type_unknown",
    }
    n = rows.num_rows
    planted = {reasons[flaw]: FLAWS[flaw] * n for flaw in LAYOUTS[name].flaws if flaw != "out_of_window"}
    assert set(found) <= set(planted)
    assert all(found.get(reason, 0) == pytest.approx(share, abs=1.1) for reason, share in planted.items())
    assert result.counts["rows"] == n
    assert {result.counts[count] for count in ("dst_gap", "dst_overlap", "clock_skew")} == {0}
