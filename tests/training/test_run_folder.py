import json
import os
import shutil
from contextlib import closing
from pathlib import Path

import pytest

from distgrad.errors import UsageError
from distgrad.training import run_lock
from distgrad.training.run_folder import RunFolder, check_run_folder


@pytest.fixture
def folder(tmp_path):
    """The folder of a run that has begun."""
    with closing(RunFolder(tmp_path / "run")) as folder:
        folder.write("config.toml", b"")
        yield folder


def reopened(path):
    return closing(RunFolder(path, resume=True))


def rows(folder):
    return (folder.path / "metrics.jsonl").read_text().splitlines()


def test_folders_above_it_are_made(tmp_path):
    with closing(RunFolder(tmp_path / "a" / "b")) as folder:
        assert folder.is_new
    assert (tmp_path / "a" / "b").is_dir()


@pytest.mark.parametrize("use", [check_run_folder, RunFolder])
class TestRefused:
    def test_a_folder_that_exists(self, use, tmp_path):
        with pytest.raises(UsageError) as raised:
            use(tmp_path)
        assert str(raised.value) == (
            f"the run folder {tmp_path} exists already; go on with the run in it with --resume, "
            "give another with --run-dir, or remove it"
        )

    def test_a_folder_below_a_file(self, use, tmp_path):
        (tmp_path / "file").touch()
        path = tmp_path / "file" / "run"
        with pytest.raises(UsageError) as raised:
            use(path)
        assert str(raised.value) == (
            f"the run folder {path} cannot be made (Not a directory); give another with --run-dir"
        )

    @pytest.mark.skipif(
        not Path("/proc/self").exists(), reason="needs a file system to look at only"
    )
    def test_a_folder_where_nothing_can_be_written(self, use):
        with pytest.raises(
            UsageError, match=r"folder /proc/run cannot be made \(.+\); give another"
        ):
            use(Path("/proc/run"))

    def test_to_resume_in_a_folder_of_something_else(self, use, tmp_path):
        (tmp_path / "thesis.tex").touch()
        with pytest.raises(UsageError) as raised:
            use(tmp_path, resume=True)
        assert str(raised.value) == (
            f"{tmp_path} is not the folder of a run: it has no config.toml; give that of a run "
            "with --run-dir, or leave --resume out to begin one"
        )
        assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]

    def test_to_resume_in_a_file(self, use, tmp_path):
        path = tmp_path / "file"
        path.touch()
        with pytest.raises(UsageError, match=r"file is not a folder; give another with --run-dir$"):
            use(path, resume=True)


def test_a_check_leaves_nothing(tmp_path):
    check_run_folder(tmp_path / "a" / "b")
    check_run_folder(tmp_path / "a" / "b", resume=True)
    assert not list(tmp_path.iterdir())


def test_to_resume_where_nothing_is_makes_the_folder(tmp_path):
    with reopened(tmp_path / "run") as folder:
        assert folder.is_new
    assert (tmp_path / "run").is_dir()


def test_to_resume_where_a_run_is(folder, tmp_path):
    folder.close()
    with reopened(tmp_path / "run") as again:
        assert not again.is_new


def test_to_resume_a_run_that_had_not_written_anything_yet(folder):
    folder.remove("config.toml")
    folder.close()
    with reopened(folder.path) as again:
        assert not again.is_new


def test_a_folder_is_for_one_run_at_a_time(folder, monkeypatch):
    monkeypatch.setattr(run_lock, "PATIENCE", 0.1)
    with pytest.raises(UsageError, match=f"is in use by process {os.getpid()} on "):
        RunFolder(folder.path, resume=True)


def test_metrics_can_be_read_while_they_are_written(folder):
    for step in (1, 2):
        folder.add_row({"step": step})
        assert [json.loads(row)["step"] for row in rows(folder)] == list(range(1, step + 1))


def test_rows_are_cut_from_a_step_on(folder):
    for step in range(1, 6):
        folder.add_row({"step": step})
    folder.sync_rows()
    folder.close()
    with reopened(folder.path) as again:
        again.cut_rows(3)
        again.add_row({"step": 3, "again": True})
        assert [json.loads(row) for row in rows(again)] == [
            {"step": 1},
            {"step": 2},
            {"step": 3, "again": True},
        ]


def test_to_cut_where_there_are_no_rows(folder):
    folder.cut_rows(3)
    folder.sync_rows()
    assert not (folder.path / "metrics.jsonl").exists()


@pytest.mark.parametrize("torn", [b'{"step": 2', b"\n", b"{}\n", b"[1]\n", b"\xff", b'"step"\n'])
def test_a_row_that_is_none_goes_with_the_cut(folder, torn):
    folder.add_row({"step": 1})
    folder.close()
    with (folder.path / "metrics.jsonl").open("ab") as file:
        file.write(torn)
    with reopened(folder.path) as again:
        again.cut_rows(9)
        again.add_row({"step": 2})
        assert [json.loads(row)["step"] for row in rows(again)] == [1, 2]


def test_a_file_is_whole_or_not_there(folder, monkeypatch):
    folder.write("a.txt", b"before")

    def full(_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match=r"No space left on device: '.*run/a\.txt'"):
            folder.write("a.txt", b"after")
    assert {path.name for path in folder.path.iterdir()} == {".lock", "a.txt", "config.toml"}
    assert (folder.path / "a.txt").read_bytes() == b"before"


def test_json_is_strict(folder):
    with pytest.raises(ValueError, match="not JSON compliant"):
        folder.write_json("a.json", {"loss": float("nan")})


@pytest.mark.parametrize("content", [None, b"{", b"[]", b"\xff"])
def test_what_is_no_json_says_nothing(folder, content):
    if content is not None:
        folder.write("a.json", content)
    assert folder.read_json("a.json") == {}


def test_files_are_removed_where_they_are(folder):
    folder.write("a.txt", b"a")
    folder.remove("a.txt", "b.txt")
    assert not (folder.path / "a.txt").exists()


def test_a_folder_that_is_removed_under_a_run(folder):
    shutil.rmtree(folder.path)
    with pytest.raises(OSError, match=r"metrics\.jsonl"):
        folder.add_row({"step": 1})
