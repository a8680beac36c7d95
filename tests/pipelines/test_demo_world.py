"""The real pipeline on the demo world, whose truth is known: the same bytes, and reasons that name the true cause."""

import json
import re

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from churn.core.demo.causes import CAUSES
from churn.shell.delivery import verify
from tests.pipelines.project import CHURN, digests, done

AT_RISK = 0.2
"""Share of the list, by score, that counts as at risk."""
NAMED = 0.8
"""Share of the customers at risk with a known cause whose cause must be among the first two reasons (issue 2)."""


def manifest(project):
    return json.loads((project.folder / "deliveries/latest/manifest.json").read_text())


def test_two_runs_give_the_same_bytes_tracked_or_not(demo_runs):
    one, other = (project.folder for project in demo_runs)
    assert digests(one) == digests(other)
    assert digests(one, "deliveries/latest/risk_list*") == digests(other, "deliveries/latest/risk_list*")
    assert digests(one, "deliveries/latest/*.html") == digests(other, "deliveries/latest/*.html")


def test_manifests_of_two_runs_differ_in_the_parameters_only(demo_runs):
    one, other = map(manifest, demo_runs)
    assert one.pop("params_digest") != other.pop("params_digest")
    assert one == other


def test_without_tracking_there_is_no_store_and_the_report_says_why(demo_runs):
    tracked, alone = (json.loads((p.folder / "reports/tracking.json").read_text()) for p in demo_runs)
    assert tracked["tracked"]
    assert alone == {
        "tracked": False,
        "why": "tracking.enabled is false",
        "git_commit": alone["git_commit"],
        "git_changed_files": 0,
    }
    assert len(alone["git_commit"]) == 40
    assert (demo_runs[0].folder / "mlruns/mlflow.db").exists()
    assert not (demo_runs[1].folder / "mlruns").exists()


def test_what_was_delivered_is_what_its_manifest_says(demo_run):
    verify(demo_run.folder / "deliveries/latest")
    assert manifest(demo_run)["as_of"] == "2025-12-29"


def test_a_second_run_does_nothing(demo_run):
    before = digests(demo_run.folder), digests(demo_run.folder, "deliveries/.versions/*/*")
    again = done(demo_run.folder, *CHURN, "run")
    assert again.returncode == 0, again.stderr
    states = dict(line.split()[:2] for line in again.stderr.splitlines())
    assert {stage for stage, state in states.items() if state != "unchanged"} == {"raw"}
    assert "Nothing changed; still deliveries/2025-12-29" in again.stdout
    assert before == (digests(demo_run.folder), digests(demo_run.folder, "deliveries/.versions/*/*"))


def test_no_library_warns(demo_run):
    assert "Running stage 'tracking'" in demo_run.log
    assert not re.findall(r"^.*(?i:warning|deprecat|traceback).*$", demo_run.log, re.MULTILINE)


def test_the_truth_is_no_input(demo_run):
    inventory = json.loads((demo_run.folder / "data/raw.json").read_text())
    written = {path.name for path in demo_run.folder.glob("data/demo/*/*")}
    assert {file["name"] for file in inventory} == {
        name for name in written if not name.startswith(("truth", "hazard"))
    }


def test_planted_dirt_is_kept_in_quarantine_and_counted(demo_run):
    total = json.loads((demo_run.folder / "reports/events.json").read_text())["total"]
    assert total["quarantined"] == pq.read_metadata(demo_run.folder / "data/quarantine.parquet").num_rows > 0
    assert total["rows"] == total["kept"] + total["duplicates"] + total["quarantined"] + total["out_of_window"]


def test_the_true_cause_of_most_customers_at_risk_is_among_their_first_two_reasons(demo_run):
    causes, named = causes_at_risk(demo_run.folder), groups_named(demo_run.folder, most=2)
    right = [bool(named.get(customer, set()) & set(CAUSES[cause].groups)) for customer, cause in causes.items()]
    assert len(right) >= 50, "too few customers with a known cause to judge"
    assert sum(right) / len(right) >= NAMED


def causes_at_risk(folder) -> dict[str, str]:
    """The cause of each customer in the top of the list by score on whom one is at work at the as_of of the list."""
    scores = pq.read_table(folder / "data/scores.parquet")
    order = pc.sort_indices(scores, [("score", "descending"), ("customer_id", "ascending")])
    head = scores.take(order[: round(len(scores) * AT_RISK)])["customer_id"].combine_chunks()
    truth = pa.concat_tables(map(pq.read_table, sorted((folder / "data/demo/truth").glob("truth-*.parquet"))))
    as_of = scores["as_of"][0]
    active = pc.and_(pc.less(truth["onset"], as_of), pc.greater(truth["solved_at"], as_of))
    found = truth.filter(pc.and_(active, pc.is_in(truth["customer_id"], value_set=head)))
    return dict(zip(found["customer_id"].to_pylist(), found["cause"].to_pylist(), strict=True))


def groups_named(folder, most: int) -> dict[str, set[str]]:
    """The groups of each customer's first reasons for leaving."""
    found: dict[str, set[str]] = {}
    for row in pq.read_table(folder / "data/reasons.parquet").to_pylist():
        if row["direction"] == "leaving" and row["position"] <= most:
            found.setdefault(row["customer_id"], set()).add(row["group"])
    return found
