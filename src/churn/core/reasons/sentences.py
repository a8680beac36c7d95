"""The sentences, by group and direction. Of one group and direction, the first that is true of a customer is said.

The conditions make a sentence say only what is so: a group may weigh towards leaving for a reason that no condition
here catches, and then a later, plainer sentence states the facts without judging them.
"""

from churn.core.reasons.activity import drop, silence, spend, usage_quantity
from churn.core.reasons.circumstances import campaigns, circumstances, discounts, returns, variety
from churn.core.reasons.sentence import Sentence
from churn.core.reasons.service import complaints, contacts, payments, survey

SENTENCES: tuple[Sentence, ...] = (
    *silence("purchase"),
    *silence("usage"),
    *drop("purchase", "purchases"),
    *usage_quantity(),
    *drop("usage", "sessions"),
    *spend(),
    *complaints(),
    *contacts(),
    *payments(),
    *survey(),
    *campaigns(),
    *discounts(),
    *returns(),
    *variety(),
    *circumstances(),
)
"""Every sentence, in the order in which those of one group are tried."""
