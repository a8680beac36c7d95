"""What MLflow is told: the content of the very files that DVC tracks, flattened to names and values."""

import hashlib
import json
import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from churn.shell.store import PATHS, digest, read_json, read_text, read_texts
from churn.words.errors import IntegrityFault

DVC_NAMES = ("DVC_STAGE", "DVC_EXP_NAME", "DVC_EXP_BASELINE_REV")
"""Environment variables in which DVC names itself. No other variable is told."""

PARAMETER_LONGEST = 6000
"""MLflow refuses longer values."""

_SECRET = re.compile(r"passw|secret|token|credential|api_?key|private_?key", re.IGNORECASE)
_LOGIN = re.compile(r"(?<=://)[^/@\s]+@")


@dataclass(frozen=True)
class Told:
    """One run as MLflow shall know it.

    Attributes
    ----------
    parameters : dict of str
        `params.yaml`, flattened: `model.learning_rate` → its value as text.
    metrics : dict of float
        Every number of `reports/evaluation.json` but those of its tables, flattened, and those of a backtest of the
        same data and parameters over all its dates, as `backtest.pooled.auc`.
    tags : dict of str
        Where it comes from: digests, git commit, names of DVC.
    model : dict of str
        The texts of `models/current`, as their digests say.
    artifacts : tuple of (Path, str)
        File or folder → folder of the run's artifacts.
    """

    parameters: dict[str, str]
    metrics: dict[str, float]
    tags: dict[str, str]
    model: dict[str, str]
    artifacts: tuple[tuple[Path, str], ...]

    @property
    def identity(self) -> str:
        """Digest of what was learnt from what with which result; the commit and DVC's names do not change it."""
        content = [self.parameters, self.metrics, self.tags["data_digest"], self.tags["model_version"]]
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def told(root: Path) -> Told:
    """What the files under `root`, the project as DVC runs it, have to say.

    Raises
    ------
    IntegrityFault
        A file of the model is not what its digest says.
    """
    import yaml

    model = _verified(read_texts(root / PATHS["model"]))
    parameters = yaml.safe_load(read_text(root / "params.yaml"))
    return Told(
        parameters={name: _shown(name, value) for name, value in _leaves(parameters)},
        metrics={
            **_numbers(_without_rows(read_json(root / PATHS["evaluation"]))),
            **_numbers({"backtest": _pooled(root)}),
        },
        tags=_tags(root, model),
        model=model,
        artifacts=tuple(_artifacts(root)),
    )


def _pooled(root: Path) -> dict[str, Any]:
    """The figures of the backtest over all its dates; nothing where there is no backtest."""
    path = root / PATHS["measured"]
    backtest = read_json(path)["backtest"] if path.exists() else None
    return {"pooled": backtest["pooled"]} if backtest else {}


def _numbers(report: Mapping[str, Any]) -> dict[str, float]:
    return {
        _metric(name): float(value)
        for name, value in _leaves(report)
        if isinstance(value, int | float) and not isinstance(value, bool)
    }


def _verified(texts: dict[str, str]) -> dict[str, str]:
    """The same texts; LightGBM aborts the process on one that was cut, so digests come first."""
    digests = json.loads(texts.get("digests.json", "{}"))
    changed = [name for name in digests if _sha256(texts.get(name, "")) != digests[name]]
    if changed or not digests:
        raise IntegrityFault(
            f"{', '.join(changed) or 'digests.json'} in {PATHS['model']} is not what was stored; "
            "restore it with `dvc checkout`, or train anew with `churn run`"
        )
    return texts


def _tags(root: Path, model: Mapping[str, str]) -> dict[str, str]:
    lock, card, git = root / "dvc.lock", root / PATHS["card"] / "model_card.json", commit(root)
    found = {
        "model_version": _sha256(model["digests.json"])[:12],
        "model_kind": json.loads(model["card.json"])["kind"],
        "data_digest": digest(root / PATHS["raw"]),
        "dvc_lock_digest": digest(lock) if lock.exists() else "",
        "mlflow.source.git.commit": str(git["git_commit"]),
        "git_changed_files": str(git["git_changed_files"]),
        "grade": read_json(card)["grade"]["grade"] if card.exists() else "",
        **{name.lower(): os.environ.get(name, "") for name in DVC_NAMES},
    }
    return {name: value for name, value in found.items() if value}


def commit(root: Path) -> dict[str, str | int]:
    """`git_commit` of the project, empty outside a repository, and how many tracked files differ from it."""
    return {
        "git_commit": _git(root, "rev-parse", "HEAD"),
        "git_changed_files": len(_git(root, "status", "--porcelain", "--untracked-files=no").splitlines()),
    }


def _git(root: Path, *command: str) -> str:
    """What git says; empty without git or outside a repository, where the pipeline works as well."""
    try:
        done = subprocess.run(  # the user's own git, wherever it is installed
            ["git", *command],  # noqa: S607
            cwd=root,
            capture_output=True,
            text=True,
            timeout=10,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _artifacts(root: Path) -> Iterator[tuple[Path, str]]:
    for name in ("model", "evaluation", "curves", "figures", "card", "raw"):
        path = root / PATHS[name]
        if path.exists():
            yield path, name if path.is_dir() else ""
    yield root / "params.yaml", ""


def _leaves(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted name and value of everything in nested mappings. A list of plain values is one value."""
    if isinstance(value, Mapping):
        children = [(str(key), child) for key, child in value.items()]
    elif isinstance(value, list) and any(isinstance(child, Mapping | list) for child in value):
        children = [(str(place), child) for place, child in enumerate(value)]
    else:
        yield name, value
        return
    for key, child in children:
        yield from _leaves(child, f"{name}.{key}" if name else key)


def _without_rows(value: Any) -> Any:
    """The same without lists in nested mappings: the third group of customers is another one in the next run."""
    if not isinstance(value, Mapping):
        return value
    return {key: _without_rows(child) for key, child in value.items() if not isinstance(child, list)}


def _shown(name: str, value: Any) -> str:
    """A value as text, without what looks like a secret."""
    if _SECRET.search(name):
        return "(hidden)"
    return _LOGIN.sub("(hidden)@", str(value))[:PARAMETER_LONGEST]


def _metric(name: str) -> str:
    """The name, with what MLflow refuses in it replaced."""
    return re.sub(r"[^\w\-./ ]", "_", name)[:250]


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
