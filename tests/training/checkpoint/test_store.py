"""Checkpoints are saved, found, replaced and pruned."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from helpers.checkpoints import assert_same, checkpoint_of

import distgrad as dg
from distgrad.training.checkpoint import Checkpoint, CheckpointError, CheckpointStore, Found
from distgrad.training.checkpoint import store as checkpoint_store


@pytest.fixture
def store(tmp_path) -> CheckpointStore:
    return CheckpointStore(tmp_path / "checkpoints")


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_what_is_saved_is_found(store) -> None:
    path = store.save(checkpoint_of(30))
    assert path == store.folder / "step-30"
    found = store.newest()
    assert found.skipped == []
    assert_same(found.checkpoint, checkpoint_of(30))


def test_the_files(store) -> None:
    path = store.save(checkpoint_of(4))
    assert names(store.folder) == {"step-4"}
    files = {"model.safetensors", "optimizer.safetensors", "state.json"}
    assert names(path) == files | {"manifest.json"}
    manifest = json.loads((path / "manifest.json").read_text())
    assert (manifest["format"], manifest["step"]) == (1, 4)
    assert manifest["distgrad"] == dg.__version__
    sizes = {name: record["size"] for name, record in manifest["files"].items()}
    assert sizes == {name: (path / name).stat().st_size for name in files}


def test_nothing_there_yet(store) -> None:
    assert (store.newest(), store.steps()) == (Found(None, []), [])
    store.folder.mkdir()
    assert (store.newest(), store.steps()) == (Found(None, []), [])


def test_a_checkpoint_without_arrays_or_state(store) -> None:
    store.save(Checkpoint(0, {"model": {}}, {}))
    assert_same(store.newest().checkpoint, Checkpoint(0, {"model": {}}, {}))


def test_numbers_that_json_has_no_word_for(store) -> None:
    state = {"best": float("inf"), "least": float("-inf"), "tiny": 5e-324, "seed": 2**64 - 1}
    store.save(Checkpoint(1, {}, {**state, "loss": float("nan")}))
    found = store.newest().checkpoint.state
    assert np.isnan(found.pop("loss"))
    assert found == state


def test_the_newest_is_that_of_the_greatest_number(store) -> None:
    for step in (9, 100, 11):
        store.save(checkpoint_of(step))
    assert store.steps() == [9, 11, 100]
    assert_same(store.newest().checkpoint, checkpoint_of(100))


def test_other_names_are_left_alone(store) -> None:
    store.folder.mkdir()
    others = {"step-007", "step-x", "step-1.draft", ".step-01.draft", "notes.txt", "step-"}
    for name in others:
        (store.folder / name).mkdir()
    store.save(checkpoint_of(1))
    store.prune(1)
    assert store.steps() == [1]
    assert store.newest().skipped == []
    assert names(store.folder) == others | {"step-1"}


def test_a_step_that_is_there_is_replaced(store) -> None:
    for version in (0, 1):
        store.save(checkpoint_of(5, version))
        assert names(store.folder) == {"step-5"}
        assert_same(store.newest().checkpoint, checkpoint_of(5, version))


def test_a_broken_one_is_replaced(store) -> None:
    (store.save(checkpoint_of(5)) / "manifest.json").unlink()
    store.save(checkpoint_of(5))
    assert_same(store.newest().checkpoint, checkpoint_of(5))
    assert names(store.folder) == {"step-5"}


def test_a_content_that_cannot_be_written_leaves_nothing(store) -> None:
    store.save(checkpoint_of(1))
    with pytest.raises(TypeError, match="not JSON serializable"):
        store.save(Checkpoint(2, {}, {"path": Path()}))
    with pytest.raises(TypeError, match="has the data type complex128"):
        store.save(Checkpoint(2, {"model": {"w": np.ones(2, complex)}}, {}))
    assert names(store.folder) == {"step-1"}


def test_everything_is_on_the_disk_before_it_has_its_name(store, monkeypatch) -> None:
    events = []
    fsync, rename = os.fsync, Path.rename

    def recorded_fsync(descriptor: int) -> None:
        events.append(Path(os.readlink(f"/proc/self/fd/{descriptor}")))
        fsync(descriptor)

    def recorded_rename(path: Path, target: Path) -> Path:
        if path.exists():
            events.append((path, target))
        return rename(path, target)

    if not Path("/proc/self/fd").exists():
        pytest.skip("needs /proc to see what is synced")
    monkeypatch.setattr(os, "fsync", recorded_fsync)
    monkeypatch.setattr(Path, "rename", recorded_rename)
    store.save(checkpoint_of(5))
    draft = store.folder / ".step-5.draft"
    assert events == [
        store.folder.parent,
        draft / "model.safetensors",
        draft / "optimizer.safetensors",
        draft / "state.json",
        draft / "manifest.json",
        draft,
        (draft, store.folder / "step-5"),
        store.folder,
    ]


class TestPruning:
    def test_the_newest_stay(self, store) -> None:
        for step in range(1, 6):
            store.save(checkpoint_of(step))
        store.prune(2)
        assert names(store.folder) == {"step-4", "step-5"}

    def test_others_can_be_kept(self, store) -> None:
        for step in range(1, 6):
            store.save(checkpoint_of(step))
        store.prune(2, keep=[2, 77])
        assert store.steps() == [2, 4, 5]

    @pytest.mark.parametrize("again", [False, True], ids=["the writer", "another process"])
    def test_the_newest_whole_one_stays_whatever_is_newer(self, store, again: bool) -> None:
        for step in (1, 2, 3):
            store.save(checkpoint_of(step))
        store = CheckpointStore(store.folder)
        for step in (8, 9):
            path = CheckpointStore(store.folder).save(checkpoint_of(step)) / "model.safetensors"
            content = bytearray(path.read_bytes())
            content[-1] ^= 1
            path.write_bytes(content)
        if again:
            store.save(checkpoint_of(4))
        store.prune(1)
        newest = 4 if again else 3
        assert store.steps() == [newest, 8, 9]
        assert_same(store.newest().checkpoint, checkpoint_of(newest))

    def test_what_was_written_here_is_not_read_again(self, store, monkeypatch) -> None:
        def check(path: Path, step: int) -> None:
            raise AssertionError(f"{path} is read")

        monkeypatch.setattr(checkpoint_store, "check_whole", check)
        for step in (1, 2, 3):
            store.save(checkpoint_of(step))
            store.prune(1)
        assert store.steps() == [3]

    def test_broken_ones_do_not_count(self, store) -> None:
        for step in (1, 2, 3, 4):
            store.save(checkpoint_of(step))
        (store.path(3) / "state.json").unlink()
        store.prune(2)
        assert store.steps() == [2, 4]

    def test_nothing_whole_is_there(self, store) -> None:
        (store.save(checkpoint_of(1)) / "manifest.json").unlink()
        store = CheckpointStore(store.folder)
        store.prune(1)
        assert store.steps() == [1]

    def test_at_least_one_stays(self, store) -> None:
        with pytest.raises(ValueError, match="keep_last must be at least 1, got 0"):
            store.prune(0)

    def test_one_that_cannot_be_removed(self, store) -> None:
        for step in (1, 2):
            store.save(checkpoint_of(step))
        # Something that nobody has put there, and nobody removes.
        (store.folder / ".step-1.removed").touch()
        with pytest.raises(CheckpointError) as raised:
            store.prune(1)
        assert str(raised.value) == (
            f"the old checkpoint {store.path(1)} cannot be removed (Not a directory); see why, "
            "and remove it by hand"
        )
        assert_same(store.newest().checkpoint, checkpoint_of(2))
