"""History: what was known of each customer at `as_of`, one number per snapshot and question.

This is the one door through time: nothing behind it sees an event that occurred or was recorded at `as_of` or later.
`verbs` is the language of features, `answers` puts its questions to the `kernel`, which answers them all in one pass.
"""

from churn.core.history.answers import Cells, Gaps, WindowSpec, locate, own_gaps, window_sums
from churn.core.history.verbs import Days, History

__all__ = ["Cells", "Days", "Gaps", "History", "WindowSpec", "locate", "own_gaps", "window_sums"]
