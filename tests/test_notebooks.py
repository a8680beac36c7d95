"""Notebooks ask questions of what a run made, define nothing, and run from first to last cell."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.py"))
QUESTIONS = ("who", "what", "is", "does", "do", "how", "when", "where", "why", "which")


def test_there_are_some():
    assert 3 <= len(NOTEBOOKS) <= 5


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_named_by_its_question_imports_us_and_defines_nothing(path):
    assert path.stem.split("_")[0] in QUESTIONS
    text = path.read_text(encoding="utf-8")
    title = next(line.removeprefix("# # ") for line in text.splitlines() if line.startswith("# # "))
    assert "_".join(title.lower().replace(",", "").rstrip("?").split()) == path.stem
    nodes = list(ast.walk(ast.parse(text)))
    assert not [node for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)]
    assert any(isinstance(node, ast.ImportFrom) and str(node.module).startswith("churn.") for node in nodes)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_from_its_folder_and_answers(path, demo_run, monkeypatch):
    import jupytext
    from nbclient import NotebookClient

    from tests.pipelines.project import environment

    for name, value in environment(demo_run.folder).items():
        monkeypatch.setenv(name, value)
    folder = demo_run.folder / "notebooks"
    folder.mkdir(exist_ok=True)
    book = jupytext.read(path)
    NotebookClient(book, timeout=60, resources={"metadata": {"path": str(folder)}}).execute()
    outputs = [output for cell in book.cells if cell.cell_type == "code" for output in cell.outputs]
    assert not [output.text for output in outputs if output.output_type == "stream"]
    assert len([output for output in outputs if output.output_type in {"execute_result", "display_data"}]) >= 4
