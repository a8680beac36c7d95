"""What scores and tables were made of: only while that stands may those of before be taken for new ones."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
PRODUCT = "src/churn/"
SCORING = ("src/churn/core/", "src/churn/words")
"""Of what the model's stage runs, the code that learns and scores; the rest reads settings and writes files."""


def stage_code(stage: str, under: str | tuple[str, ...] = PRODUCT) -> list[Path]:
    """The product's files that run in a stage of dvc.yaml, which a test holds equal to what the stage imports."""
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    return [file for name in stages[stage]["deps"] if name.startswith(under) for file in _files(ROOT / name)]


def of_ours(arguments: Mapping[str, Any]) -> str:
    """Digest of the code, the packages and the settings with which a model of the product learns and scores."""
    code = [*stage_code("model", SCORING), HERE / "ours.py", HERE / "trials.py", ROOT / "requirements.lock"]
    return digest(code, sorted(arguments.items()))


def of_peer(script: str, requirements: str, tries: int) -> str:
    """Digest of the script, the packages and the settings with which a peer does."""
    folder = HERE / "peers"
    return digest([folder / f"{script}.py", folder / f"{requirements}.txt"], tries)


def digest(files: Iterable[Path], *settings: object) -> str:
    """Digest of the files, each with its name, and of the settings."""
    found = hashlib.sha256(repr(settings).encode())
    for file in files:
        content = file.read_bytes()
        found.update(f"{file.name} {len(content)} ".encode() + content)
    return found.hexdigest()[:16]


def _files(path: Path) -> Iterator[Path]:
    return iter(sorted(path.rglob("*.py")) if path.is_dir() else [path])
