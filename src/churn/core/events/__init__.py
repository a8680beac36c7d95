"""Events: rows of any file, mapped and checked, as functions of an Arrow batch."""

from churn.core.events.rows import LINES, STATEMENTS, Checked, checked

__all__ = ["LINES", "STATEMENTS", "Checked", "checked"]
