import threading
from itertools import count, islice

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import distgrad as dg
from distgrad.data import (
    DataLoader,
    GlobalBatches,
    IterableDataset,
    StreamingBatches,
    TensorDataset,
)
from distgrad.data.streaming import is_stream, shuffled

SIZES = st.tuples(st.integers(1, 60), st.integers(1, 25), st.integers(1, 25)).map(
    lambda sizes: (sizes[0], max(sizes[1:]), min(sizes[1:]))
)


class Numbers(IterableDataset[dict]):
    """A stream of n samples; notes how far it was read."""

    def __init__(self, n):
        self.n = n
        self.read = 0

    def __iter__(self):
        for i in range(self.n):
            self.read = i + 1
            yield {"i": i, "x": np.float32([i, i / 3])}


def seen(windows):
    """The samples of one epoch: windows of micro-batches of numbers."""
    return [[w.micro_batch(m)["i"].tolist() for m in range(len(w))] for w in windows]


def flat(nested):
    return [i for window in nested for micro_batch in window for i in micro_batch]


@given(SIZES, st.booleans(), st.booleans())
def test_windows_are_those_of_a_dataset_in_order(sizes, drop_last, read_ahead):
    n, global_size, micro_size = sizes
    if drop_last:
        global_size, micro_size = min(n, global_size), min(n, micro_size)
    indexed = TensorDataset(x=np.arange(n))
    expected = [
        [window.micro_batch(m).x.tolist() for m in range(len(window))]
        for window in GlobalBatches(
            indexed, global_size, micro_size, shuffle=False, drop_last=drop_last
        )
    ]
    stream = StreamingBatches(
        Numbers(n), global_size, micro_size, drop_last=drop_last, read_ahead=read_ahead
    )
    assert seen(stream) == expected


@given(SIZES, st.integers(0, 30), st.integers(0, 2**64 - 1), st.booleans())
def test_the_buffer_deals_out_every_sample_once(sizes, buffer, seed, read_ahead):
    n, global_size, micro_size = sizes

    def epochs(**options):
        batches = StreamingBatches(
            Numbers(n), global_size, micro_size, seed=seed, shuffle_buffer=buffer, **options
        )
        return [seen(batches) for _ in range(2)]

    found = epochs(read_ahead=read_ahead)
    assert found == epochs()
    for epoch in found:
        order = flat(epoch)
        assert sorted(order) == list(range(n))
        assert all(i - place < max(buffer, 1) for place, i in enumerate(order))


def test_epochs_and_seeds_have_orders_of_their_own():
    def orders(seed):
        batches = StreamingBatches(Numbers(50), 10, 5, seed=seed, shuffle_buffer=20)
        return [tuple(flat(seen(batches))) for _ in range(2)]

    assert len({*orders(0), *orders(1)}) == 4


def test_a_buffer_as_large_as_the_stream_gives_every_order():
    orders = [tuple(shuffled(range(3), 5, np.random.default_rng(s))) for s in range(200)]
    assert len(set(orders)) == 6


def test_steps_count_on_over_epochs():
    batches = StreamingBatches(Numbers(10), 4, 2, seed=9)
    met = [(w.step, w.epoch, w.seed, w.samples) for _ in range(2) for w in batches]
    assert met == [
        (0, 0, 9, 4),
        (1, 0, 9, 4),
        (2, 0, 9, 2),
        (3, 1, 9, 4),
        (4, 1, 9, 4),
        (5, 1, 9, 2),
    ]


@pytest.mark.parametrize("read_ahead", [False, True])
def test_an_iteration_that_is_left_uses_its_epoch_up_and_the_steps_met(read_ahead):
    batches = StreamingBatches(Numbers(100), 4, 2, read_ahead=read_ahead)
    for window in batches:
        if window.step == 2:
            break
    assert (batches.epoch, batches.step) == (1, 3)
    window = next(iter(batches))
    assert (window.step, window.epoch) == (3, 1)


