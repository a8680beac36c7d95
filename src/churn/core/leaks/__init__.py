"""The leak defence: whether the future, or the outcome itself, has got into what a model learns from.

`future` runs the makers of features again on worlds with another future, `telltale` looks for what says too much, and
`controls` does what must fail, or must come out the same, if nothing leaks.
"""

from churn.core.leaks.alarm import Alarm
from churn.core.leaks.controls import learns_from_noise, not_rebuilt, overlapping_windows, too_good
from churn.core.leaks.future import sees_the_future
from churn.core.leaks.inspection import inspection

__all__ = [
    "Alarm",
    "inspection",
    "learns_from_noise",
    "not_rebuilt",
    "overlapping_windows",
    "sees_the_future",
    "too_good",
]
