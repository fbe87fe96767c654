import json
import os
from pathlib import Path

import pytest

from distgrad.errors import UsageError
from distgrad.training.run_folder import RunFolder, check_run_folder


def test_folders_above_it_are_made(tmp_path):
    RunFolder(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()


@pytest.mark.parametrize("use", [check_run_folder, RunFolder])
class TestRefused:
    def test_a_folder_that_exists(self, use, tmp_path):
        with pytest.raises(UsageError) as raised:
            use(tmp_path)
        assert str(raised.value) == (
            f"the run folder {tmp_path} exists already; give another with --run-dir, or remove it"
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


def test_a_check_leaves_nothing(tmp_path):
    check_run_folder(tmp_path / "a" / "b")
    assert not list(tmp_path.iterdir())


def test_metrics_can_be_read_while_they_are_written(tmp_path):
    folder = RunFolder(tmp_path / "run")
    with folder.open_metrics() as add_row:
        for step in (1, 2):
            add_row({"step": step})
            rows = (folder.path / "metrics.jsonl").read_text().splitlines()
            assert [json.loads(row)["step"] for row in rows] == list(range(1, step + 1))


def test_a_file_is_whole_or_not_there(tmp_path, monkeypatch):
    folder = RunFolder(tmp_path / "run")
    folder.write("a.txt", b"before")

    def full(_):
        raise OSError("no space left")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="no space left"):
        folder.write("a.txt", b"after")
    assert [path.name for path in folder.path.iterdir()] == ["a.txt"]
    assert (folder.path / "a.txt").read_bytes() == b"before"


def test_json_is_strict(tmp_path):
    with pytest.raises(ValueError, match="not JSON compliant"):
        RunFolder(tmp_path / "run").write_json("a.json", {"loss": float("nan")})
