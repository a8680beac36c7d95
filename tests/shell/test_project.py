"""Commands and notebooks find their project from any folder in it."""

from pathlib import Path

from churn.shell.project import enter


def test_from_a_folder_below_the_project_becomes_the_working_directory(tmp_path, monkeypatch):
    (tmp_path / "dvc.yaml").touch()
    (tmp_path / "notebooks/old").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "notebooks/old")
    assert enter() == Path.cwd() == tmp_path
    assert enter() == Path.cwd() == tmp_path


def test_without_a_project_the_working_directory_stays(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert enter() == Path.cwd() == tmp_path
