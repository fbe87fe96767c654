"""Micro-batches on the strict double of a GPU, read and copied before they are asked for."""

from typing import NamedTuple

import numpy as np
import pytest
from helpers.strict_device import strict_device

import distgrad as dg
from distgrad.backend import copies, device_name, to_host
from distgrad.data.carrying import Carrier, on_device

CUDA = "cuda:0"


@pytest.fixture(autouse=True)
def device():
    with strict_device() as found:
        yield found


class Noted(dg.data.TensorDataset):
    """Notes which samples are taken."""

    def __init__(self, **arrays):
        super().__init__(**arrays)
        self.taken = []

    def take(self, indices):
        self.taken.append(list(indices))
        return super().take(indices)


def windows(n=8, size=8, micro=2):
    data = Noted(x=np.arange(2.0 * n, dtype=np.float32).reshape(n, 2), y=np.arange(n))
    return data, dg.data.GlobalBatches(data, size, micro, shuffle=False)


def test_the_batches_are_those_of_the_host(device):
    _, of_host = windows()
    _, carried = windows()
    for window, other in zip(on_device(carried, CUDA), of_host, strict=True):
        assert (window.step, window.seed, window.samples) == (0, 0, 8)
        assert len(window) == len(other) == 4
        for m in (0, 1, 2, 3, 2):
            batch, expected = window.micro_batch(m), other.micro_batch(m)
            assert device_name(batch.x.data) == device_name(batch.y.data) == CUDA
            np.testing.assert_array_equal(to_host(batch.x.data), expected.x.data)
            np.testing.assert_array_equal(to_host(batch.y.data), expected.y.data)


def test_on_the_cpu_windows_are_as_they_were():
    _, given = windows()
    (window,) = on_device(given, "cpu")
    assert isinstance(window, dg.data.Window)


def test_the_next_one_is_read_before_it_is_asked_for():
    data, given = windows()
    (window,) = on_device(given, CUDA)
    data.taken.clear()
    window.micro_batch(0)
    assert data.taken == [[0, 1], [2, 3]]
    window.micro_batch(1)
    assert data.taken == [[0, 1], [2, 3], [4, 5]]
    window.micro_batch(2)
    window.micro_batch(3)
    assert data.taken == [[0, 1], [2, 3], [4, 5], [6, 7]]


def test_behind_a_ranks_own_nothing_is_read_once_that_is_known():
    data, given = windows()
    carrier = Carrier(CUDA)
    for _ in range(3):
        for window in given:
            carried = carrier.window(window)
            data.taken.clear()
            for m in (0, 1):
                carried.micro_batch(m)
    assert data.taken == [[0, 1], [2, 3]]


def test_what_cannot_be_read_is_told_when_it_is_asked_for():
    class Broken(Noted):
        def take(self, indices):
            if 2 in indices:
                raise OSError("the disk")
            return super().take(indices)

    data = Broken(x=np.zeros((4, 1), np.float32))
    (window,) = on_device(dg.data.GlobalBatches(data, 4, 2, shuffle=False), CUDA)
    window.micro_batch(0)
    with pytest.raises(OSError, match="the disk"):
        window.micro_batch(1)


class Drawn:
    """A window of one's own, whose micro-batches are drawn."""

    seed, step = 3, 0

    def __len__(self):
        return 2

    def micro_batch(self, m):
        return dg.rand(4)


def drawn(numbers):
    """What is read by a new carrier, and what is drawn behind each in its scope."""
    window = Carrier(CUDA).window(Drawn())
    found = {}
    for m in numbers:
        with dg.autograd.random_scope(Drawn.seed, Drawn.step + 1, m):
            found[m] = window.micro_batch(m).tolist(), dg.rand(4).tolist()
    return found


def test_what_is_read_early_draws_the_same_and_takes_no_draw_from_another():
    one_by_one = {m: drawn([m])[m] for m in (0, 1)}
    assert drawn([0, 1]) == one_by_one
    for m, (read, behind) in one_by_one.items():
        assert read != behind
        with dg.autograd.random_scope(Drawn.seed, Drawn.step + 1, m):
            assert dg.rand(4).tolist() == behind


class Pair(NamedTuple):
    a: object
    b: object


def test_structures_keep_their_shape():
    batch = {"p": Pair(dg.ones(2), [np.arange(3)]), "q": ("text", None), "r": dg.ones(2).to(CUDA)}
    carried = Carrier(CUDA).batch(batch)
    assert type(carried["p"]) is Pair
    assert type(carried["p"].b) is list
    assert carried["q"] == ("text", None)
    assert carried["r"].data is batch["r"].data
    assert device_name(carried["p"].a.data) == device_name(carried["p"].b[0]) == CUDA
    assert Carrier("cpu").batch(batch) is batch


class LateCopy:
    """A copy that is made when somebody waits for it, and not before."""

    def __init__(self, make):
        self._make = make

    def synchronize(self):
        if self._make:
            self._make()
            self._make = None


class Late(copies.CopiesAtOnce):
    """Copies that are made as late as they may be."""

    def __init__(self, device):
        super().__init__(device)
        self._begun = []

    def to_device(self, source, target):
        self._begun.append(LateCopy(lambda: super(Late, self).to_device(source, target)))
        return self._begun[-1]

    def follow(self):
        for copy in self._begun:
            copy.synchronize()


@pytest.fixture
def late(monkeypatch):
    monkeypatch.setattr(copies, "CopiesAtOnce", Late)


def test_a_buffer_is_not_used_again_before_its_copy_is_made(late):
    _, of_host = windows(24, 24, 2)
    _, carried = windows(24, 24, 2)
    for window, other in zip(on_device(carried, CUDA), of_host, strict=True):
        batches = [window.micro_batch(m) for m in range(len(window))]
        for m, batch in enumerate(batches):
            np.testing.assert_array_equal(to_host(batch.x.data), other.micro_batch(m).x.data)


def test_a_batch_has_arrived_when_it_is_returned(late):
    carrier = Carrier(CUDA)
    for number in range(5):
        values = np.full(100, number)
        carried = carrier.batch((values, dg.ones(3)))
        np.testing.assert_array_equal(to_host(carried[0]), values)
        assert to_host(carried[1].data).tolist() == [1.0, 1.0, 1.0]
