"""The space: which settings of boosted trees are looked for, and how far."""

from collections.abc import Mapping
from typing import Any

from churn.words.settings import Choice, Setting, Span, Values

SPACE: tuple[Setting, ...] = (
    # Two leaves are a stump; beyond 63, trees learnt customers by heart on every data set (docs/decisions/0009).
    Span("num_leaves", 3, 63, whole=True, log=True),
    # A customer gives a row an as_of: 20 rows may be two customers, and 2,000 are more than many segments have.
    Span("min_data_in_leaf", 20, 2000, whole=True, log=True),
    # Slower than 0.01 does not end within rounds_most; faster than 0.2 takes ten trees, and chance decides.
    Span("learning_rate", 0.01, 0.2, whole=False, log=True),
    # Of some 250 columns, many of which say the same, a tenth still holds every family.
    Span("feature_fraction", 0.1, 1.0, whole=False, log=False),
    Span("lambda_l2", 0.1, 100.0, whole=False, log=True),
    # From a quarter, which forgets last season, to two years, which hardly forgets; None: all rows count the same.
    Choice("half_life_days", (None, 90.0, 180.0, 365.0, 730.0)),
)


def space(section: Mapping[str, Any]) -> tuple[Setting, ...]:
    """`SPACE`, widened where the settings in use lie outside, so that they are the first trial."""
    return tuple(_holding(setting, section[setting.name]) for setting in SPACE)


def in_use(section: Mapping[str, Any]) -> Values:
    """What the section `model` says of every setting that is looked for."""
    return {setting.name: section[setting.name] for setting in SPACE}


def _holding(setting: Setting, value: float | None) -> Setting:
    if isinstance(setting, Choice):
        return setting if value in setting.values else setting._replace(values=(*setting.values, value))
    assert value is not None
    # A logarithm wants more than 0; what is 0 in use is not looked for on a logarithmic scale.
    low = min(setting.low, value)
    return setting._replace(low=low, high=max(setting.high, value), log=setting.log and low > 0)
