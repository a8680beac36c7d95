"""The declared data set: what `data` in conf/ says, as frozen values, once it makes sense."""

from typing import Annotated

from annotated_types import Ge, MinLen

from churn.core.dataset.checks import check_file, check_source, check_zone, one_of, use_unit
from churn.core.dataset.nouns import ROLE_NOUNS, named
from churn.core.dataset.shapes import (
    Attributes,
    Dataset,
    EventType,
    Id,
    LeaveOut,
    Lookup,
    Noun,
    Number,
    Source,
    Text,
    Time,
    When,
    time_of,
)
from churn.words.errors import ConfigFault, ContractFault, message
from churn.words.tables import ROLES
from churn.words.windows import instant

__all__ = [
    "ROLE_NOUNS",
    "Attributes",
    "Dataset",
    "EventType",
    "Id",
    "LeaveOut",
    "Lookup",
    "Noun",
    "Number",
    "Source",
    "Text",
    "Time",
    "When",
    "dataset",
]

CONTRACT = 1
"""Version of the data contract that this code understands; a declaration that does not say one means this."""


def dataset(
    *,
    name: Annotated[str, MinLen(1)],
    time_zone: str,
    observed_from: str,
    observed_until: str,
    currency: Annotated[str, MinLen(3)],
    nouns: dict[str, Noun],
    sources: Annotated[dict[str, Source], MinLen(1)],
    attributes: dict[str, Attributes],
    contract: Annotated[int, Ge(1)] = CONTRACT,
    made_by: str = "",
) -> Dataset:
    """The data set that `data` in conf/ declares, once it makes sense.

    Parameters
    ----------
    name
        Short name of the data set.
    time_zone
        Where the business lives: days start at its midnight, and times without a zone are taken as its local times.
    observed_from, observed_until
        Local dates or times. Events in `[observed_from, observed_until)` are complete; others are counted and left out.
    currency
        ISO 4217 code of all amounts.
    nouns
        What one event of a role is called, for the roles that have a better word than the role.
    sources
        Name → files and meaning of their columns.
    attributes
        The same for what is said about customers; empty if nothing is.
    contract
        Version of the data contract that the declaration was written for.
    made_by
        The command that makes the files, where there is one; named where a file is missing.

    Raises
    ------
    ConfigFault
        Naming the key and what it may be.
    ContractFault
        If the declaration is newer than the code, or an attribute holds the outcome.
    """
    if contract > CONTRACT:
        raise ContractFault(
            message(
                f"conf/data/ is written for contract {contract}, but this churn knows contract {CONTRACT}",
                where="data.contract",
                do="install a newer churn, or declare the data as docs/data_contract.md here says",
            )
        )
    check_zone("data.time_zone", time_zone)
    since, until = instant(observed_from, time_zone), instant(observed_until, time_zone)
    if since >= until:
        raise ConfigFault(
            f"data.observed_from ({observed_from}) must lie before data.observed_until ({observed_until})"
        )
    for role in nouns:
        one_of("data.nouns", role, tuple(ROLES))
    both = sorted(set(sources) & set(attributes))
    if both:
        raise ConfigFault(f"data.attributes.{both[0]} has the name of a source; every name stands once in the reports")
    for key, source in sources.items():
        check_source(f"data.sources.{key}", source)
    for key, said in attributes.items():
        check_file(f"data.attributes.{key}", said, "valid_from", time_of(said.valid_from))
    words = named(nouns, use_unit(sources))
    return Dataset(name, time_zone, since, until, currency, words, sources, attributes, made_by)
