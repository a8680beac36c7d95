"""Protocols: which data, which definition, which as-of dates learn and which one is predicted."""

from collections.abc import Mapping
from dataclasses import dataclass

PARTS = ("train", "validation", "calibration", "test")
OURS = "lightgbm"
"""The model of conf/config.yaml, whose difference from every other one is shown."""
ALSO_OURS = ("blend", "ladder", "logistic")
"""What contains it, or learns from the same features: other choices of `model=`, no peers."""
KINDS = (OURS, *ALSO_OURS, "logistic_rfm", "bg_nbd", "own_mean", "rule")
"""The product's kinds, each with the parameters of its file in conf/model."""
PEERS = ("featuretools", "flaml")
"""What others would take: both get the same rows; each works in an environment of its own."""
TRYING = "flaml"
"""The peer that tries settings, `Protocol.tries` of them."""


@dataclass(frozen=True)
class Protocol:
    """One table of the benchmark.

    `overrides` are composed with conf/. `days_before` holds, for each part, its as-of dates as days before the end of
    the data; None: the product's own sections `snapshots` and `split` decide. `shifts`: the same once more with every
    date so many days earlier. `file` is a raw file that no package brings, as (path under the shared data, path under
    data/raw). `packaged`: the table of a package that the benchmark installs: all of the data where `data` says so
    itself, otherwise the customers to keep. `customers_seeds`: instead of a later date, customers are the test, 30 % of
    them or each of so many `folds`, once for each seed. `models`: those that can work with the data. `tries`: how many
    settings the AutoML tries in each split.
    """

    data: str
    text: str
    overrides: tuple[str, ...]
    days_before: Mapping[str, tuple[int, ...]] | None = None
    shifts: tuple[int, ...] = (0,)
    file: tuple[str, str] | None = None
    packaged: str | None = None
    customers_seeds: tuple[int, ...] = ()
    folds: int = 0
    models: tuple[str, ...] = (*KINDS, *PEERS)
    tries: int = 100


BASKETS_28 = (
    "data=complete_journey",
    "definition.live_days=90",
    "definition.horizon_days=28",
    "snapshots.most=12",
)
CDNOW = ("cdnow/cdnow_master.csv.gz", "cdnow/cdnow_master.csv.gz")
ONLINE_RETAIL = ("online_retail/online_retail.parquet", "online_retail/online_retail.parquet")
DATES_28 = {
    "train": (154, 140, 126, 112),
    "embargo": (98, 70),
    "validation": (84,),
    "calibration": (56,),
    "test": (28,),
}
"""The dates of `complete_journey_28`, where the product's own sections decide."""
FOUR_DATES = (0, 28, 56, 84)
SEVERAL_TRIES = 40
"""Fewer settings where there are several splits, so that the whole benchmark stays below an hour."""


