"""The language of features: what was known of each customer at `as_of`, as a handful of verbs."""

import numpy as np

from churn.core.history.answers import ANSWERS, UNITS, Cells, Gaps
from churn.core.timeline import KINDS, Timeline, kinds_mask
from churn.words.errors import Fault
from churn.words.tables import ROLES
from churn.words.windows import DAY_US

Days = int | tuple[int, int] | None
"""A window: `n` is `[as_of - n days, as_of)`; `(near, far)` is `[as_of - far, as_of - near)`; None reaches back to
the first."""

COLUMNS = {"amount": "amount_minor", "discount": "discount_minor", "quantity": "quantity_milli"}
"""The number columns as features name them, in units of currency and of quantity."""


class History:
    """What was known before `as_of`, per snapshot, shape `(n_snapshots,)` each.

    Features are run twice over it: first without answers, so that it learns all that will be asked, then, once the
    kernel has answered everything in one pass over the events, with them. A feature is arithmetic and must not branch
    on values.
    """

    def __init__(self) -> None:
        self._asked: dict[tuple, None] = {}
        self._answers: dict[tuple, np.ndarray] = {}
        self.as_of = np.zeros(0)
        """Instant of each snapshot in days since 1970 UTC."""

    def count(self, role: str, days: Days = None, *, state: str | None = None) -> np.ndarray:
        """Number of events of a role in a window. Without `state`, those in the role's first state."""
        return self._ask("window", _mask(role, state), -1, *_edges(days))

    def sum(self, role: str, column: str, days: Days = None, *, state: str | None = None) -> np.ndarray:
        """Sum of `amount`, `discount` or `quantity` in a window, in units; 0 where nothing happened."""
        name = _column(column)
        return self._ask("window", _mask(role, state), name, *_edges(days)) / UNITS[name]

    def answered(self, role: str, column: str, days: Days = None, *, state: str | None = None) -> np.ndarray:
        """Number of events of a role in a window whose `column` is not null."""
        return self._ask("window", _mask(role, state), "not null " + _column(column), *_edges(days))

    def active_days(self, role: str, days: Days = None, *, state: str | None = None) -> np.ndarray:
        """Number of days, counted in 24 hours back from `as_of`, with an event of a role in a window."""
        return self._ask("distinct", "day", _mask(role, state), *_edges(days))

    def distinct(self, role: str, column: str, days: Days = None, *, state: str | None = None) -> np.ndarray:
        """Number of different values of `channel` or `category` in a window; null is no value."""
        return self._ask("distinct", column, _mask(role, state), *_edges(days))

    def days_since(self, role: str | None, *, state: str | None = None) -> np.ndarray:
        """Days since the last event of a role (None: of any), with their fraction; NaN where there was none."""
        return self._ask("since", "last", _mask(role, state))

    def days_since_first(self, role: str | None, *, state: str | None = None) -> np.ndarray:
        """Days since the first event of a role (None: of any); NaN where there was none."""
        return self._ask("since", "first", _mask(role, state))

    def days_since_previous(self, role: str, *, state: str | None = None) -> np.ndarray:
        """Days since the last event but one of a role; NaN where there were fewer than two."""
        return self._ask("since", "before", _mask(role, state))

    def last(self, role: str, column: str, *, state: str | None = None) -> np.ndarray:
        """Value of a number column at the last event of a role, in units; NaN where there is none."""
        return self._ask("value", "last", _mask(role, state), _column(column))

    def previous(self, role: str, column: str, *, state: str | None = None) -> np.ndarray:
        """Value of a number column at the last event but one, in units; NaN where there is none."""
        return self._ask("value", "before", _mask(role, state), _column(column))

    def gaps(self, role: str, days: int, *, state: str | None = None) -> Gaps:
        """Gaps between the active days of a role in `[as_of - days, as_of)`."""
        return Gaps(*(self._ask("gaps", _mask(role, state), days, part) for part in range(5)))

    def answer(self, line: Timeline, cells: Cells) -> "History":
        """A history that answers, for one batch, all that this one was asked."""
        answered = History()
        answered._asked = self._asked
        answered.as_of = cells.as_ofs[cells.as_of_index] / DAY_US
        for verbs, answers in ANSWERS:
            asked = [ask for ask in self._asked if ask[0] in verbs]
            if asked:
                answered._answers.update(answers(line, cells, asked))
        return answered

    def _ask(self, *ask: object) -> np.ndarray:
        if self._answers:
            return self._answers[ask]
        self._asked[ask] = None
        return np.zeros(0)


def _mask(role: str | None, state: str | None) -> int:
    if role is None:
        return sum(1 << code for code in KINDS.values())
    return kinds_mask(role, state or ROLES[role][0])


def _edges(days: Days) -> tuple[int, int | None]:
    near, far = days if isinstance(days, tuple) else (0, days)
    if near < 0 or (far is not None and far <= near):
        raise Fault(f"a window reaches from near to far before as_of, such as 30 or (30, 60), got {days}")
    return near * DAY_US, None if far is None else far * DAY_US


def _column(column: str) -> str:
    if column not in COLUMNS:
        raise Fault(f"number columns are {', '.join(COLUMNS)}, got {column!r}")
    return COLUMNS[column]
