"""How often and how lately a customer acted: the three columns that the models of one's own history take."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from churn.core.model.files import Model, json_text
from churn.core.model.parts import Learning, Part
from churn.core.model.ranking import auc
from churn.words.errors import NotEnoughData
from churn.words.windows import DAY_US

COLUMNS = ("{}_days_total", "days_since_{}", "{}_silence_of_tenure")
"""Active days so far, days since the last act, and those as a share of the days since the first. All of them say of who
never acted: 0, null, null."""
SHARE_LEAST = 1e-6
"""Of a silence in a life: an act a minute before a prediction, two years after the first one."""


class Counts(NamedTuple):
    """What a customer did, shape `(n_rows,)` each; NaN where nothing was ever done.

    `repeats` are the active days after the first one. `last_days` lie between the first act and the last, `age_days`
    between the first and `as_of`: x, t_x and T of Fader, Hardie and Lee (2005), in days.
    """

    repeats: np.ndarray
    last_days: np.ndarray
    age_days: np.ndarray


def columns(role: str) -> tuple[str, ...]:
    """The features that count what was done in a role."""
    return tuple(name.format(role) for name in COLUMNS)


def wanted(roles: tuple[str, ...]) -> tuple[Callable[[str], bool], str]:
    """Whether a feature counts what was done in one of the roles, and what it means that there is none."""
    names = {name for role in roles for name in columns(role)}
    return names.__contains__, _missing(roles)


def present(known: Learning, rows: Part, roles: tuple[str, ...]) -> list[str]:
    """The roles whose columns tell something in the train part, and in which anybody of the rows has acted.

    At an earlier date, a source that began later has nothing to count.

    Raises
    ------
    NotEnoughData
        There is none.
    """
    told = [role for role in roles if set(columns(role)) <= set(known.names)]
    found = [role for role in told if not np.isnan(known.columns(rows, columns(role))).any(axis=1).all()]
    if not found:
        raise NotEnoughData(f"none of {len(known.names)} features {_missing(roles)}")
    return found


def _missing(roles: tuple[str, ...]) -> str:
    return f"counts what was done in any of the roles {', '.join(roles)}; name the role that customers have in roles"


def counts(x: np.ndarray) -> Counts:
    """The counts of rows with the columns of `columns`, shape `(n_rows, 3)`."""
    active_days, silence_days, share = x.astype(np.float64).T
    age = silence_days / np.maximum(share, SHARE_LEAST)
    repeats = np.where(np.isnan(age), np.nan, np.maximum(active_days - 1, 0))
    return Counts(repeats, np.where(repeats == 0, 0.0, np.maximum(age - silence_days, 0)), age)


def horizon_days(split: pa.Table) -> float:
    """Days of the outcome window."""
    begin, end = (split[name].cast(pa.int64())[0].as_py() for name in ("outcome_from", "outcome_until"))
    return float((end - begin) / DAY_US)


def learnt(
    kind: str,
    known: Learning,
    rows: Part,
    fitted: Callable[[np.ndarray], Mapping[str, float]],
    margins: Callable[[dict[str, Any], np.ndarray], np.ndarray],
    *,
    roles: tuple[str, ...],
    horizon_days: float,
) -> Model:
    """The model of the role that ranks best, without calibration.

    Parameters
    ----------
    kind : str
        Whose `fitted` and `margins` these are: what is learnt from the columns of a role, and the log-odds by it.
    """
    bodies: dict[str, dict[str, Any]] = {}
    for role in present(known, rows, roles):
        x = known.columns(rows, columns(role))
        about = {"role": role, "horizon_days": horizon_days}
        bodies[role] = {**about, **fitted(x), "never": never_acted(rows, x), "reference": reference(x)}
    role = best_role(rows, list(bodies), lambda role: margins(bodies[role], known.columns(rows, columns(role))))
    return Model(kind, columns(role), {}, {}, json_text(bodies[role]), {}, {})


def best_role(rows: Part, roles: list[str], margins: Callable[[str], np.ndarray]) -> str:
    """The role whose margins rank the churners of the rows best; of equals the first."""
    reached = {role: auc(margins(role), rows.churned) for role in roles}
    return max(roles, key=lambda role: reached[role])


def never_acted(rows: Part, x: np.ndarray) -> float:
    """Log-odds of churned of the rows without any act; one more row of the average is added to them."""
    weights = np.ones(len(x)) if rows.weights is None else rows.weights / rows.weights.mean()
    never, average = np.isnan(x).any(axis=1), float(np.average(rows.churned, weights=weights))
    share = (weights[never] @ rows.churned[never] + average) / (weights[never].sum() + 1)
    return float(np.log(share / (1 - share)))


def reference(x: np.ndarray) -> list[float]:
    """The median of each column: the customer against whom others are explained."""
    acted = x[~np.isnan(x).any(axis=1)]
    return [float(value) for value in np.median(acted, axis=0)]


def shares(margins: Callable[[np.ndarray], np.ndarray], x: np.ndarray, body: Mapping) -> np.ndarray:
    """Shapley values of the three columns against the reference, and its margin; shape `(n_rows, 4)`.

    Every order in which the columns of the reference turn into those of the row counts the same (Shapley, A value for
    n-person games, 1953). Who never acted has no column to turn: all is said by the silence.
    """
    base = np.array(body["reference"])
    n = x.shape[1]
    mixed = {}
    for chosen in range(2**n):
        taken = [bool(chosen >> j & 1) for j in range(n)]
        mixed[chosen] = margins(np.where(taken, x.astype(np.float64), base))
    found = np.zeros((len(x), n + 1))
    found[:, n] = mixed[0]
    weight = {0: 1 / 3, 1: 1 / 6, 2: 1 / 3}
    for j in range(n):
        for chosen in range(2**n):
            if not chosen >> j & 1:
                found[:, j] += weight[chosen.bit_count()] * (mixed[chosen | 1 << j] - mixed[chosen])
    never = np.isnan(x).any(axis=1)
    found[never, :n] = 0.0
    found[never, 1] = body["never"] - found[never, n]
    return found
