"""A checkpoint of a certain step, or the newest before one."""

import pytest
from helpers.checkpoints import assert_same, checkpoint_of

from distgrad.training.checkpoint import CheckpointError, CheckpointStore


@pytest.fixture
def store(tmp_path):
    store = CheckpointStore(tmp_path / "checkpoints")
    for step in (2, 4, 9):
        store.save(checkpoint_of(step))
    return store


@pytest.mark.parametrize(("before", "step"), [(None, 9), (10, 9), (9, 4), (5, 4), (4, 2), (3, 2)])
def test_the_newest_before_a_step(store, before, step):
    assert_same(store.newest(before).checkpoint, checkpoint_of(step))


def test_none_is_older_than_the_first(store):
    assert store.newest(2).checkpoint is None


def test_a_damaged_one_is_skipped_only_where_it_counts(store):
    (store.path(4) / "manifest.json").unlink()
    found = store.newest(9)
    assert (found.checkpoint.step, len(found.skipped)) == (2, 1)
    assert store.newest(4).skipped == []


def test_the_checkpoint_of_a_step(store):
    assert_same(store.read(4), checkpoint_of(4))


def test_one_that_is_not_there(store):
    with pytest.raises(CheckpointError, match=r"step-5: it has no manifest.json"):
        store.read(5)


def test_one_that_is_damaged(store):
    path = store.path(4) / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(CheckpointError, match=r"step-4: model.safetensors was cut short: it has"):
        store.read(4)


def test_one_that_was_set_aside_for_a_moment(store):
    store.path(4).rename(store.folder / ".step-4.replaced")
    assert_same(store.read(4), checkpoint_of(4))
