"""The lab of definitions: what each way of saying churn would find in the same history.

`outcomes` looks at a batch of whole customers, `findings` at all of them together.
"""

from churn.core.lab.findings import Findings, findings
from churn.core.lab.outcomes import Outcomes, Trial, outcomes, trials
from churn.core.lab.returns import Returns

__all__ = ["Findings", "Outcomes", "Returns", "Trial", "findings", "outcomes", "trials"]
