import threading
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from distgrad.data.read_ahead import ReadAhead


@dataclass(frozen=True)
class Window:
    step: int
    length: int

    def __len__(self):
        return self.length


class Reads:
    """Reads that note what was read, and in which thread."""

    def __init__(self):
        self.done = []

    def __call__(self, task):
        window, m = task
        self.done.append((window.step, m, threading.current_thread() is threading.main_thread()))
        return window.step, m

    def by_the_consumer(self):
        return [(step, m) for step, m, in_main in self.done if in_main]


@pytest.fixture
def reads():
    return Reads()


@pytest.fixture
def reader(reads):
    reader = ReadAhead(reads, num_workers=2)
    yield reader
    reader.close()


def consume(reader, lengths, asked):
    """Ask for the same micro-batches of every window."""
    windows = [Window(step, length) for step, length in enumerate(lengths)]
    for window, following in zip(windows, [*windows[1:], None], strict=True):
        reader.turn_to(window, following)
        for m in asked:
            if m < len(window):
                assert reader.get(window, m) == (window.step, m)


def test_a_rank_waits_for_its_first_read_only(reader, reads):
    consume(reader, [8] * 5, asked=[2, 3, 4])
    assert reads.by_the_consumer() == [(0, 2)]


def test_what_is_read_in_vain_is_bounded(reader, reads):
    consume(reader, [8] * 5, asked=[2, 3, 4])
    in_vain = [(step, m) for step, m, _ in reads.done if m not in (2, 3, 4)]
    assert set(in_vain) <= {(0, 5), (0, 6), (0, 7)}
    assert len(reads.done) == len(set(reads.done)) == 15 + len(in_vain)


def test_windows_of_another_length_have_habits_of_their_own(reader, reads):
    consume(reader, [8, 8, 3, 8, 3, 8], asked=[2, 3, 4])
    assert reads.by_the_consumer() == [(0, 2), (2, 2)]


def test_a_rank_without_work_reads_nothing(reader, reads):
    consume(reader, [8] * 4, asked=[])
    assert reads.done == []


def test_reading_again_reads_again(reader, reads):
    window = Window(0, 3)
    reader.turn_to(window, None)
    assert [reader.get(window, m) for m in (0, 1, 0, 0, 2, 1)] == [
        (0, m) for m in (0, 1, 0, 0, 2, 1)
    ]


def test_after_the_end_the_consumer_reads(reader, reads):
    consume(reader, [4, 4], asked=[0, 1])
    reader.close()
    reads.done.clear()
    assert reader.get(Window(0, 4), 3) == (0, 3)
    assert reader.get(Window(1, 4), 2) == (1, 2)
    assert reads.by_the_consumer() == [(0, 3), (1, 2)]


def test_an_exception_is_raised_where_the_micro_batch_is_asked_for():
    def read(task):
        window, m = task
        if (window.step, m) == (1, 2):
            raise LookupError("lost")
        return m

    reader = ReadAhead(read, num_workers=2)
    for window, following in [(Window(0, 4), Window(1, 4)), (Window(1, 4), None)]:
        reader.turn_to(window, following)
        assert [reader.get(window, m) for m in (0, 1)] == [0, 1]
    with pytest.raises(LookupError, match="lost"):
        reader.get(window, 2)
    assert reader.get(window, 3) == 3
    reader.close()


@given(
    st.lists(st.tuples(st.integers(1, 6), st.lists(st.integers(0, 5), max_size=8)), max_size=6),
    st.integers(1, 3),
)
def test_whatever_is_asked_for_is_what_is_got(windows, num_workers):
    reader = ReadAhead(lambda task: (task[0].step, task[1]), num_workers)
    made = [Window(step, length) for step, (length, _) in enumerate(windows)]
    for i, (window, (length, asked)) in enumerate(zip(made, windows, strict=True)):
        reader.turn_to(window, made[i + 1] if i + 1 < len(made) else None)
        for m in asked:
            assert reader.get(window, m % length) == (window.step, m % length)
    reader.close()
