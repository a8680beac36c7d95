"""Reasons: sentences about groups of contributions, with the customer's own numbers, in English and Chinese."""

from collections.abc import Mapping
from typing import Annotated

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from annotated_types import Ge

from churn.core.features import GROUPS, Feature
from churn.core.reasons.facts import facts_of
from churn.core.reasons.sentence import Noun, Sentence, said
from churn.core.reasons.sentences import SENTENCES
from churn.words.tables import REASONS

DIRECTIONS = {"leaving": 1, "staying": -1}


def reasons(
    contributions: pa.Table,
    features: pa.Table,
    *,
    catalogue: tuple[Feature, ...],
    nouns: Mapping[str, Noun],
    currency: str,
    most_leaving: Annotated[int, Ge(1)],
    most_staying: Annotated[int, Ge(0)],
    least_contribution: Annotated[float, Ge(0)],
) -> pa.Table:
    """One row per sentence: the weightiest groups of each customer that a true sentence can be said about.

    Parameters
    ----------
    contributions : pa.Table
        CONTRIBUTIONS, in log-odds.
    features : pa.Table
        FEATURES of the same customers, in the same order; of any as-of dates, since only those of `contributions` are
        read.
    catalogue : tuple of Feature
        Says to which group each column belongs.
    nouns : mapping of role to noun
        The data set's own words: `one` basket, `many` baskets.
    most_leaving, most_staying : int
        How many sentences a customer gets in each direction.
    least_contribution : float
        Log-odds below which a group is not worth a sentence.

    Returns
    -------
    pa.Table
        REASONS, by customer, direction and position.
    """
    features = features.filter(pc.is_in(features["as_of"], pc.unique(contributions["as_of"])))
    grouped, attribute = _by_group(contributions, features, catalogue)
    facts = facts_of(features, attribute)
    usable = [s for s in SENTENCES if s.facts <= facts.keys()]
    most = {"leaving": most_leaving, "staying": most_staying}
    found = [
        _of_direction(grouped, usable, facts, direction, most[direction], least_contribution)
        for direction in DIRECTIONS
    ]
    customer, position, group, sentence = (np.concatenate(parts) for parts in zip(*found, strict=True))
    direction = np.repeat(np.arange(len(found)), [len(part[0]) for part in found])
    words = {
        language: _worded(sentence, customer, usable, facts, language=language, nouns=nouns, currency=currency)
        for language in ("en", "zh")
    }
    order = np.lexsort((position, direction, customer))
    keys = contributions.select(["customer_id", "as_of"]).take(pa.array(customer[order]))
    return pa.table(
        [
            *keys.columns,
            pa.array([tuple(DIRECTIONS)[d] for d in direction[order]], pa.string()),
            pa.array(position[order] + 1),
            pa.array([GROUPS[g] for g in group[order]], pa.string()),
            pa.array(grouped[customer[order], group[order]]),
            pa.array([words["en"][i] for i in order], pa.string()),
            pa.array([words["zh"][i] for i in order], pa.string()),
        ],
        schema=REASONS.schema,
    )


def _by_group(
    contributions: pa.Table, features: pa.Table, catalogue: tuple[Feature, ...]
) -> tuple[np.ndarray, np.ndarray]:
    """Sums of contributions, shape `(n_customers, n_groups)`, and the attribute that weighs most, as "name value"."""
    group_of = {feature.name: GROUPS.index(feature.group) for feature in catalogue}
    grouped = np.zeros((contributions.num_rows, len(GROUPS)))
    heaviest = np.zeros(contributions.num_rows)
    attribute = np.full(contributions.num_rows, "", dtype=object)
    for name in contributions.column_names[3:]:
        values = contributions[name].to_numpy()
        grouped[:, group_of.get(name, GROUPS.index("attributes"))] += values
        if name not in group_of:
            texts = np.array(
                [f"{name} {'unknown' if value is None else value}" for value in features[name].to_pylist()], object
            )
            heavier = np.abs(values) > heaviest
            attribute[heavier] = texts[heavier]
            heaviest = np.maximum(heaviest, np.abs(values))
    return grouped, attribute


def _of_direction(
    grouped: np.ndarray,
    usable: list[Sentence],
    facts: Mapping[str, np.ndarray],
    direction: str,
    most: int,
    least: float,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The weightiest groups of each customer with a sentence: customer, position, group and number of the sentence."""
    weight = grouped * DIRECTIONS[direction]
    sentence = np.full(grouped.shape, -1)
    for number in range(len(usable) - 1, -1, -1):
        candidate = usable[number]
        if candidate.direction == direction:
            sentence[candidate.holds(facts), GROUPS.index(candidate.group)] = number
    weight = np.where((sentence >= 0) & (weight >= least) & (weight > 0), weight, 0.0)
    # A stable sort of whole numbers: equal groups keep the order of GROUPS, whatever the machine.
    order = np.argsort(-weight, axis=1, kind="stable")[:, :most]
    customer, position = np.nonzero(np.take_along_axis(weight, order, axis=1) > 0)
    group = order[customer, position]
    return customer, position, group, sentence[customer, group]


def _worded(
    sentence: np.ndarray,
    customer: np.ndarray,
    usable: list[Sentence],
    facts: Mapping[str, np.ndarray],
    *,
    language: str,
    nouns: Mapping[str, Noun],
    currency: str,
) -> list[str]:
    """The words of each row, sentence by sentence, so that a template is read once for all who get it."""
    words = [""] * len(sentence)
    for number in np.unique(sentence):
        rows = np.flatnonzero(sentence == number)
        template = usable[number].zh if language == "zh" else usable[number].en
        for row, text in zip(
            rows, said(template, facts, customer[rows], language=language, nouns=nouns, currency=currency), strict=True
        ):
            words[row] = text
    return words
