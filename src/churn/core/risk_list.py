"""The list of customers at risk: whom to call first, what the customer is worth, and why the customer may leave."""

from collections.abc import Iterable
from difflib import get_close_matches

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from churn.core.amounts import share
from churn.core.promotion import Order
from churn.words.errors import ConfigFault, Fault, GateFault, NotEnoughData, message
from churn.words.tables import RISK_LIST

LEAVING = 3
"""Reasons to leave on the list: a caller remembers three; further ones are in the table of reasons."""


def risk_list(
    scores: pa.Table,
    reasons: pa.Table,
    features: pa.Table,
    *,
    value_features: tuple[str, ...],
    horizon_days: int,
    currency: str,
    model_version: str,
    order: Order,
) -> pa.Table:
    """One row per scored customer, the most money at risk first.

    Where nothing tells who will leave (`order` is "value"), every customer has the mean of the scores, no reason is
    given, and the list is in the order of value: any other would look like knowledge.

    Parameters
    ----------
    scores
        SCORES of one as_of.
    reasons
        REASONS; only those of the as_of of the scores are used.
    features
        FEATURES; only those of the as_of of the scores are used.
    value_features
        Features that are money a day, in units of `currency`; their sum is what a customer is expected to bring a
        day. Empty: nothing is known of value, and the list is ranked by probability.
    horizon_days
        Days over which the value is expected: the horizon of the churn definition.
    currency
        ISO 4217 code.
    model_version
        First 12 hexadecimal digits of the digest of the model that made the scores.
    order : {"model", "rule", "value"}
        What the evaluation lets the list be made of, see `churn.core.promotion.order`.

    Returns
    -------
    pa.Table
        RISK_LIST, every customer of `scores` once. Money is rounded to hundredths before ranking, so that the order
        is the one that a reader sees; equal money at risk is ranked by probability, then by customer_id in bytes.

    Raises
    ------
    NotEnoughData
        No customer was scored.
    GateFault
        All customers have the same score, and the list goes by it; or nothing tells who will leave, and nothing is
        known of value either: a list in an arbitrary order would look like knowledge.
    ConfigFault
        `value_features` names a feature that does not exist or is not a number.
    """
    as_of = _only_as_of(scores)
    _check_scores(scores["score"].to_numpy(), order)
    if order == "value":
        scores, reasons = _levelled(scores), reasons.slice(0, 0)
    value = expected_value(_of(features, as_of), scores["customer_id"], value_features, horizon_days)
    if order == "value" and len(value) > 1 and value.min() == value.max():
        raise _nothing_known(len(value))
    at_risk = np.round(value * scores["score"].to_numpy(), 2)
    same = {"currency": currency, "model_version": model_version}
    columns = {
        "rank": pa.nulls(len(scores), pa.int64()),
        **{name: scores[name] for name in ("customer_id", "score", "score_low", "score_high", "percentile", "as_of")},
        "expected_value": pa.array(value),
        "value_at_risk": pa.array(at_risk),
        **{name: pa.repeat(pa.scalar(text), len(scores)) for name, text in same.items()},
        **_sentences(_of(reasons, as_of), scores["customer_id"]),
    }
    for language, text in nothing_particular(float(np.mean(scores["score"].to_numpy())), horizon_days).items():
        columns[f"reason_1_{language}"] = pc.fill_null(columns[f"reason_1_{language}"], text)
    listed = pa.table(columns).select(RISK_LIST.schema.names)
    sorting = [("value_at_risk", "descending"), ("score", "descending"), ("customer_id", "ascending")]
    listed = listed.take(pc.sort_indices(listed, sort_keys=sorting))
    ranks = pa.array(np.arange(1, len(listed) + 1))
    return RISK_LIST.check(listed.set_column(0, "rank", ranks).cast(RISK_LIST.schema).combine_chunks())


def of_today(pieces: Iterable[pa.Table], scores: pa.Table) -> pa.Table:
    """The rows of a table of snapshots, which comes in pieces, at the as_of of the scores."""
    as_of = _only_as_of(scores)
    return pa.concat_tables([_of(piece, as_of) for piece in pieces]).combine_chunks()


def nothing_particular(mean_score: float, horizon_days: int) -> dict[str, str]:
    """What is said, by language, of a customer who is at no more risk than others: also that is a reason to know.

    >>> nothing_particular(0.42, 90)["en"]
    'Nothing in particular; on average 42% of all customers leave within 90 days'
    """
    rate = share(mean_score, decimals=0)
    return {
        "en": f"Nothing in particular; on average {rate} of all customers leave within {horizon_days} days",
        "zh": f"无特别原因；平均有{rate}的客户在{horizon_days}天内流失",
    }


