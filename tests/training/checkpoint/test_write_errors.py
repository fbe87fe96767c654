"""What cannot be written is an error with a way out, and harms nothing that is there."""

import errno
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers.checkpoints import assert_same, checkpoint_of
from helpers.mounts import read_only, small_disk

from distgrad.training.checkpoint import BackgroundWriter, CheckpointError, CheckpointStore

RESUME = "go on with --resume; the checkpoints before it are as they were"
PAGE = os.sysconf("SC_PAGE_SIZE")


@pytest.fixture
def store(tmp_path) -> CheckpointStore:
    """With a whole checkpoint of step 1."""
    store = CheckpointStore(tmp_path / "run" / "checkpoints")
    store.folder.parent.mkdir()
    store.save(checkpoint_of(1))
    return store


@pytest.fixture
def disk(tmp_path) -> Iterator[CheckpointStore]:
    """A store on a file system of 1 MiB, with a whole checkpoint of step 1."""
    with small_disk(tmp_path, "1m"):
        store = CheckpointStore(tmp_path / "checkpoints")
        store.save(checkpoint_of(1))
        yield store


def names(store: CheckpointStore) -> set[str]:
    return {path.name for path in store.folder.iterdir()}


def assert_nothing_lost(store: CheckpointStore, version: int = 0) -> None:
    found = store.newest()
    assert found.skipped == []
    assert_same(found.checkpoint, checkpoint_of(1, version))
    assert names(store) == {"step-1"}


class TestFullDisk:
    def test_the_message(self, disk) -> None:
        with pytest.raises(CheckpointError) as raised:
            disk.save(checkpoint_of(2, rows=100_000))
        free = os.statvfs(disk.folder).f_bavail * PAGE / 1e6
        assert str(raised.value) == (
            f"the checkpoint {disk.path(2)} cannot be written: No space left on device (it takes "
            f"3.6 MB, {free:.1f} MB are free); free some space or keep fewer "
            f"(checkpoint.keep_last), then {RESUME}"
        )
        assert_nothing_lost(disk)

    def test_wherever_the_space_ends(self, disk) -> None:
        filler = disk.folder.parent / "filler"
        failures = []
        for pages in range(12):
            filler.touch()
            room = os.statvfs(filler).f_bavail
            filler.write_bytes(bytes((room - pages) * PAGE))
            try:
                disk.save(checkpoint_of(1, version=pages))
            except CheckpointError as error:
                failures.append(str(error))
                assert_nothing_lost(disk)
            else:
                assert_nothing_lost(disk, version=pages)
                break
            filler.unlink()
        assert 3 < len(failures) < 12
        assert all("No space left on device" in failure for failure in failures)

    def test_no_more_files(self, tmp_path) -> None:
        with small_disk(tmp_path, "1m", nr_inodes=10):
            store = CheckpointStore(tmp_path / "checkpoints")
            store.save(checkpoint_of(1))
            with pytest.raises(CheckpointError, match="No space left on device"):
                store.save(checkpoint_of(2))
            assert_nothing_lost(store)

    def test_space_that_is_free_again(self, disk) -> None:
        with pytest.raises(CheckpointError):
            disk.save(checkpoint_of(2, rows=100_000))
        disk.save(checkpoint_of(2))
        assert_same(disk.newest().checkpoint, checkpoint_of(2))

    def test_in_the_background(self, disk) -> None:
        writer = BackgroundWriter(disk, keep_last=1)
        writer.submit(checkpoint_of(2, rows=100_000), None)
        writer.finish()
        assert "No space left on device" in str(writer.failure)
        assert_nothing_lost(disk)


class TestReadOnly:
    def test_saving(self, store) -> None:
        with read_only(store.folder):
            with pytest.raises(CheckpointError) as raised:
                store.save(checkpoint_of(2))
            assert str(raised.value) == (
                f"the checkpoint {store.path(2)} cannot be written: {store.folder}/.step-2.draft: "
                f"Read-only file system; make the folder writable, then {RESUME}"
            )
            assert_nothing_lost(store)

    def test_the_first_checkpoint(self, tmp_path) -> None:
        with read_only(tmp_path):
            store = CheckpointStore(tmp_path / "checkpoints")
            with pytest.raises(CheckpointError, match=r"checkpoints: Read-only file system; "):
                store.save(checkpoint_of(2))

    def test_pruning(self, store) -> None:
        store.save(checkpoint_of(2))
        with read_only(store.folder):
            with pytest.raises(CheckpointError) as raised:
                store.prune(1)
            assert str(raised.value) == (
                f"the old checkpoint {store.path(1)} cannot be removed (Read-only file system); "
                "see why, and remove it by hand"
            )
        assert store.steps() == [1, 2]

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may write everything")
    def test_a_folder_of_somebody_else(self, store) -> None:
        store.folder.chmod(0o555)
        try:
            with pytest.raises(CheckpointError, match=r"Permission denied; make the folder writ"):
                store.save(checkpoint_of(2))
            assert_nothing_lost(store)
        finally:
            store.folder.chmod(0o755)


