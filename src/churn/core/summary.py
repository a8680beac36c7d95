"""The summary of a list: what churn means in it, when it was made, and what is at stake."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

from churn.core.dataset import Dataset, Noun
from churn.core.snapshots import Definition


@dataclass(frozen=True)
class Summary:
    """What a reader must know before the first row.

    Attributes
    ----------
    as_of : datetime
        In local time of the business, without zone, as Excel wants it.
    churn : dict
        Language → what churn means here, in words.
    expected_churners : float
        Sum of the probabilities.
    expected_value, value_at_risk : float
        Sums over all customers, in units of `currency`.
    """

    name: str
    as_of: datetime
    observed_until: str
    time_zone: str
    currency: str
    model_version: str
    horizon_days: int
    churn: dict[str, str]
    n_customers: int
    expected_churners: float
    expected_value: float
    value_at_risk: float

    @property
    def as_of_text(self) -> str:
        """The as-of as a local date, with the time of day where it is not midnight."""
        return local_text(self.as_of)


def summary(listed: pa.Table, *, dataset: Dataset, definition: Definition) -> Summary:
    """The summary of a RISK_LIST with at least one customer."""
    zone = ZoneInfo(dataset.time_zone)
    return Summary(
        name=dataset.name,
        as_of=listed["as_of"][0].as_py().astimezone(zone).replace(tzinfo=None),
        observed_until=local_text(datetime.fromtimestamp(dataset.observed_until / 1e6, zone).replace(tzinfo=None)),
        time_zone=dataset.time_zone,
        currency=listed["currency"][0].as_py(),
        model_version=listed["model_version"][0].as_py(),
        horizon_days=definition.horizon_days,
        churn=churn_in_words(definition, dataset.nouns),
        n_customers=len(listed),
        expected_churners=pc.sum(listed["score"]).as_py(),
        expected_value=pc.sum(listed["expected_value"]).as_py(),
        value_at_risk=pc.sum(listed["value_at_risk"]).as_py(),
    )


def local_text(moment: datetime) -> str:
    """A local date; with the time of day where it is not the start of the day.

    >>> local_text(datetime(2018, 1, 1)), local_text(datetime(2018, 1, 1, 6, 30))
    ('2018-01-01', '2018-01-01 06:30')
    """
    return moment.strftime("%Y-%m-%d" if is_midnight(moment) else "%Y-%m-%d %H:%M")


def is_midnight(moment: datetime) -> bool:
    """Whether a day starts then, so that its date says it all."""
    return moment == datetime.combine(moment.date(), datetime.min.time())


def churn_in_words(definition: Definition, nouns: dict[str, Noun]) -> dict[str, str]:
    """What the definition says, as a sentence a language, with the data set's nouns where it has some.

    >>> from churn.core.dataset import ROLE_NOUNS
    >>> churn_in_words(Definition("inactivity", 0, 28, live_days=90, roles=("purchase",)), ROLE_NOUNS)["en"]
    'Customers with a purchase in the 90 days before the as-of date; leaving means no purchase in the 28 days after it.'
    """
    words = [nouns[role] for role in definition.roles]
    return SENTENCES[definition.kind](definition, words)


def _inactivity(definition: Definition, words: list[Noun]) -> dict[str, str]:
    en, zh = _either(words)
    live = definition.live_days
    before = f"in the {live} days before the as-of date" if live else "at any time before the as-of date"
    since = f"截至日前 {live} 天内" if live else "截至日前"
    after = _outcome_window(definition)
    return {
        "en": f"Customers with {_with_article(en)} {before}; leaving means no {en} {after['en']}.",
        "zh": f"{since}有过{zh}的客户；{after['zh']}没有{zh}即视为流失。",
    }


def _contract(definition: Definition, words: list[Noun]) -> dict[str, str]:
    en, zh = _either(words)
    after, grace = _outcome_window(definition), definition.grace_days
    kept = f" that is not undone within {grace} days" if grace else ""
    undone = f"且未在 {grace} 天内撤销" if grace else ""
    return {
        "en": f"Customers with {_with_article(en)} before the as-of date who have not cancelled; "
        f"leaving means a cancellation {after['en']}{kept}.",
        "zh": f"截至日前有过{zh}且未解约的客户；{after['zh']}解约{undone}即视为流失。",
    }


def _either(words: list[Noun]) -> tuple[str, str]:
    return " or ".join(noun.one for noun in words), "或".join(noun.zh for noun in words)


def _with_article(noun: str) -> str:
    # No u: "a use" is more common among what customers do than any word that wants "an" before it.
    return f"{'an' if noun[0].lower() in 'aeio' else 'a'} {noun}"


def _outcome_window(definition: Definition) -> dict[str, str]:
    gap, horizon = definition.gap_days, definition.horizon_days
    if not gap:
        return {"en": f"in the {horizon} days after it", "zh": f"其后 {horizon} 天内"}
    return {
        "en": f"in the {horizon} days that begin {gap} days after it",
        "zh": f"其后第 {gap + 1} 天起的 {horizon} 天内",
    }


SENTENCES = {"inactivity": _inactivity, "contract": _contract}
"""How a definition is told, by its kind."""