def expected_value(
    features: pa.Table, customer_id: pa.ChunkedArray, value_features: tuple[str, ...], horizon_days: int
) -> np.ndarray:
    """Money that each customer is expected to bring in the horizon if the customer stays, shape `(n_customers,)`.

    A plain estimate: the sum of `value_features` (money a day) times `horizon_days`, in whole hundredths. No value
    (null or NaN) counts as 0, and so does a customer who got more back than was paid.
    """
    _check_value_features(features, value_features)
    row = pc.index_in(customer_id, value_set=features["customer_id"].combine_chunks())
    if row.null_count:
        raise Fault(f"{row.null_count} of {len(row)} scored customers have no row in the table features")
    a_day = np.zeros(len(customer_id))
    for name in value_features:
        column = features[name].take(row).cast(pa.float64())
        a_day += np.nan_to_num(column.to_numpy(zero_copy_only=False), nan=0.0)
    return np.round(np.maximum(a_day, 0.0) * horizon_days, 2)


def _only_as_of(scores: pa.Table) -> pa.Scalar:
    as_ofs = pc.unique(scores["as_of"])
    if not len(as_ofs):
        raise NotEnoughData(
            "no customer was scored, so there is no list; check the table snapshots at its newest as_of"
        )
    if len(as_ofs) > 1:
        raise Fault(f"a list has one as_of, and the table scores has {len(as_ofs)}: {as_ofs[0]} … {as_ofs[-1]}")
    return as_ofs[0]


def _check_scores(score: np.ndarray, order: Order) -> None:
    wrong = ~((score >= 0) & (score <= 1))
    if wrong.any():
        raise Fault(f"{wrong.sum()} of {len(score)} scores are no probabilities (first: {score[wrong][0]})")
    if order != "value" and len(score) > 1 and np.all(score == score[0]):
        raise GateFault(
            f"all {len(score)} customers have the same score, {score[0]:.4f}: the model tells nobody apart and its "
            "list would be arbitrary. The last delivery stays; look at reports/evaluation.json, and at what "
            "models/current/card.json says was dropped"
        )


def _levelled(scores: pa.Table) -> pa.Table:
    """The same customers, each with the mean score and the mean ends of its interval, none above another."""
    means = {name: float(np.mean(scores[name].to_numpy())) for name in ("score", "score_low", "score_high")}
    for name, value in (means | {"percentile": 0.0}).items():
        scores = scores.set_column(scores.column_names.index(name), name, pa.array(np.full(len(scores), value)))
    return scores


def _nothing_known(n: int) -> GateFault:
    return GateFault(
        message(
            "nothing tells who will leave, and nothing tells what customers are worth, so a list would be arbitrary",
            where="reports/evaluation.json",
            many=f"{n:,} customers",
            do="name features that are money a day in risk_list.value_features, or bring more customers, dates or "
            "sources. The last delivery stays",
        )
    )


def _check_value_features(features: pa.Table, value_features: tuple[str, ...]) -> None:
    for name in value_features:
        if name not in features.column_names:
            near = get_close_matches(name, features.column_names, n=1)
            hint = f"; did you mean {near[0]}?" if near else "; docs/features.md lists them"
            raise ConfigFault(f"risk_list.value_features: there is no feature {name}{hint}")
        if features.schema.field(name).type != pa.float32():
            raise ConfigFault(f"risk_list.value_features: {name} is no number, so it cannot be money a day")


def _of(table: pa.Table, as_of: pa.Scalar) -> pa.Table:
    return table.filter(pc.equal(table["as_of"], as_of))


def _sentences(reasons: pa.Table, customer_id: pa.ChunkedArray) -> dict[str, pa.ChunkedArray]:
    """Columns reason_1_en … staying_zh, one sentence or null per customer."""
    places = {f"reason_{n}": ("leaving", n) for n in range(1, LEAVING + 1)} | {"staying": ("staying", 1)}
    columns = {}
    for name, (direction, position) in places.items():
        here = pc.and_(pc.equal(reasons["direction"], direction), pc.equal(reasons["position"], position))
        told = reasons.filter(here)
        row = pc.index_in(customer_id, value_set=told["customer_id"].combine_chunks())
        for language in ("en", "zh"):
            columns[f"{name}_{language}"] = told[language].take(row)
    return columns
