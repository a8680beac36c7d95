"""A search for settings that goes on where it stopped: Optuna's study in an SQLite file.

The same seed gives the same trials, however often the search was killed in between: the sampler of a trial is seeded by
how many trials were finished before it, and learns from these alone.
"""

import hashlib
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from churn.words.errors import DiskFault, IntegrityFault
from churn.words.settings import Choice, Setting, Values

if TYPE_CHECKING:
    import optuna

STORE = Path("reports/tuning.db")
"""All studies of the project; DVC knows nothing of it."""
STARTING = 10
"""Trials that are chosen by chance before the others are learnt from, as Optuna does unless told otherwise."""
UNPRUNED = 5
"""Trials that are judged on every fold before any is given up: a median of fewer is chance."""
NO_ROOM = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN}
"""What SQLite answers where the disk, and not the file, is at fault."""


class Trial(NamedTuple):
    """One trial that has ended.

    `number` counts them from 0. `pruned`: given up after some folds, on which it was worse than half of the others
    were. `losses` and `rounds` are those of the folds that it was judged on, and `loss` is the mean of the losses.
    """

    number: int
    pruned: bool
    values: Values
    losses: tuple[float, ...]
    rounds: tuple[int, ...]

    @property
    def loss(self) -> float:
        """Mean over the folds that it was judged on."""
        return sum(self.losses) / len(self.losses)


def search(
    judge: Callable[[Values], Iterator[tuple[float, int]]],
    settings: Sequence[Setting],
    *,
    folds: int,
    name: str,
    first: Values,
    seed: int,
    trials: int,
    seconds: float,
    tell: Callable[[Trial], None],
) -> list[Trial]:
    """All trials of the study, once there are `trials` of them or `seconds` are over; a trial under way is ended.

    Parameters
    ----------
    judge
        Values → loss and rounds of each fold in turn.
    settings
        What may be chosen.
    folds
        How many folds there are.
    name
        Of the study: everything that makes a loss comparable with another must be in it.
    first
        The values of the first trial.
    tell
        Called with each trial that ends.

    Raises
    ------
    IntegrityFault
        The store is damaged, or of a newer version.
    DiskFault
        The store cannot be written.
    """
    started = time.monotonic()
    with _stored():
        study = _study(name)
        while len(found := ended(study)) < trials and (not found or time.monotonic() - started < seconds):
            study.sampler = _sampler(f"{seed} {len(found)}")
            if not found and not study.get_trials(states=_states("WAITING")):
                study.enqueue_trial(first)
            trial = study.ask()
            values = {setting.name: _chosen(trial, setting) for setting in settings}
            trial.set_user_attr("values", values)
            _judged(study, trial, judge(values), folds)
            tell(ended(study)[-1])
    return found


def ended(study: "optuna.Study") -> list[Trial]:
    """The trials that ended by themselves, in their order; one that was killed counts for nothing."""
    found = study.get_trials(deepcopy=False, states=_states("COMPLETE", "PRUNED"))
    return [
        Trial(
            number,
            trial.state.name == "PRUNED",
            trial.user_attrs["values"],
            tuple(trial.user_attrs["losses"]),
            tuple(trial.user_attrs["rounds"]),
        )
        for number, trial in enumerate(found)
    ]


def study_name(kind: str, *content: Any) -> str:
    """A name that differs when any of the content does."""
    return f"{kind}-{hashlib.sha256(repr(content).encode()).hexdigest()[:12]}"


def best_of(trials: Sequence[Trial]) -> Trial:
    """The trial with the least loss over all folds; of equal ones the first."""
    return min((trial for trial in trials if not trial.pruned), key=lambda trial: trial.loss)


def _study(name: str) -> "optuna.Study":
    """The study of that name, made if it is not there, in which nothing is under way."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    path = STORE.absolute()
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        study = optuna.create_study(
            storage=f"sqlite:///{path}",
            study_name=name,
            pruner=optuna.pruners.MedianPruner(n_startup_trials=UNPRUNED, n_warmup_steps=0),
            load_if_exists=True,
        )
    except RuntimeError as error:
        raise IntegrityFault(
            f"{STORE} was written by another version of Optuna than {optuna.__version__}. Install that one, or remove "
            "the file; the search then begins anew"
        ) from error
    # The lock of a search keeps others away, so a trial that still runs was killed.
    for trial in study.get_trials(deepcopy=False, states=_states("RUNNING")):
        study.tell(trial.number, state=optuna.trial.TrialState.FAIL)
    return study


@contextmanager
def _stored() -> Iterator[None]:
    """What goes wrong with the store, as a fault that says what to do."""
    from optuna.exceptions import StorageInternalError
    from sqlalchemy.exc import DatabaseError

    try:
        yield
    except (DatabaseError, StorageInternalError) as error:
        # Optuna wraps most of what SQLite says.
        said = getattr(error if isinstance(error, DatabaseError) else error.__cause__, "orig", error)
        if getattr(said, "sqlite_errorcode", 0) & 0xFF in NO_ROOM:
            raise DiskFault(
                f"{STORE} cannot be written: {said}. Free some space or mend the permissions; the search then goes on"
            ) from error
        raise IntegrityFault(f"{STORE} cannot be read: {said}. Remove it; the search then begins anew") from error


def _judged(study: "optuna.Study", trial: "optuna.Trial", judged: Iterator[tuple[float, int]], folds: int) -> None:
    """Judge the trial fold by fold, and end it; it is given up where the median of others was better."""
    import optuna

    losses: list[float] = []
    rounds: list[int] = []
    state = optuna.trial.TrialState.COMPLETE
    for step, (loss, took) in enumerate(judged):
        losses.append(loss)
        rounds.append(took)
        trial.report(sum(losses) / len(losses), step)
        if len(losses) < folds and trial.should_prune():
            state = optuna.trial.TrialState.PRUNED
            break
    trial.set_user_attr("losses", losses)
    trial.set_user_attr("rounds", rounds)
    study.tell(trial, sum(losses) / len(losses) if state.name == "COMPLETE" else None, state=state)


def _chosen(trial: "optuna.Trial", setting: Setting) -> float | int | None:
    if isinstance(setting, Choice):
        return cast(float | None, trial.suggest_categorical(setting.name, list(setting.values)))
    if setting.whole:
        return trial.suggest_int(setting.name, int(setting.low), int(setting.high), log=setting.log)
    # Nobody wants sixteen digits in conf/, and no model is better for them.
    return float(f"{trial.suggest_float(setting.name, setting.low, setting.high, log=setting.log):.3g}")


def _sampler(text: str) -> "optuna.samplers.TPESampler":
    """Tree-structured Parzen estimator (Bergstra et al. 2011), seeded by the text."""
    import optuna

    number = int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "little")
    return optuna.samplers.TPESampler(seed=number, n_startup_trials=STARTING)


def _states(*names: str) -> tuple[Any, ...]:
    from optuna.trial import TrialState

    return tuple(TrialState[name] for name in names)
