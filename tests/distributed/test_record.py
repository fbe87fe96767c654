import math

import numpy as np
import pytest

from distgrad.distributed import SingleProcess
from distgrad.distributed.record import Failure, LocalRecord, checked_count, gather_records
from distgrad.errors import RankError

NONE_USED = np.zeros(2, bool)


def gathered(*losses, used=NONE_USED):
    local = LocalRecord("a test")
    for loss_sum, count in losses:
        local.add(loss_sum, count)
    return gather_records(SingleProcess(), local, used)


def test_sums_are_exact():
    record = gathered((1e100, 1), (1.0, 2), (-1e100, 3))
    assert (record.loss_sum, record.count, record.micro_batches) == (1.0, 6.0, 3)
    assert record.loss == 1 / 6


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_stays_so(bad):
    record = gathered((1.0, 1), (bad, 1))
    assert record.loss_sum == pytest.approx(bad, nan_ok=True)


def test_a_count_of_zero_has_no_mean():
    record = gathered((0.0, 0), (0.0, 0))
    assert record.count == 0
    assert math.isnan(record.loss)


def test_no_micro_batches():
    record = gathered()
    assert (record.loss_sum, record.count, record.micro_batches) == (0.0, 0.0, 0)


def test_used_parameters():
    record = gathered(used=np.array([True, False, True]))
    assert record.used.tolist() == [True, False, True]
    assert record.used.dtype == bool


@pytest.mark.parametrize("size", [0, 3])
def test_loads_travel_with_the_records(size):
    load = np.arange(size, dtype=np.float32)
    record = gather_records(SingleProcess(), LocalRecord("a test"), NONE_USED, load)
    np.testing.assert_array_equal(record.loads, [load])
    assert record.loads.shape == (1, size)


def test_a_failure_is_raised_and_chained():
    error = KeyError("lost")
    local = LocalRecord("a test", failure=Failure("at step 3, micro-batch 7", error))
    comm = SingleProcess()
    expected = f"rank 0 of 1 on {comm.host} failed at step 3, micro-batch 7: KeyError\\('lost'\\)"
    with pytest.raises(RankError, match=expected) as caught:
        gather_records(comm, local, NONE_USED)
    assert caught.value.__cause__ is error
    assert caught.value.rank == 0
    assert caught.value.exit_status == 3


@pytest.mark.parametrize("count", [0, 3, 2.5, np.int64(4), np.float32(1)])
def test_counts_that_are_taken(count):
    checked = checked_count(count)
    assert checked == count
    assert type(checked) is float


@pytest.mark.parametrize("count", [-1, -0.5, math.nan, math.inf])
def test_counts_that_are_refused(count):
    with pytest.raises(ValueError, match=f"finite count of at least 0, got count {count}"):
        checked_count(count)