PROTOCOLS: dict[str, Protocol] = {
    "complete_journey_28": Protocol(
        data="complete_journey",
        text="live: a basket in the last 90 days; churned: none in the next 28; test: end - 28 days; 8 dates to learn "
        "from, 14 days apart, all matured by then; the end is the midnight after the newest basket on the file's clock",
        # The file's clock is UTC, on which the newest basket carries 2018-01-01 04:01, so that the last day holds four
        # hours only. Reference figures with a base rate of 15.5 % end there; to be comparable, this protocol does too.
        # The end itself, one date that is not matured, the test, one that is not matured at the test, and eight.
        overrides=(*BASKETS_28, 'data.observed_until="2018-01-01T19:00"'),
    ),
    "complete_journey_28_local": Protocol(
        data="complete_journey",
        text="the same, but the end is local midnight, up to which the baskets are complete (docs/decisions/0005)",
        overrides=BASKETS_28,
        # The same data and nearly the same date: peers beside it would be shown twice.
        models=(OURS, "rule"),
    ),
    "complete_journey_28_dates": Protocol(
        data="complete_journey",
        text="complete_journey_28 at four test dates, 28 days apart, the newest its own; at each the 8 dates to learn "
        "from are as long before, and all matured by then",
        overrides=(*BASKETS_28, 'data.observed_until="2018-01-01T19:00"'),
        days_before=DATES_28,
        shifts=FOUR_DATES,
        tries=SEVERAL_TRIES,
    ),
    "complete_journey_60_14": Protocol(
        data="complete_journey",
        text="live: a basket in the last 60 days; churned: none in the next 14; test: end - 14 days; 8 dates to learn "
        "from, 14 days apart, all matured by then",
        overrides=(
            "data=complete_journey",
            "definition.live_days=60",
            "definition.horizon_days=14",
            "snapshots.most=10",
        ),
    ),
    "online_retail_90": Protocol(
        data="online_retail",
        text="live: a purchase in the last 180 days; churned: none in the next 90 (a cancellation is none); test: end "
        "- 90 days; 4 dates to learn from, 14 days apart, all matured by then",
        overrides=("data=online_retail", "definition.live_days=180", "definition.horizon_days=90"),
        # 373 days have no room for an embargo between the parts that learn; none of their labels meets the test.
        days_before={"train": (222, 208), "validation": (194,), "calibration": (180,), "test": (90,)},
        file=ONLINE_RETAIL,
    ),
    "online_retail_28_dates": Protocol(
        data="online_retail",
        text="live: a purchase in the last 90 days; churned: none in the next 28 (a cancellation is none); four test "
        "dates, 28 days apart, the newest the end - 28 days; before each 8 dates to learn from, 14 days apart, all "
        "matured by then",
        overrides=("data=online_retail", "definition.live_days=90", "definition.horizon_days=28"),
        # The oldest date of all lies 135 days after the first invoice.
        days_before=DATES_28,
        shifts=FOUR_DATES,
        file=ONLINE_RETAIL,
        tries=SEVERAL_TRIES,
    ),
    "cdnow_master": Protocol(
        data="cdnow",
        text="all 23,570 customers; as_of 1998-01-01; churned: no purchase in the next 181 days; learnt only from what "
        "lies before 1998-01-01: 7 dates, 14 days apart, the newest 1997-07-04",
        overrides=("data=cdnow", "definition.live_days=null", "definition.horizon_days=181"),
        days_before={
            "train": (446, 432, 418, 404, 390),
            "validation": (376,),
            "calibration": (362,),
            "test": (181,),
        },
        file=CDNOW,
        # 63 took 155 s of processor time, and the next four 37 s more: forests of many trees on 118,000 rows.
        tries=60,
    ),
    "cdnow_90_dates": Protocol(
        data="cdnow",
        text="all 23,570 customers; churned: no purchase in the next 90 days; four test dates, 28 days apart, the "
        "newest the end - 90 days; before each 7 dates to learn from, 14 days apart, all matured by then",
        overrides=("data=cdnow", "definition.live_days=null", "definition.horizon_days=90"),
        # No embargo between the parts that learn, as in cdnow_master: with one, they would begin before the cohort was
        # complete. On the oldest date of all its newest members are 15 weeks old.
        days_before={
            "train": (264, 250, 236, 222, 208),
            "validation": (194,),
            "calibration": (180,),
            "test": (90,),
        },
        shifts=FOUR_DATES,
        file=CDNOW,
        # Four times the whole cohort takes long: of ours only the trees and the logistic regression.
        models=(OURS, "logistic", "logistic_rfm", "bg_nbd", "own_mean", "rule", *PEERS),
        tries=SEVERAL_TRIES,
    ),
    "cdnow_sample": Protocol(
        data="cdnow",
        text="the 2,357 customers of the papers on CDNOW (docs/decisions/0021); 39 weeks, then churned: no purchase in "
        "the next 26 weeks; 30 % of the customers of either outcome are the test, as scikit-learn draws them with the "
        "seeds 4000-4014",
        overrides=("data=cdnow", "definition.live_days=null", "definition.horizon_days=182"),
        # 1997-10-01, 39 weeks after 1997-01-01.
        days_before={"test": (273,)},
        file=CDNOW,
        packaged="cdnow_sample",
        customers_seeds=tuple(range(4000, 4015)),
        tries=SEVERAL_TRIES,
    ),
    "tv_subscription": Protocol(
        data="tv_subscription",
        text="9,379 customers of a TV provider with 46 features without names, and what a mistake with each of them "
        "costs; no dates, so customers are the test: 5 folds x 5 seeds; no purchases, so that a blend would have the "
        "trees alone to blend",
        overrides=(),
        packaged="tv_subscription",
        customers_seeds=tuple(range(1, 6)),
        folds=5,
        # No events, no dates: nothing to count purchases of or to synthesise features from.
        models=(OURS, "ladder", "logistic", "flaml"),
        tries=SEVERAL_TRIES,
    ),
    "demo": Protocol(
        data="demo",
        text="the simulated subscription business of 2,000 customers, as `churn run` would have it: its definition, "
        "its dates, its split",
        overrides=("data=demo",),
    ),
}
