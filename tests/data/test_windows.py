import math
import pickle
import threading
from itertools import islice

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import distgrad as dg
from distgrad.backend import Stream, philox
from distgrad.data import GlobalBatches, Subset, TensorDataset

SIZES = st.tuples(st.integers(1, 60), st.integers(1, 25), st.integers(1, 25)).map(
    lambda sizes: (sizes[0], max(sizes[1:]), min(sizes[1:]))
)
SEEDS = st.integers(0, 2**64 - 1)


def numbered(n):
    return TensorDataset(x=np.random.default_rng(0).normal(size=(n, 3)), i=np.arange(n))


def seen(windows):
    """The samples of one epoch: windows of micro-batches of indices."""
    return [[w.micro_batch(m).i.tolist() for m in range(len(w))] for w in windows]


@given(SIZES, SEEDS, st.integers(0, 2**32))
def test_an_epoch_is_the_permutation_cut_in_order(sizes, seed, epoch):
    n, global_size, micro_size = sizes
    windows = GlobalBatches(numbered(n), global_size, micro_size, seed=seed)
    windows.set_epoch(epoch)
    order = philox(seed, Stream.ORDER, epoch).permutation(n).tolist()
    expected = [
        [order[start:stop][a : a + micro_size] for a in range(0, stop - start, micro_size)]
        for start in range(0, n, global_size)
        for stop in [min(start + global_size, n)]
    ]
    assert seen(windows) == expected
    assert len(windows) == len(expected)


@given(SIZES, SEEDS)
def test_sizes(sizes, seed):
    n, global_size, micro_size = sizes
    for window in GlobalBatches(numbered(n), global_size, micro_size, seed=seed):
        counts = [len(window.micro_batch(m).i) for m in range(len(window))]
        assert sum(counts) == window.samples == len(window.indices)
        assert all(count == micro_size for count in counts[:-1])
        assert 1 <= counts[-1] <= micro_size


@given(SIZES, st.integers(1, 9), SEEDS)
def test_ranks_that_share_the_micro_batches_see_what_one_process_sees(sizes, ranks, seed):
    n, global_size, micro_size = sizes
    alone = GlobalBatches(numbered(n), global_size, micro_size, seed=seed)
    fleet = [GlobalBatches(numbered(n), global_size, micro_size, seed=seed) for _ in range(ranks)]
    for window, *copies in zip(alone, *fleet, strict=True):
        for m in range(len(window)):
            mine, theirs = window.micro_batch(m), copies[m % ranks].micro_batch(m)
            assert mine.x.data.tobytes() == theirs.x.data.tobytes()