@pytest.mark.parametrize("read_ahead", [False, True])
def test_going_on_in_mid_epoch_is_exact(read_ahead):
    batches = StreamingBatches(Numbers(30), 8, 4, shuffle_buffer=9)
    orders = [seen(batches) for _ in range(3)]
    resumed = StreamingBatches(Numbers(30), 8, 4, shuffle_buffer=9, read_ahead=read_ahead)
    resumed.set_epoch(1, step=4)
    rest = list(islice(resumed, 2, None))
    assert seen(rest) == orders[1][2:]
    assert [window.step for window in rest] == [6, 7]
    assert seen(resumed) == orders[2]


def test_micro_batches_can_be_read_again_in_any_order():
    first, second = StreamingBatches(Numbers(10), 6, 2)
    assert second.micro_batch(1)["i"].tolist() == [8, 9]
    assert first.micro_batch(2)["i"].tolist() == [4, 5]
    first.micro_batch(2)["x"].data[:] = 7
    assert first.micro_batch(2)["x"].tolist() == [[4, np.float32(4 / 3)], [5, np.float32(5 / 3)]]
    with pytest.raises(ValueError, match="read-only"):
        first.indices[0] = 1


def test_a_stream_is_read_only_as_far_as_it_is_used():
    stream = Numbers(10**9)
    window = next(iter(StreamingBatches(stream, 10, 5)))
    assert window.samples == stream.read == 10


def test_reading_ahead_is_bounded_and_ends():
    stream = Numbers(10**9)
    windows = iter(StreamingBatches(stream, 10, 5, read_ahead=True))
    assert [next(windows).step for _ in range(3)] == [0, 1, 2]
    windows.close()
    assert stream.read <= 60
    assert not any(t.name.startswith("distgrad-data") for t in threading.enumerate())


@pytest.mark.parametrize("read_ahead", [False, True])
def test_an_exception_of_the_stream_comes_in_its_place(read_ahead):
    class Breaking:
        def __iter__(self):
            yield from range(8)
            raise LookupError("the line was lost")

    windows = iter(StreamingBatches(Breaking(), 4, 2, read_ahead=read_ahead))
    assert [next(windows).micro_batch(0).tolist() for _ in range(2)] == [[0, 1], [4, 5]]
    with pytest.raises(LookupError, match="the line was lost"):
        next(windows)


@pytest.mark.parametrize("read_ahead", [False, True])
def test_draws_of_a_stream_are_keyed(read_ahead):
    class Noise:
        def __iter__(self):
            return (dg.rand(2).data for _ in range(12))

    def values(**options):
        batches = StreamingBatches(Noise(), 5, 2, **options)
        noise = []
        for window in batches:
            noise += [window.micro_batch(m).data.tobytes() for m in range(len(window))]
            dg.rand(1)
        return noise

    assert values(read_ahead=read_ahead) == values()
    assert len(set(values())) == 7
    assert values(seed=1) != values()