class TestRemovedMeanwhile:
    def test_the_run_folder(self, store) -> None:
        shutil.rmtree(store.folder.parent)
        with pytest.raises(CheckpointError) as raised:
            store.save(checkpoint_of(2))
        assert str(raised.value) == (
            f"the checkpoint {store.path(2)} cannot be written: {store.folder}: No such file or "
            "directory; the folder was removed while the run went on: bring it back and go on "
            "with --resume, or begin anew"
        )
        assert not store.folder.parent.exists()

    def test_the_folder_of_checkpoints_is_made_again(self, store) -> None:
        shutil.rmtree(store.folder)
        store.save(checkpoint_of(2))
        assert names(store) == {"step-2"}

    @pytest.mark.parametrize("what", [".", "checkpoints", "checkpoints/.step-2.draft"])
    @pytest.mark.parametrize("sync", range(5))
    def test_while_it_is_written(self, store, monkeypatch, what: str, sync: int) -> None:
        fsync, calls = os.fsync, []

        def remove_and_sync(descriptor: int) -> None:
            if len(calls) == sync:
                shutil.rmtree(store.folder.parent / what)
            calls.append(descriptor)
            fsync(descriptor)

        monkeypatch.setattr(os, "fsync", remove_and_sync)
        with pytest.raises(CheckpointError, match=r"No such file or directory; the folder was re"):
            store.save(checkpoint_of(2))
        if what.endswith("draft"):
            assert_nothing_lost(store)


class TestSomethingElseHasTheName:
    @pytest.mark.parametrize(
        ("name", "reason"),
        [
            ("checkpoints", "File exists"),
            ("checkpoints/step-2", "Not a directory"),
            ("checkpoints/.step-2.draft", "File exists"),
        ],
    )
    def test_a_file(self, store, name: str, reason: str) -> None:
        path = store.folder.parent / name
        if name == "checkpoints":
            shutil.rmtree(path)
        path.write_text("somebody's notes")
        with pytest.raises(CheckpointError) as raised:
            store.save(checkpoint_of(2))
        assert str(raised.value) == (
            f"the checkpoint {store.path(2)} cannot be written: {path}: {reason}; something else "
            f"has this name: move it away, then {RESUME}"
        )
        assert path.read_text() == "somebody's notes"

    @pytest.mark.parametrize("exists", [False, True])
    def test_a_link(self, store, tmp_path, exists: bool) -> None:
        store.path(2).symlink_to(tmp_path if exists else tmp_path / "nothing")
        with pytest.raises(CheckpointError, match="something else has this name: move it away"):
            store.save(checkpoint_of(2))
        assert store.path(2).is_symlink()


@pytest.mark.parametrize(
    ("number", "way_out"),
    [
        (errno.EDQUOT, f"your quota is used up: free some space, then {RESUME}"),
        (errno.EACCES, f"make the folder writable, then {RESUME}"),
        (errno.EIO, f"mend that, then {RESUME}"),
    ],
)
@pytest.mark.parametrize("sync", range(6))
def test_an_error_of_the_disk(store, monkeypatch, sync: int, number: int, way_out: str) -> None:
    fsync, calls = os.fsync, []

    def failing(descriptor: int) -> None:
        calls.append(descriptor)
        if len(calls) == sync + 1:
            raise OSError(number, os.strerror(number))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", failing)
    with pytest.raises(CheckpointError, match=re.escape(f"{os.strerror(number)}; {way_out}")):
        store.save(checkpoint_of(2))
    assert not any(name.startswith(".") for name in names(store))
    if sync < 5:
        assert_nothing_lost(store)
    else:  # it has its name, and only that this is on the disk is not known
        assert_same(store.newest().checkpoint, checkpoint_of(2))


@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOTSUP])
def test_a_file_system_that_syncs_no_folders(store, monkeypatch, number: int) -> None:
    fsync = os.fsync

    def of_files_only(descriptor: int) -> None:
        if Path(f"/proc/self/fd/{descriptor}").is_dir():
            raise OSError(number, os.strerror(number))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", of_files_only)
    store.save(checkpoint_of(2))
    assert_same(store.newest().checkpoint, checkpoint_of(2))


def test_an_interrupt_leaves_no_draft(store, monkeypatch) -> None:
    def interrupted(descriptor: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        store.save(checkpoint_of(2))
    assert_nothing_lost(store)


def test_one_that_could_not_be_replaced_is_put_back(store, monkeypatch) -> None:
    rename = Path.rename

    def failing(path: Path, target: Path) -> Path:
        if path.name.endswith(".draft"):
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", failing)
    with pytest.raises(CheckpointError, match="Input/output error"):
        store.save(checkpoint_of(1, version=1))
    assert_nothing_lost(store)
