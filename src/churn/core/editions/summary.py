"""The summary of a list: what churn means in it, when it was made, and what is at stake."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

from churn.core.dataset import Dataset
from churn.core.definitions import Definition
from churn.core.definitions.sentences import churn_in_words
from churn.core.editions.headings import LANGUAGES


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
    notice : dict
        Language → what a reader must know of the order of the list; empty where it is that of a proven model.
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
    notice: dict[str, str]

    @property
    def as_of_text(self) -> str:
        """The as-of as a local date, with the time of day where it is not midnight."""
        return local_text(self.as_of)


def summary(listed: pa.Table, *, dataset: Dataset, definition: Definition, order: dict[str, str]) -> Summary:
    """The summary of a RISK_LIST with at least one customer; `order` is that of `churn.core.promotion.order`."""
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
        notice={language: order[language] for language in LANGUAGES},
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