class TestRefusals:
    @pytest.mark.parametrize(
        ("sizes", "options", "message"),
        [
            ((0, 1), {}, "global_batch_size must be an integer of at least 1, got 0"),
            ((8, 0), {}, "micro_batch_size must be an integer of at least 1, got 0"),
            ((8, 9), {}, "micro_batch_size 9 is larger than global_batch_size 8"),
            ((8, 2), {"seed": -1}, "seed must be an integer of at least 0, got -1"),
            ((8, 2), {"shuffle_buffer": -1}, "shuffle_buffer must be an integer of at least 0"),
        ],
    )
    def test_bad_arguments(self, sizes, options, message):
        with pytest.raises(ValueError, match=message):
            StreamingBatches(Numbers(10), *sizes, **options)

    def test_bad_epochs_and_steps(self):
        batches = StreamingBatches(Numbers(10), 4, 2)
        with pytest.raises(ValueError, match="epoch must be an integer of at least 0, got -1"):
            batches.set_epoch(-1, step=0)
        with pytest.raises(ValueError, match="step must be an integer of at least 0, got -1"):
            batches.set_epoch(0, step=-1)

    def test_an_iterator(self):
        message = "generator is an iterator, which can be read once; pass an object whose __iter__"
        for user in (lambda stream: StreamingBatches(stream, 4, 2), DataLoader):
            with pytest.raises(TypeError, match=message):
                user(i for i in range(9))

    def test_what_is_not_iterable(self):
        with pytest.raises(TypeError, match="a stream must be iterable, got int; give it"):
            StreamingBatches(3, 4, 2)

    @pytest.mark.parametrize("read_ahead", [False, True])
    def test_an_empty_stream(self, read_ahead):
        batches = StreamingBatches(Numbers(0), 4, 2, read_ahead=read_ahead)
        message = "the stream has no sample in epoch 0: a window needs at least 1; check the source"
        with pytest.raises(ValueError, match=message):
            list(batches)

    def test_a_stream_shorter_than_a_window(self):
        batches = StreamingBatches(Numbers(3), 4, 2, drop_last=True)
        message = "drop_last=True leaves no window: the stream has 3 samples, fewer than .* most 3"
        with pytest.raises(ValueError, match=message):
            list(batches)

    def test_global_batches_of_a_stream(self):
        message = "Numbers has no length: GlobalBatches needs __len__ and .* take StreamingBatches"
        with pytest.raises(TypeError, match=message):
            GlobalBatches(Numbers(9), 4, 2)


class TestLoader:
    @pytest.mark.parametrize("num_workers", [0, 2])
    def test_batches_in_the_order_of_the_stream(self, num_workers):
        loader = DataLoader(Numbers(7), batch_size=3, num_workers=num_workers)
        for _ in range(2):
            assert [batch["i"].tolist() for batch in loader] == [[0, 1, 2], [3, 4, 5], [6]]
        short = DataLoader(Numbers(7), batch_size=3, drop_last=True, num_workers=num_workers)
        assert [batch["i"].tolist() for batch in short] == [[0, 1, 2], [3, 4, 5]]

    @pytest.mark.parametrize("num_workers", [0, 2])
    def test_samples_and_collate_fn(self, num_workers):
        samples = list(DataLoader(Numbers(3), batch_size=None, num_workers=num_workers))
        assert isinstance(samples[2]["x"], dg.Tensor)
        assert samples[2]["i"] == 2
        loader = DataLoader(Numbers(5), batch_size=2, collate_fn=len, num_workers=num_workers)
        assert list(loader) == [2, 2, 1]

    def test_an_endless_stream(self):
        class Endless:
            def __iter__(self):
                return count()

        batches = DataLoader(Endless(), batch_size=2, num_workers=2)
        assert [batch.tolist() for batch in islice(batches, 3)] == [[0, 1], [2, 3], [4, 5]]

    def test_a_stream_has_no_length(self):
        with pytest.raises(TypeError, match="has no len"):
            len(DataLoader(Numbers(3), batch_size=None))

    @pytest.mark.parametrize(
        "options", [{"shuffle": True}, {"sampler": [0]}, {"batch_sampler": [[0]]}]
    )
    def test_an_order_of_indices_is_refused(self, options):
        message = r"set an order of indices, but Numbers has none .* StreamingBatches\(shuffle_buf"
        with pytest.raises(ValueError, match=message):
            DataLoader(Numbers(3), **options)

    def test_batches_equal_those_of_torch(self):
        torch_data = pytest.importorskip("torch.utils.data")

        class Theirs(torch_data.IterableDataset):
            def __iter__(self):
                return iter(Numbers(7))

        theirs = torch_data.DataLoader(Theirs(), batch_size=3)
        for ours, other in zip(DataLoader(Numbers(7), batch_size=3), theirs, strict=True):
            assert ours["i"].tolist() == other["i"].tolist()


def test_what_a_stream_is():
    assert is_stream(Numbers(3))
    assert not is_stream([1, 2])
    assert not is_stream(TensorDataset(x=np.zeros(3)))
