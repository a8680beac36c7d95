"""Events: rows of any file, mapped and checked batch by batch, and the account of what became of them."""

from churn.core.events.reconciliation import reconciliation
from churn.core.events.rows import LINES, STATEMENTS, Checked, checked

__all__ = ["LINES", "STATEMENTS", "Checked", "checked", "reconciliation"]
