"""Readers of a delivery see the old list or the new one, never half of one, and can prove which."""

import json
import os
from pathlib import Path

import pytest

from churn.shell import delivery
from churn.shell.delivery import FILES, MANIFEST, ORIGIN, SUPERSEDED, name_origin, publish, verify
from churn.shell.store.files import digest
from churn.words.errors import DiskFault, IntegrityFault, NotEnoughData

ABOUT = {"rows": 3, "model_version": "0123456789ab", "params_digest": "p", "data_digest": "d"}


def list_of(folder: Path, text: str) -> Path:
    """A list whose files all say `text`."""
    folder.mkdir(exist_ok=True)
    for name in FILES:
        (folder / name).write_text(text)
    return folder


def delivered(tmp_path: Path, text: str, as_of: str = "2018-01-01") -> delivery.Published:
    """What publishing a list that says `text` gave."""
    return publish(list_of(tmp_path / "made", text), tmp_path / "deliveries", as_of=as_of, **ABOUT)


def said(folder: Path) -> set[str]:
    """What the files of a delivery say to a reader."""
    return {(folder / name).read_text() for name in FILES}


def bytes_of(folder: Path) -> dict[str, bytes]:
    """Every file of the folder with its content."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_list_is_readable_by_its_date_and_as_the_latest(tmp_path):
    folder, is_new = delivered(tmp_path, "one")
    assert is_new
    assert folder == tmp_path / "deliveries/2018-01-01"
    assert said(folder) == said(tmp_path / "deliveries/latest") == {"one"}


def test_the_manifest_names_each_file_with_its_size_and_digest_and_no_clock(tmp_path):
    folder, _ = delivered(tmp_path, "one")
    manifest = json.loads((folder / MANIFEST).read_text())
    files = manifest.pop("files")
    assert manifest == ABOUT | {"as_of": "2018-01-01"}
    assert files == {name: {"sha256": digest(folder / name), "bytes": len("one")} for name in FILES}


def test_who_made_a_delivery_stands_beside_it_and_changes_nothing_of_it(tmp_path):
    folder, _ = delivered(tmp_path, "one")
    name_origin(folder, {"run_id": "a", "git_commit": "b"})
    verify(folder)
    assert json.loads((folder / ORIGIN).read_text()) == {"run_id": "a", "git_commit": "b"}
    assert delivered(tmp_path, "one") == (folder, False)
    before = (folder / ORIGIN).stat().st_mtime_ns
    name_origin(folder, {"run_id": "a", "git_commit": "b"})
    assert (folder / ORIGIN).stat().st_mtime_ns == before


def test_a_damaged_note_of_who_made_a_delivery_is_written_anew(tmp_path):
    folder, _ = delivered(tmp_path, "one")
    (folder / ORIGIN).write_bytes(b"\xff\xfe")
    name_origin(folder, {"run_id": "a"})
    assert json.loads((folder / ORIGIN).read_text()) == {"run_id": "a"}


def test_two_checkouts_give_the_same_bytes(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    first, second = delivered(tmp_path / "a", "one")[0], delivered(tmp_path / "b", "one")[0]
    assert bytes_of(first) == bytes_of(second)
    assert os.readlink(first) == os.readlink(second)


def test_the_same_list_again_changes_nothing(tmp_path):
    folder, _ = delivered(tmp_path, "one")
    before = os.readlink(folder), folder.stat().st_mtime_ns
    assert delivered(tmp_path, "one") == (folder, False)
    assert (os.readlink(folder), folder.stat().st_mtime_ns) == before
    assert len(list((tmp_path / "deliveries/.versions").iterdir())) == 1


def test_links_are_relative_so_that_the_folder_can_be_moved(tmp_path):
    delivered(tmp_path, "one")
    (tmp_path / "deliveries").rename(tmp_path / "elsewhere")
    assert said(tmp_path / "elsewhere/latest") == {"one"}


def test_the_latest_is_the_one_that_was_published_last(tmp_path):
    delivered(tmp_path, "new", as_of="2018-01-01")
    delivered(tmp_path, "late", as_of="2017-12-18")
    assert said(tmp_path / "deliveries/latest") == {"late"}
    assert said(tmp_path / "deliveries/2018-01-01") == {"new"}


def test_a_reader_who_opened_the_old_list_still_reads_it_to_its_end(tmp_path):
    folder, _ = delivered(tmp_path, "old")
    with (folder / FILES[0]).open() as reader:
        delivered(tmp_path, "new")
        assert reader.read() == "old"
    assert said(folder) == {"new"}


@pytest.mark.parametrize("step", ["_copy", "force_folder", "verify", "_point", "write_json"])
def test_a_failure_in_any_step_leaves_the_last_good_list(tmp_path, monkeypatch, step):
    folder, _ = delivered(tmp_path, "good")

    def fails(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(delivery, step, fails)
        with pytest.raises((DiskFault, OSError)):
            delivered(tmp_path, "bad")
    assert said(folder) == said(tmp_path / "deliveries/latest") == {"good"}
    assert delivered(tmp_path, "better").is_new
    assert said(folder) == {"better"}
    assert not list((tmp_path / "deliveries").rglob("*.partial"))


def test_what_a_killed_run_left_is_swept_by_the_next(tmp_path):
    left = tmp_path / "deliveries/.versions/.2018-01-01.999999999.partial"
    left.mkdir(parents=True)
    delivered(tmp_path, "one")
    assert not left.exists()


@pytest.mark.parametrize("before", ["good", None])
def test_a_list_that_fails_its_proof_after_the_swap_is_taken_back(tmp_path, monkeypatch, before):
    folder = delivered(tmp_path, before)[0] if before else tmp_path / "deliveries/2018-01-01"
    proves = delivery.verify

    def refuses_the_link(where: Path) -> None:
        proves(where)
        if where == folder:
            raise IntegrityFault("the disk lied")

    monkeypatch.setattr(delivery, "verify", refuses_the_link)
    with pytest.raises(IntegrityFault, match="the disk lied"):
        delivered(tmp_path, "bad")
    assert said(folder) == {"good"} if before else not folder.exists()


def test_an_empty_list_is_refused_and_the_last_one_stays(tmp_path):
    folder, _ = delivered(tmp_path, "good")
    made = list_of(tmp_path / "made", "nobody")
    with pytest.raises(NotEnoughData, match="the list for 2018-01-01 is empty"):
        publish(made, tmp_path / "deliveries", as_of="2018-01-01", **ABOUT | {"rows": 0})
    assert said(folder) == {"good"}


def test_missing_and_empty_files_are_refused_by_name(tmp_path):
    made = list_of(tmp_path / "made", "one")
    (made / "risk_list.csv").unlink()
    (made / "index.html").write_text("")
    with pytest.raises(IntegrityFault, match=r"2 of 8 files .* index.html, risk_list.csv"):
        publish(made, tmp_path / "deliveries", as_of="2018-01-01", **ABOUT)
    assert not (tmp_path / "deliveries").exists()


def test_a_changed_a_missing_and_an_added_file_are_named(tmp_path):
    folder, _ = delivered(tmp_path, "one")
    (folder / "risk_list.csv").write_text("two")
    (folder / "index.html").unlink()
    (folder / "extra.txt").write_text("x")
    with pytest.raises(IntegrityFault, match=r"3 of 8 files .*: extra.txt, index.html, risk_list.csv"):
        verify(folder)


def test_a_published_list_that_somebody_edited_is_published_again(tmp_path):
    folder, _ = delivered(tmp_path, "one")
    (folder / "risk_list.csv").write_text("forged")
    assert delivered(tmp_path, "one").is_new
    assert said(folder) == {"one"}
    assert delivered(tmp_path, "one") == (folder, False)


def test_only_the_newest_superseded_versions_of_a_date_are_kept(tmp_path):
    delivered(tmp_path, "other day", as_of="2017-12-18")
    for number in range(SUPERSEDED + 3):
        delivered(tmp_path, f"list {number}")
    versions = (tmp_path / "deliveries/.versions").glob("2018-01-01-*")
    kept = {(version / FILES[0]).read_text() for version in versions}
    assert kept == {f"list {number}" for number in range(2, SUPERSEDED + 3)}
    assert said(tmp_path / "deliveries/2017-12-18") == {"other day"}


def test_a_folder_that_somebody_else_made_is_left_alone(tmp_path):
    mine = tmp_path / "deliveries/2018-01-01"
    mine.mkdir(parents=True)
    (mine / "notes.txt").write_text("mine")
    with pytest.raises(DiskFault, match="churn did not make"):
        delivered(tmp_path, "one")
    assert bytes_of(mine) == {"notes.txt": b"mine"}
