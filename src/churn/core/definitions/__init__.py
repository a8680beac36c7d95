"""Definitions of churn: who is live at `as_of`, and whose outcome is true, false or neither.

Each module has a function that takes the values of conf/definition and says what they mean, and how the two questions
are answered for a batch of customers. Being live sees what was known before `as_of`; the outcome sees what happened
after it, whenever it was recorded.
"""

from churn.core.definitions import cadence as _cadence
from churn.core.definitions import collapse as _collapse
from churn.core.definitions import contract as _contract
from churn.core.definitions import disappeared as _disappeared
from churn.core.definitions import inactivity as _inactivity
from churn.core.definitions.cadence import cadence
from churn.core.definitions.collapse import collapse
from churn.core.definitions.contract import contract
from churn.core.definitions.definition import Definition
from churn.core.definitions.disappeared import disappeared
from churn.core.definitions.inactivity import inactivity

__all__ = [
    "BACK",
    "DEFINITIONS",
    "LABEL",
    "LIVE",
    "Definition",
    "cadence",
    "collapse",
    "contract",
    "disappeared",
    "inactivity",
]

_KINDS = {
    "inactivity": _inactivity,
    "contract": _contract,
    "collapse": _collapse,
    "cadence": _cadence,
    "disappeared": _disappeared,
}

DEFINITIONS = {kind: getattr(module, kind) for kind, module in _KINDS.items()}
"""The churn definitions by the `kind` that conf/definition chooses."""
LIVE = {kind: module.live for kind, module in _KINDS.items()}
"""Kind → who is live at each as-of date, by what was known before it."""
LABEL = {kind: module.label for kind, module in _KINDS.items()}
"""Kind → who churned, and of whom that is true or false at all."""
BACK = {kind: module.back for kind, module in _KINDS.items()}
"""Kind → who came back within some days after the outcome was settled."""
