"""Features: what was known of each customer at each `as_of`, one column each, with words for all of them.

To add a feature, add one `Feature` to a family in this package: it then appears in the table, in docs/features.md and
in the reasons of its group.
"""

from functools import partial
from typing import Annotated

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from annotated_types import Ge, MinLen

from churn.core.arrays import arrow, numbers, one_chunk
from churn.core.features.attributes import attribute_columns
from churn.core.features.drop import Measured, drop
from churn.core.features.feature import GROUPS, Feature, Windows
from churn.core.features.money import discounts, payments, returns, spend
from churn.core.features.person import campaigns, season, tenure
from churn.core.features.service import complaints, contacts, survey
from churn.core.features.silence import silence
from churn.core.features.volume import PLURAL, QUANTITY, variety, volume
from churn.core.timeline import Timeline, instants
from churn.core.versions import as_known
from churn.words.tables import ROLES

__all__ = ["GROUPS", "Feature", "Windows", "catalogue", "computed", "features", "windows"]


MEASURED = (
    Measured(
        "purchases",
        "purchase_drop",
        "purchase",
        "{purchase.many}",
        "{purchase.zh}次数",
        lambda h, d: h.count("purchase", d),
    ),
    Measured("sessions", "usage_drop", "usage", "{usage.many}", "{usage.zh}次数", lambda h, d: h.count("usage", d)),
    Measured(
        "usage_quantity", "usage_drop", "usage", *QUANTITY["usage"][1:], lambda h, d: h.sum("usage", "quantity", d)
    ),
    Measured("spend", "spend_drop", "purchase", "spend", "消费额", lambda h, d: h.sum("purchase", "amount", d)),
)
"""What may drop."""


def windows(
    *,
    windows_days: Annotated[tuple[Annotated[int, Ge(1)], ...], MinLen(1)],
    period_days: Annotated[int, Ge(1)],
    periods: Annotated[int, Ge(2)],
) -> Windows:
    """The lookback windows `[as_of - n days, as_of)`, and the equal periods over which trends are taken."""
    return Windows(tuple(sorted(set(windows_days))), period_days, periods)


def catalogue(lookback: Windows, roles: tuple[str, ...] = tuple(ROLES)) -> tuple[Feature, ...]:
    """Every feature that a data set with these event roles has, in the order of the table's columns."""
    days = lookback.windows_days
    found: list[Feature] = []
    for role in PLURAL:
        found += [*silence(role), *volume(role, days), *variety(role, days)]
    for measured in MEASURED:
        found += drop(measured, lookback)
    found += [*spend(days), *discounts(days), *returns(days), *payments(days)]
    found += [*complaints(days), *contacts(days), *survey(), *campaigns(days), *tenure(), *season()]
    return tuple(feature for feature in found if feature.role is None or feature.role in roles)


def features(
    events: pa.Table,
    snapshots: pa.Table,
    attributes: pa.Table,
    *,
    lookback: Windows,
    roles: tuple[str, ...],
    attribute_names: tuple[str, ...],
) -> pa.Table:
    """One row per snapshot, one float32 column per feature, one text column per customer attribute.

    Parameters
    ----------
    events : pa.Table
        EVENTS of whole customers, sorted by customer and time.
    snapshots : pa.Table
        SNAPSHOTS of the same customers; only customer_id and as_of are read.
    attributes : pa.Table
        ATTRIBUTES of the same customers.
    roles : tuple of str
        The event roles that the data set declares. The columns depend on the declaration, never on the data.
    attribute_names : tuple of str
        The attributes that the data set declares.

    Returns
    -------
    pa.Table
        FEATURES, in the order of `snapshots`, shape `(n_snapshots, 2 + n_features + n_attributes)`.
    """
    columns: dict[str, pa.Array] = computed(catalogue(lookback, roles), events, snapshots)
    columns |= attribute_columns(attributes, snapshots, attribute_names)
    keys = {name: snapshots[name].combine_chunks() for name in ("customer_id", "as_of")}
    return pa.table(keys | columns)


def computed(wanted: tuple[Feature, ...], events: pa.Table, snapshots: pa.Table) -> dict[str, pa.Array]:
    """The float32 column of each wanted feature, one value per snapshot; events and snapshots as in `features`."""
    found = as_known(events, snapshots, partial(_values, wanted))
    return {name: arrow(values, pa.float32()) for name, values in found.items()}


def _values(wanted: tuple[Feature, ...], line: Timeline, snapshots: pa.Table) -> dict[str, np.ndarray]:
    """The float32 values of each wanted feature, one per snapshot, by the given versions of events."""
    from churn.core.history import Cells, History

    as_of = instants(snapshots["as_of"])
    as_ofs, as_of_index = np.unique(as_of, return_inverse=True)
    position = one_chunk(pc.index_in(snapshots["customer_id"], value_set=line.customers))
    offsets = np.searchsorted(numbers(position), np.arange(line.n_customers + 1))
    cells = Cells(as_ofs, offsets.astype(np.int64), as_of_index.astype(np.int64))
    question = History()
    for feature in wanted:
        feature.compute(question)
    history = question.answer(line, cells)
    return {f.name: np.broadcast_to(f.compute(history), as_of.shape).astype(np.float32) for f in wanted}