@given(SIZES)
def test_drop_last_keeps_the_full_windows(sizes):
    n, global_size, micro_size = sizes
    global_size, micro_size = min(n, global_size), min(n, micro_size)
    kept = GlobalBatches(numbered(n), global_size, micro_size, drop_last=True)
    whole = GlobalBatches(numbered(n), global_size, micro_size)
    assert len(kept) == n // global_size
    assert seen(kept) == seen(whole)[: n // global_size]


def test_steps_count_on_over_epochs():
    windows = GlobalBatches(numbered(10), 4, 2, seed=9)
    met = [(w.step, w.epoch, w.seed) for _ in range(3) for w in windows]
    assert met == [(step, step // 3, 9) for step in range(9)]


def test_micro_batches_can_be_read_again_in_any_order():
    (window,) = GlobalBatches(numbered(10), 10, 3)
    first = [window.micro_batch(m).x.data.tobytes() for m in range(4)]
    again = [window.micro_batch(m).x.data.tobytes() for m in (3, 1, 1, 0, 2)]
    assert again == [first[m] for m in (3, 1, 1, 0, 2)]


def test_a_batch_changed_by_its_reader_is_not_seen_by_the_next():
    (window,) = GlobalBatches(numbered(4), 4, 2)
    window.micro_batch(0).x.data[:] = 7
    assert not (window.micro_batch(0).x.data == 7).any()


def test_indices_are_read_only():
    (window,) = GlobalBatches(numbered(4), 4, 2)
    with pytest.raises(ValueError, match="read-only"):
        window.indices[0] = 0


def test_epochs_and_seeds_have_orders_of_their_own():
    windows = GlobalBatches(numbered(30), 8, 4)
    first, second = seen(windows), seen(windows)
    assert first != second
    assert seen(GlobalBatches(numbered(30), 8, 4, seed=1)) != first
    assert seen(GlobalBatches(numbered(30), 8, 4)) == first


def test_without_shuffling_the_order_is_that_of_the_dataset():
    windows = GlobalBatches(numbered(5), 4, 3, shuffle=False)
    assert seen(windows) == seen(windows) == [[[0, 1, 2], [3]], [[4]]]


def test_an_iteration_uses_its_epoch_up_however_it_ends():
    windows = GlobalBatches(numbered(30), 8, 4)
    orders = [seen(windows) for _ in range(3)]
    assert windows.epoch == 3

    windows.set_epoch(0)
    for window in windows:
        assert window.epoch == 0
        break
    assert windows.epoch == 1
    assert seen(windows) == orders[1]
    assert windows.epoch == 2


def test_resuming_in_mid_epoch_is_exact():
    windows = GlobalBatches(numbered(30), 8, 4)
    orders = [seen(windows) for _ in range(3)]
    resumed = GlobalBatches(numbered(30), 8, 4)
    resumed.set_epoch(1)
    rest = list(islice(resumed, 2, None))
    assert seen(rest) == orders[1][2:]
    assert [window.step for window in rest] == [6, 7]
    assert seen(resumed) == orders[2]


def test_windows_are_lazy():
    class Unread:
        def __len__(self):
            return 10**6

        def __getitem__(self, index):
            raise AssertionError("a window must not read its samples")

    windows = GlobalBatches(Unread(), 1000, 10)
    assert sum(window.samples for window in windows) == 10**6


def test_any_dataset_will_do():
    class Squares:
        def __len__(self):
            return 5

        def __getitem__(self, index):
            return index, index**2

    last = list(GlobalBatches(Squares(), 3, 2, shuffle=False))[-1]
    assert [part.tolist() for part in last.micro_batch(0)] == [[3, 4], [9, 16]]
    (window,) = GlobalBatches(Subset(numbered(9), [8, 2]), 2, 2, shuffle=False)
    assert window.micro_batch(0).i.tolist() == [8, 2]


def test_a_window_can_be_sent_to_another_process():
    (window,) = GlobalBatches(numbered(10), 10, 3)
    again = pickle.loads(pickle.dumps(window))
    assert again.micro_batch(1).i.tolist() == window.micro_batch(1).i.tolist()
    assert (again.step, again.epoch, again.seed) == (window.step, window.epoch, window.seed)


@pytest.mark.parametrize("m", [-1, 4])
def test_a_micro_batch_out_of_range_is_refused(m):
    windows = GlobalBatches(numbered(20), 10, 3)
    window = list(windows)[1]
    message = f"micro-batch {m} is out of range: the window of step 1 has 4, numbered from 0 to 3"
    with pytest.raises(IndexError, match=message):
        window.micro_batch(m)


@pytest.mark.parametrize(
    ("sizes", "options", "message"),
    [
        ((0, 1), {}, "global_batch_size must be an integer of at least 1, got 0"),
        ((-8, 1), {}, "global_batch_size must be an integer of at least 1, got -8"),
        ((8.0, 1), {}, "global_batch_size must be an integer of at least 1, got 8.0"),
        ((8, 0), {}, "micro_batch_size must be an integer of at least 1, got 0"),
        ((8, -2), {}, "micro_batch_size must be an integer of at least 1, got -2"),
        ((8, 9), {}, "micro_batch_size 9 is larger than global_batch_size 8, .* use at most 8"),
        (
            (11, 2),
            {"drop_last": True},
            "drop_last=True leaves no window: the dataset has 10 samples, fewer than "
            "global_batch_size 11; use drop_last=False or at most 10",
        ),
        ((8, 2), {"seed": -1}, "seed must be an integer of at least 0, got -1"),
        ((8, 2), {"num_workers": -1}, "num_workers must be an integer of at least 0, got -1"),
        ((8, 2), {"seed": 2**64}, r"seed must be from 0 to 2\*\*64 - 1"),
    ],
)
def test_bad_arguments_are_refused(sizes, options, message):
    with pytest.raises(ValueError, match=message):
        GlobalBatches(numbered(10), *sizes, **options)


def test_an_empty_dataset_is_refused():
    message = "dataset is empty: GlobalBatches needs at least 1 sample; check the source"
    with pytest.raises(ValueError, match=message):
        GlobalBatches(numbered(0), 4, 2)


def test_a_bad_epoch_is_refused():
    with pytest.raises(ValueError, match="epoch must be an integer of at least 0, got -1"):
        GlobalBatches(numbered(10), 4, 2).set_epoch(-1)


class Noise:
    """A dataset that draws random numbers, by distgrad's own functions."""

    def __len__(self):
        return 20

    def __getitem__(self, index):
        return dg.rand(2).data, index


def read(windows, take):
    """The bytes of the micro-batches that one reader takes of each window."""
    return [
        [window.micro_batch(m)[0].data.tobytes() for m in range(len(window)) if m in take]
        for window in windows
    ]


@given(SIZES, SEEDS, st.sets(st.integers(0, 9)), st.integers(1, 3))
def test_workers_change_nothing(sizes, seed, take, num_workers):
    n, global_size, micro_size = sizes
    for dataset in (numbered(n), Noise()):
        size = min(global_size, len(dataset))
        windows = [
            GlobalBatches(dataset, size, min(size, micro_size), seed=seed, num_workers=workers)
            for workers in (0, num_workers)
        ]
        for _ in range(2):
            alone, helped = (read(w, take) for w in windows)
            assert alone == helped
        assert [w.epoch for w in windows] == [2, 2]


def test_draws_of_a_dataset_are_keyed_by_the_micro_batch():
    (window, _) = GlobalBatches(Noise(), 10, 5, seed=3)
    first = [window.micro_batch(m)[0].data.tobytes() for m in (0, 1)]
    dg.rand(5)
    assert [window.micro_batch(m)[0].data.tobytes() for m in (1, 0)] == first[::-1]
    assert first[0] != first[1]


def workers_alive():
    return any(thread.name.startswith("distgrad-data") for thread in threading.enumerate())


def test_threads_end_with_the_iteration():
    windows = GlobalBatches(numbered(30), 8, 4, num_workers=2)
    for window in windows:
        window.micro_batch(0)
        assert workers_alive()
    assert not workers_alive()
    for window in windows:
        window.micro_batch(0)
        break
    assert not workers_alive()


class Read(TensorDataset):
    """Notes by what it is read."""

    def __init__(self):
        super().__init__(np.arange(24))
        self.readers = set()

    def take(self, indices):
        self.readers.add(threading.current_thread())
        return super().take(indices)


def is_read_ahead(dataset, **options):
    windows = GlobalBatches(dataset, 8, 4, **options)
    for _ in range(2):
        read(windows, {0, 1})
    assert not workers_alive()
    return dataset.readers != {threading.main_thread()}


def test_a_thread_reads_ahead_where_reading_takes_long(monkeypatch):
    monkeypatch.setattr("distgrad.data.windows._LONG", 0.0)
    assert is_read_ahead(Read())
    assert not is_read_ahead(Read(), num_workers=0)


def test_no_thread_reads_what_is_quick(monkeypatch):
    monkeypatch.setattr("distgrad.data.windows._LONG", math.inf)
    assert not is_read_ahead(Read())
    assert is_read_ahead(Read(), num_workers=1)


def test_no_thread_reads_what_does_not_say_that_it_may(monkeypatch):
    monkeypatch.setattr("distgrad.data.windows._LONG", 0.0)
    dataset = Read()
    dataset.thread_safe = False
    assert not is_read_ahead(dataset)
    assert Subset(Read(), [0]).thread_safe
    assert not Subset(dataset, [0]).thread_safe
    assert not Subset([1, 2, 3], [0]).thread_safe


def test_the_try_leaves_it_to_the_reader_to_tell_what_is_wrong(monkeypatch):
    monkeypatch.setattr("distgrad.data.windows._LONG", 0.0)

    class Broken(TensorDataset):
        def take(self, indices):
            raise OSError("the disk is gone")

    (window,) = GlobalBatches(Broken(np.arange(4)), 4, 2)
    with pytest.raises(OSError, match="the disk is gone"):
        window.micro_batch(0)


def test_windows_outlive_the_threads_and_can_be_sent():
    alone = list(GlobalBatches(numbered(30), 8, 4))
    helped = list(GlobalBatches(numbered(30), 8, 4, num_workers=2))
    sent = [pickle.loads(pickle.dumps(window)) for window in helped]
    for expected, *others in zip(alone, helped, sent, strict=True):
        for window in others:
            assert (window.step, window.epoch, window.samples) == (
                expected.step,
                expected.epoch,
                expected.samples,
            )
            assert window.micro_batch(1).i.tolist() == expected.micro_batch(1).i.tolist()


def test_a_micro_batch_out_of_range_is_refused_with_workers_too():
    (window,) = GlobalBatches(numbered(10), 10, 3, num_workers=1)
    for m in (-1, 4):
        with pytest.raises(IndexError, match=f"micro-batch {m} is out of range"):
            window.micro_batch(m)
