"""Boosters: LightGBM's trainings side by side, on rows that were binned once for all of them."""

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from churn.core.model.parts import MATURED, Learning, Part, described
from churn.words.windows import DAY_US

if TYPE_CHECKING:
    import lightgbm

THREADS = 1
"""Threads of one training. Trees are the same for any number, but threads meet after every split: on two cores that
others use as well, two threads took 42 s for what one did in 4 s (20,000 rows, 150 features, 300 trees)."""
WORKERS = 2
"""Boosters that are trained side by side, and threads that score: these meet once, at the end."""


@dataclass(frozen=True)
class Binned:
    """What boosters learn from, in LightGBM's bins: a quarter of the memory of the numbers, which are gone by then.

    `again` is what is refitted from, None without a refit. `held_out` is the calibration part, as numbers, and
    `later` the rows of it that judge what was fitted on the others. `earlier` is the validation part, as numbers.
    `card` says which rows these are.
    """

    names: tuple[str, ...]
    vocabulary: dict[str, list[str]]
    dropped: dict[str, str]
    train: "lightgbm.Dataset"
    judge: "lightgbm.Dataset"
    again: "lightgbm.Dataset | None"
    held_out: np.ndarray
    churned: np.ndarray
    weights: np.ndarray | None
    later: np.ndarray
    earlier: np.ndarray
    earlier_churned: np.ndarray
    earlier_weights: np.ndarray | None
    card: dict


def binned(known: Learning, parameters: dict, half_life: float | None, *, refit: bool) -> Binned:
    """The parts in bins. Hand `known` over, and its matrix is let go."""
    train = dataset_of(known.parts["train"], known, parameters, half_life)
    held_out, earlier = known.parts["calibration"], known.parts["validation"]
    return Binned(
        known.names,
        known.vocabulary,
        known.dropped,
        train,
        dataset_of(known.parts["validation"], known, parameters, None, reference=train),
        dataset_of(known.parts[MATURED], known, parameters, half_life) if refit else None,
        held_out.x,
        held_out.churned,
        held_out.weights,
        known.later,
        earlier.x,
        earlier.churned,
        earlier.weights,
        described(known),
    )


def boosters(
    rows: Binned, many: list[dict], most: int, patience: int
) -> "tuple[list[lightgbm.Booster], list[lightgbm.Booster]]":
    """Those that stopped early, and those that were refitted; `WORKERS` learn side by side.

    Before a refit, the first of the parameters alone looks for the number of rounds: seeds differ in it by chance, and
    looking with each of three took a third of all the time. The first refit does not wait for the answer: it goes on
    until it is there, and what it did too much is cut off, since no tree depends on later ones. Without a refit each
    stops by itself.

    LightGBM lets go of Python's lock while it works.
    """
    again = rows.again
    looking = many if again is None else many[:1]
    with ThreadPoolExecutor(WORKERS) as workers:
        found = [workers.submit(_stopped, rows.train, rows.judge, one, most, patience) for one in looking]
        if again is None:
            return [one.result() for one in found], []
        ahead = workers.submit(_ahead, again, many[0], found[0], most)
        rounds = found[0].result().best_iteration
        rest = [workers.submit(_refitted, again, one, rounds) for one in many[1:]]
        return [found[0].result()], [one.result() for one in (ahead, *rest)]


def _stopped(
    train: "lightgbm.Dataset", judge: "lightgbm.Dataset", parameters: dict, most: int, patience: int
) -> "lightgbm.Booster":
    """A booster of the train part whose best round is that of the validation part's least log loss."""
    import lightgbm

    return lightgbm.train(
        complete(parameters),
        train,
        num_boost_round=most,
        valid_sets=[judge],
        callbacks=[lightgbm.early_stopping(patience, verbose=False)],
    )


def _ahead(
    rows: "lightgbm.Dataset", parameters: dict, found: "Future[lightgbm.Booster]", most: int
) -> "lightgbm.Booster":
    """The refitted booster of as many rounds as `found` says, begun before that is known."""
    import lightgbm

    def stop_when_known(env: "lightgbm.callback.CallbackEnv") -> None:
        if found.done() and env.iteration + 1 >= found.result().best_iteration:
            raise lightgbm.callback.EarlyStopException(env.iteration, [])

    booster = lightgbm.train(complete(parameters), rows, num_boost_round=most, callbacks=[stop_when_known])
    rounds = found.result().best_iteration
    return lightgbm.Booster(model_str=booster.model_to_string(num_iteration=rounds))


def _refitted(rows: "lightgbm.Dataset", parameters: dict, rounds: int) -> "lightgbm.Booster":
    """A booster of as many rounds as were found best."""
    import lightgbm

    return lightgbm.train(complete(parameters), rows, num_boost_round=rounds)


def complete(parameters: dict) -> dict:
    """The parameters that the section decides, and those that make two trainings equal, whatever the threads.

    Histograms are made column by column, since a tree is offered `feature_fraction` of the columns: the same trees as
    row by row, in 55 % of the time (40,000 rows, 252 features).
    """
    return {
        **parameters,
        "objective": "binary",
        "metric": "binary_logloss",
        "bagging_freq": 1,
        "deterministic": True,
        "force_col_wise": True,
        "num_threads": THREADS,
        "verbosity": -1,
    }


def dataset_of(
    part: Part,
    known: Learning,
    parameters: dict,
    half_life_days: float | None,
    reference: "lightgbm.Dataset | None" = None,
) -> "lightgbm.Dataset":
    """The part in LightGBM's bins, made once for all boosters, which only read it."""
    import lightgbm

    return lightgbm.Dataset(
        part.x,
        label=part.churned.astype(np.float32),
        weight=age_weights(part, half_life_days),
        feature_name=list(known.names),
        categorical_feature=[name for name in known.names if name in known.vocabulary],
        reference=reference,
        params=complete(parameters),
    ).construct()


def age_weights(part: Part, half_life_days: float | None) -> np.ndarray | None:
    """How much each row counts, with those that are a half-life older counting half; None: all the same."""
    if half_life_days is None:
        return part.weights
    age = 0.5 ** ((part.as_of_us.max() - part.as_of_us) / (half_life_days * DAY_US))
    return age if part.weights is None else age * part.weights
