"""Ladder: from the rule that anyone could write to a blend, the simplest that is as good as the best."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Annotated, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from annotated_types import Ge

from churn.core.model import blend, choice
from churn.core.model.calibration import Kind
from churn.core.model.enough import JUDGING_LEAST, iso
from churn.core.model.files import Model
from churn.core.model.rungs import ORDER, Climbed, Judging, Rungs, climbed, joined, sections
from churn.words.errors import NotEnoughData, message


def fit(
    features: pa.Table | Iterable[pa.Table],
    snapshots: pa.Table,
    split: pa.Table,
    *,
    kind: Literal["ladder"],  # noqa: ARG001 - it chooses this function
    churners_least: Annotated[int, Ge(20)],
    churners_judged: Annotated[int, Ge(0)],
    standard_errors: Annotated[float, Ge(0)],
    least_gain: Annotated[float, Ge(0)],
    rungs: Rungs,  # type: ignore[valid-type]  # made of the rungs' signatures
    calibration: Kind,
) -> Model:
    """The model of the chosen rung, with the comparison under `ladder` in its card.

    Every rung that there are churners enough for learns as its own section says. They are compared by the log loss of
    the calibration part, which is newer than what they learnt from and older than the test; only the map of the margins
    was fitted on it, two numbers each. Where it has few churners, they are compared at earlier dates as well: of each,
    the rungs are learnt once more from what had matured by then, mapped and judged by the customers of that date.

    Log loss judges order and probability alike, and the list multiplies probabilities with money; it is a sum over
    customers, so that differences can be paired. The simplest rung whose difference to the best is within
    `standard_errors` of its standard error, or within `least_gain`, is chosen (Breiman, Friedman, Olshen and Stone,
    Classification and regression trees, 1984, section 3.4.3).

    With too few churners at all these dates to compare, the simplest rung is chosen.

    Parameters
    ----------
    features, snapshots, split
        See `churn.core.model.model`.
    kind : {"ladder"}
        Chooses this function.
    churners_least : int
        Matured snapshots of churners, in all, from which a list is worth having.
    churners_judged : int
        Churners, at all dates that judge, from which on no earlier date is looked at.
    standard_errors : float
        How far above the best log loss a simpler rung may lie.
    least_gain : float
        Log loss that is never worth a more complex model: models of nearly the same margins differ surely, by nothing.
    rungs : Rungs
        The sections of the rungs, as `churn.core.model.MODELS` takes them. Rows are chosen as that of `lightgbm` says.
    calibration : {"chosen", "shrunk", "platt", "beta", "isotonic", "none"}
        Of the blend, the last rung; see `churn.core.model.calibration`.

    Raises
    ------
    NotEnoughData
        There are fewer churners than `churners_least`, or too few of them in the train part for any rung.
    GateFault
        See `churn.core.model.parts.learning`.
    """
    _check_churners(snapshots, churners_least)
    found = climbed(features, snapshots, split, sections(rungs), churners_judged=churners_judged)
    if not found.fitted:
        raise NotEnoughData(f"no model can be learnt: {'; '.join(why['en'] for why in found.skipped.values())}")
    whole = _with_blend(found, calibration)
    rows, scores = _judged([whole, *(_with_blend(one, calibration) for one in found.before)])
    return _chosen(whole, rows, scores, standard_errors, least_gain)


def _with_blend(found: Climbed, calibration: Kind) -> Climbed:
    if reason := blend.lacking(found):
        return found._replace(skipped=found.skipped | {"blend": reason})
    return found._replace(fitted=found.fitted | {"blend": blend.blended(found, calibration)})


def _judged(rounds: list[Climbed]) -> tuple[Judging, dict[str, np.ndarray]]:
    """The rows of all rounds that judge, and what each rung said of them. The first round holds the model in use.

    A round judges if models of it had not seen its rows, and if it has every rung of the first.
    """
    names = [name for name in ORDER if name in rounds[0].fitted]
    first, *before = rounds
    judging = [first] if first.judging.held_out else []
    judging += [one for one in before if set(names) <= one.fitted.keys()]
    # Where nothing judges, the rows of the first say how few they were.
    rows = joined([one.judging for one in judging or [first]])
    return rows, {name: np.concatenate([one.fitted[name].scores for one in judging or [first]]) for name in names}


def _chosen(
    found: Climbed, rows: Judging, scores: dict[str, np.ndarray], standard_errors: float, least_gain: float
) -> Model:
    churners = int(rows.churned.sum())
    enough = min(churners, len(rows.churned) - churners) >= JUDGING_LEAST
    table = choice.compared(scores, rows) if enough else {}
    name = choice.chosen(table, standard_errors, least_gain) if enough else next(iter(scores))
    model = found.fitted[name].model
    told = {
        "chosen": name,
        "metric": "logloss",
        "judged_on": [iso(date) for date in np.unique(rows.as_of_us)],
        "n": len(rows.churned),
        "churners": churners,
        "standard_errors": standard_errors,
        "least_gain": least_gain,
        "rungs": choice.card(name, table, found.skipped, ORDER),
        **choice.sentences(name, table, rows, found.skipped),
    }
    return replace(model, card={**model.card, "ladder": told})


def _check_churners(snapshots: pa.Table, least: int) -> None:
    churners, known = pc.sum(snapshots["churned"]).as_py() or 0, int(np.sum(snapshots["churned"].is_valid().to_numpy()))
    if churners < least:
        raise NotEnoughData(
            message(
                f"{churners:,} churners are too few for a list that deserves trust; needed are {least}",
                where="all dates whose outcome is known",
                many=f"{known:,} snapshots",
                do="a longer history, more as_ofs (conf: snapshots.every_days, most), a longer horizon_days or more "
                "customers help; `churn check` says which",
            )
        )
