"""Events: rows of any file, mapped and checked batch by batch, and the account of what became of them."""

from churn.core.events.clock import Clock
from churn.core.events.reconciliation import Shown, reconciliation, shown_of
from churn.core.events.rows import LINES, STATEMENTS, Checked, checked
from churn.core.events.survey import Survey

__all__ = ["LINES", "STATEMENTS", "Checked", "Clock", "Shown", "Survey", "checked", "reconciliation", "shown_of"]
