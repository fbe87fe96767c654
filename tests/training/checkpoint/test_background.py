"""Checkpoints are written beside the training: as they were submitted, and never silently not."""

import os
import threading
from collections.abc import Iterator

import numpy as np
import pytest
from helpers.checkpoints import assert_same, checkpoint_of

from distgrad.training.checkpoint import (
    BackgroundWriter,
    Checkpoint,
    CheckpointError,
    CheckpointStore,
)


class Gate:
    """Holds every fsync until it is opened."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self.opened = threading.Event()
        self._fsync = os.fsync

    def fsync(self, descriptor: int) -> None:
        self.reached.set()
        assert self.opened.wait(60)
        self._fsync(descriptor)


@pytest.fixture
def gate(monkeypatch) -> Iterator[Gate]:
    gate = Gate()
    monkeypatch.setattr(os, "fsync", gate.fsync)
    yield gate
    gate.opened.set()
    for thread in threads():
        thread.join(60)


@pytest.fixture
def store(tmp_path) -> CheckpointStore:
    return CheckpointStore(tmp_path / "checkpoints")


def threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "distgrad-checkpoint"]


def broken(store: CheckpointStore) -> None:
    """Make the store one in which nothing can be written."""
    store.folder.touch()


def test_what_is_submitted_is_written(store) -> None:
    writer = BackgroundWriter(store, keep_last=3)
    for step in (1, 2):
        writer.submit(checkpoint_of(step), None)
    writer.finish()
    assert writer.failure is None
    assert store.steps() == [1, 2]
    assert_same(store.newest().checkpoint, checkpoint_of(2))


def test_old_ones_go_and_the_best_stays(store) -> None:
    writer = BackgroundWriter(store, keep_last=2)
    for step in range(1, 7):
        writer.submit(checkpoint_of(step), best_step=2 if step > 2 else None)
    writer.finish()
    assert store.steps() == [2, 5, 6]


def test_the_caller_goes_on_while_it_is_written(store, gate) -> None:
    writer = BackgroundWriter(store, keep_last=3)
    submitted = checkpoint_of(1)
    writer.submit(submitted, None)
    assert gate.reached.wait(60)
    assert store.steps() == []
    for arrays in submitted.arrays.values():
        for array in arrays.values():
            array[...] = 7
    submitted.state["nested"]["list"].append("more")
    gate.opened.set()
    writer.finish()
    assert_same(store.newest().checkpoint, checkpoint_of(1))


def test_the_one_before_is_waited_for(store, gate) -> None:
    writer = BackgroundWriter(store, keep_last=3)
    writer.submit(checkpoint_of(1), None)
    assert gate.reached.wait(60)
    threading.Timer(0.1, gate.opened.set).start()
    writer.submit(checkpoint_of(2), None)
    assert store.steps()[0] == 1
    writer.finish()
    assert_same(store.newest().checkpoint, checkpoint_of(2))


def test_layouts_and_shapes_that_change(store) -> None:
    writer = BackgroundWriter(store, keep_last=9)
    contents = [
        {"w": np.arange(6.0).reshape(2, 3)},
        {"w": np.asfortranarray(np.arange(6.0).reshape(2, 3))},
        {"w": np.arange(6, dtype=">f8").reshape(2, 3)},
        {"w": np.arange(6.0).reshape(3, 2)},
        {"w": np.arange(6, dtype=np.int64).reshape(3, 2), "b": np.array(True)},
        {"b": np.array(False)},
        {"b": np.zeros((0, 3), np.float16)},
    ]
    for step, arrays in enumerate(contents):
        writer.submit(Checkpoint(step, {"model": arrays}, {}), None)
    writer.finish()
    assert writer.failure is None
    for step, arrays in reversed(list(enumerate(contents))):
        assert_same(store.newest().checkpoint, Checkpoint(step, {"model": arrays}, {}))
        store.path(step).rename(store.folder.parent / f"seen-{step}")


def test_memory_is_used_again_and_given_back(store, monkeypatch) -> None:
    saved = []
    monkeypatch.setattr(store, "save", saved.append)
    writer = BackgroundWriter(store, keep_last=3)
    for step in (1, 2):
        writer.submit(checkpoint_of(step), None)
    writer.finish()
    writer.submit(checkpoint_of(3), None)
    writer.finish()
    one, two, three = (checkpoint.arrays["model"]["weight"] for checkpoint in saved)
    assert np.shares_memory(one, two)
    assert not np.shares_memory(one, three)


class TestFailures:
    def test_it_is_kept_and_raised_by_the_next(self, store) -> None:
        broken(store)
        writer = BackgroundWriter(store, keep_last=3)
        writer.submit(checkpoint_of(1), None)
        writer.finish()
        assert isinstance(writer.failure, CheckpointError)
        assert str(writer.failure).startswith(f"the checkpoint {store.path(1)} cannot be written: ")
        for step in (2, 3):
            with pytest.raises(CheckpointError) as raised:
                writer.submit(checkpoint_of(step), None)
            assert raised.value is writer.failure

    def test_without_waiting_in_between(self, store) -> None:
        broken(store)
        writer = BackgroundWriter(store, keep_last=3)
        writer.submit(checkpoint_of(1), None)
        with pytest.raises(CheckpointError, match="step-1 cannot be written"):
            writer.submit(checkpoint_of(2), None)

    def test_any_exception(self, store) -> None:
        writer = BackgroundWriter(store, keep_last=3)
        writer.submit(Checkpoint(1, {"model": {"w": np.zeros(2, complex)}}, {}), None)
        writer.finish()
        assert str(writer.failure).startswith(
            f"the checkpoint {store.path(1)} failed: TypeError(\"the array 'w' has the data type "
        )
        assert isinstance(writer.failure.__cause__, TypeError)

    def test_a_failure_to_prune(self, store) -> None:
        store.save(checkpoint_of(1))
        writer = BackgroundWriter(store, keep_last=1)
        store.prune(1)
        (store.folder / ".step-1.removed").touch()
        writer.submit(checkpoint_of(2), None)
        writer.finish()
        assert "old checkpoint" in str(writer.failure)
        assert_same(store.newest().checkpoint, checkpoint_of(2))

    def test_a_state_that_json_does_not_know_is_refused_at_once(self, store) -> None:
        writer = BackgroundWriter(store, keep_last=3)
        with pytest.raises(TypeError, match="not JSON serializable"):
            writer.submit(Checkpoint(1, {}, {"set": {1}}), None)
        writer.finish()
        assert writer.failure is None


class TestFinishing:
    def test_with_nothing_to_do_and_again(self, store) -> None:
        writer = BackgroundWriter(store, keep_last=3)
        writer.finish()
        writer.submit(checkpoint_of(1), None)
        for _ in range(3):
            writer.finish()
        assert (writer.failure, store.steps()) == (None, [1])

    def test_one_thread_at_a_time_and_none_is_left(self, store) -> None:
        writer = BackgroundWriter(store, keep_last=3)
        assert threads() == []
        for step in range(4):
            writer.submit(checkpoint_of(step), None)
            assert len(threads()) <= 1
        writer.finish()
        assert threads() == []

    def test_an_interrupted_wait_is_taken_up_again(self, store, gate, monkeypatch) -> None:
        def interrupted(thread: threading.Thread, timeout: float) -> None:
            raise KeyboardInterrupt

        writer = BackgroundWriter(store, keep_last=3)
        writer.submit(checkpoint_of(1), None)
        with monkeypatch.context() as patch:
            patch.setattr(threading.Thread, "join", interrupted)
            with pytest.raises(KeyboardInterrupt):
                writer.finish()
        gate.opened.set()
        writer.finish()
        assert store.steps() == [1]

    def test_a_write_that_hangs(self, store, gate) -> None:
        writer = BackgroundWriter(store, keep_last=3, wait_limit=0.05)
        writer.submit(checkpoint_of(1), None)
        writer.finish()
        assert str(writer.failure) == (
            f"the checkpoint {store.path(1)} is still being written after 0.05 s; see whether its "
            "disk answers, then go on with --resume"
        )
        with pytest.raises(CheckpointError, match="is still being written"):
            writer.submit(checkpoint_of(2), None)
        writer.finish()
