"""DVC does not see imports: every stage lists each file of ours that its script imports, wherever it does so."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
STAGES = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
ROOTS = {"churn": ROOT / "src", "pipelines": ROOT}
DATA_OF = {"src/churn/core/template.py": "src/churn/core/templates"}
"""Files that are read as data by a module of ours; `test_every_data_file_has_its_module` keeps this complete."""


def module_file(name: str) -> Path | None:
    """The file of a module of ours; None for another's, and for a name that is no module."""
    folder = ROOTS.get(name.partition(".")[0])
    path = folder / name.replace(".", "/") if folder else None
    return next((p for p in (path / "__init__.py", path.with_suffix(".py")) if p.is_file()), None) if path else None


def imported(tree: ast.AST) -> Iterator[str]:
    """Names that may be modules. What only the type checker imports never runs."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            yield str(node.module)
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        yield from imported(node)


@cache
def direct(path: Path) -> frozenset[Path]:
    """The files that a file imports, packages above them included."""
    names = set(imported(ast.parse(path.read_text(encoding="utf-8"))))
    names |= {name.rsplit(".", n)[0] for name in names for n in range(1, name.count(".") + 1)}
    return frozenset(file for file in map(module_file, names) if file)


def does_something(path: Path) -> bool:
    """Whether there is more in the file than its docstring; packages of ours often hold no more."""
    return any(not isinstance(node, ast.Expr) for node in ast.parse(path.read_text(encoding="utf-8")).body)


def code_of(stage: str) -> set[str]:
    """Every file of ours that runs in a stage, relative to the root."""
    found: set[Path] = set()
    waiting = [ROOT / f"pipelines/{stage}.py", ROOT / "pipelines/__init__.py", ROOT / "src/churn/__init__.py"]
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            waiting += direct(path)
    code = {path.relative_to(ROOT).as_posix() for path in found if does_something(path)}
    return code | {data for module, data in DATA_OF.items() if module in code}


def listed(stage: str) -> set[str]:
    return set(STAGES[stage].get("deps", []))


def covers(dep: str, file: str) -> bool:
    return file == dep or file.startswith(f"{dep}/")


ALWAYS = {name for name, stage in STAGES.items() if stage.get("always_changed")}
REMEMBERED = sorted(STAGES.keys() - ALWAYS)


@pytest.mark.parametrize("stage", REMEMBERED)
def test_a_stage_lists_all_code_that_it_runs(stage: str) -> None:
    missing = sorted(file for file in code_of(stage) if not any(covers(dep, file) for dep in listed(stage)))
    assert not missing, f"add to the deps of {stage} in dvc.yaml:\n" + "\n".join(f"      - {file}" for file in missing)


@pytest.mark.parametrize("stage", REMEMBERED)
def test_a_stage_lists_no_code_that_it_does_not_run(stage: str) -> None:
    code = code_of(stage)
    own = [dep for dep in listed(stage) if dep.startswith(("src/", "pipelines/"))]
    idle = sorted(dep for dep in own if not any(covers(dep, file) for file in code))
    assert not idle, f"{stage} would be made again for nothing; remove from its deps in dvc.yaml: {', '.join(idle)}"


@pytest.mark.parametrize("stage", REMEMBERED)
def test_a_stage_lists_each_section_that_it_asks_for(stage: str) -> None:
    calls = [n for n in ast.walk(ast.parse((ROOT / f"pipelines/{stage}.py").read_text())) if isinstance(n, ast.Call)]
    asked = {n.args[0].value for n in calls if ast.unparse(n.func) in {"config.section", "config.value"}}
    assert {param.split(".")[0] for param in STAGES[stage].get("params", [])} >= asked


def test_every_param_of_a_stage_is_in_params_yaml() -> None:
    params = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    for stage in STAGES.values():
        for param in stage.get("params", []):
            here = params
            for part in param.split("."):
                assert part in here, param
                here = here[part]


def test_every_stage_has_its_script_and_every_script_its_stage() -> None:
    scripts = {path.stem for path in (ROOT / "pipelines").glob("*.py")} - {"__init__"}
    assert scripts == STAGES.keys()
    assert {name: stage["cmd"] for name, stage in STAGES.items()} == {n: f"python -m pipelines.{n}" for n in scripts}


def test_only_the_first_stage_runs_always() -> None:
    assert sorted(ALWAYS) == ["raw"]


def test_nothing_is_filled_into_dvc_yaml() -> None:
    assert "${" not in (ROOT / "dvc.yaml").read_text(encoding="utf-8")  # through -S it would run any command


def test_every_data_file_has_its_module() -> None:
    files = [p for p in (ROOT / "src").rglob("*") if p.is_file() and "__pycache__" not in p.parts and p.suffix != ".py"]
    names = [path.relative_to(ROOT).as_posix() for path in files]
    assert [name for name in names if not any(covers(data, name) for data in DATA_OF.values())] == []


def test_a_planted_import_is_found() -> None:
    source = "def f():\n    from churn.core.model import read\nif TYPE_CHECKING:\n    import churn.cli"
    assert set(imported(ast.parse(source))) == {"churn.core.model", "churn.core.model.read"}
