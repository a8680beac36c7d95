"""Digests see what a unit is made of, and nothing else."""

import numpy as np
import pyarrow as pa
import pytest
from worlds import NO_ATTRIBUTES, attributes_table, events_table, random_events, same_bytes, snapshots_at, us, world

from churn.core.features import features, windows
from churn.core.touched import remade
from churn.words.tables import CODE, ROLES, SUPERSEDED

AS_OFS = [us("2023-02-01"), us("2023-03-01")]
WORLD = """
customer  occurred    recorded    role      amount  channel
anna      2023-01-05  2023-01-05  purchase  10      web
anna      2023-01-05  2023-01-05  purchase  20      shop
anna      2023-01-20  2023-02-10  purchase  30      -
bert      2023-01-07  2023-01-07  usage     -       app
"""


def none(*tables):
    return tables[1].select(["customer_id", "as_of"])


def digests(events, attributes=NO_ATTRIBUTES):
    """The digest of each snapshot, by customer and place of the as-of date."""
    given = (events.drop_columns(["event_id", "text"]), snapshots_at(world(WORLD), AS_OFS), attributes)
    found = remade(none, given, None, unit="snapshot").digests
    halves = zip(found["high"].to_pylist(), found["low"].to_pylist(), strict=True)
    return dict(zip([("anna", 0), ("anna", 1), ("bert", 0), ("bert", 1)], halves, strict=True))


def changed(text, attributes=NO_ATTRIBUTES):
    """Which snapshots have another digest than those of WORLD."""
    before, now = digests(world(WORLD)), digests(world(text), attributes)
    return [unit for unit in before if before[unit] != now[unit]]


def test_an_event_counts_from_the_first_as_of_after_it_was_recorded():
    assert changed(WORLD.replace("30      -", "31      -")) == [("anna", 1)]
    assert changed(WORLD.replace("10      web", "11      web")) == [("anna", 0), ("anna", 1)]
    assert changed(WORLD + "bert  2023-01-08  2023-03-01  usage  -  app\n") == []
    assert changed(WORLD + "bert  2023-01-08  2023-02-28  usage  -  app\n") == [("bert", 1)]


def test_that_an_event_was_corrected_counts_from_the_first_as_of_after_the_correction():
    events = world(WORLD)
    place = events.schema.get_field_index(SUPERSEDED)
    for day, units in (("2023-01-05", 2), ("2023-02-10", 1), ("2024-01-01", 0)):
        instants = pa.array([us(day)] + [None] * (len(events) - 1), pa.int64()).cast(events.schema.field(place).type)
        before, now = digests(events), digests(events.set_column(place, events.schema.field(place), instants))
        assert sum(before[unit] != now[unit] for unit in before) == units, day


@pytest.mark.parametrize(
    ("old", "new"), [("web", "-"), ("web", "webb"), ("-       app", "0       app"), ("usage ", "survey")]
)
def test_every_column_counts_and_null_is_neither_nought_nor_empty(old, new):
    assert len(changed(WORLD.replace(old, new))) == 2


def test_the_order_of_events_at_one_instant_counts():
    lines = WORLD.strip().splitlines()
    assert changed("\n".join([lines[0], lines[2], lines[1], *lines[3:]])) == [("anna", 0), ("anna", 1)]


def test_the_same_event_twice_is_not_the_event_once():
    assert changed(WORLD + "bert  2023-01-07  2023-01-07  usage  -  app\n") == [("bert", 0), ("bert", 1)]


def test_what_is_said_of_a_customer_counts_once_it_is_valid_and_recorded():
    said = "customer_id  name  valid_from  recorded_at  value\nbert  plan  2023-02-02  2023-01-01  gold"
    assert changed(WORLD, attributes_table(said)) == [("bert", 1)]


def test_a_text_counts_and_not_its_code_in_this_file():
    events = world(WORLD)
    words = pa.array(["zoo", "shop", "app", "web"])
    codes = pa.array([3, 1, None, 2], pa.int32())
    recoded = pa.DictionaryArray.from_arrays(codes, words).cast(CODE)
    other = events.set_column(events.column_names.index("channel"), events.schema.field("channel"), recoded)
    assert other["channel"].to_pylist() == events["channel"].to_pylist()
    assert digests(other) == digests(events)


def test_digests_of_many_different_histories_all_differ_in_both_halves():
    events = events_table(random_events(5, customers=300, most=4))
    found = remade(none, (events, snapshots_at(events, [us("2025-01-01")]), NO_ATTRIBUTES), None, unit="snapshot")
    for half in ("high", "low"):
        assert len(found.digests[half].unique()) == 300


def test_features_of_some_customers_and_dates_are_those_of_all():
    events = events_table(random_events(11, customers=12, most=40))
    snapshots = snapshots_at(events, [us("2023-06-15"), us("2023-08-14"), us("2024-02-10")])
    told = {"lookback": windows(windows_days=(7, 90), period_days=30, periods=3), "roles": tuple(ROLES)}
    whole = features(events, snapshots, NO_ATTRIBUTES, **told, attribute_names=())
    rng = np.random.default_rng(2)
    for _ in range(20):
        rows = np.flatnonzero(rng.random(snapshots.num_rows) < rng.choice([0.0, 0.05, 0.5]))
        some = snapshots.take(pa.array(rows, pa.int64()))
        theirs = events.filter(pa.compute.is_in(events["customer_id"], value_set=some["customer_id"].combine_chunks()))
        narrow = features(theirs, some, NO_ATTRIBUTES, **told, attribute_names=())
        assert same_bytes(narrow, whole.take(pa.array(rows, pa.int64())))
