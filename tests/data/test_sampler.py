import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from distgrad.backend import Stream, philox
from distgrad.data import BatchSampler, DistributedSampler, RandomSampler, SequentialSampler


def test_sequential():
    sampler = SequentialSampler("abcd")
    assert list(sampler) == [0, 1, 2, 3]
    assert len(sampler) == 4


class TestRandomSampler:
    @given(st.integers(1, 50), st.integers(0, 2**64 - 1))
    def test_every_epoch_is_a_permutation(self, n, seed):
        sampler = RandomSampler(range(n), seed)
        for _ in range(3):
            assert sorted(sampler) == list(range(n))
        assert len(sampler) == n

    def test_the_order_is_named_by_seed_and_epoch(self):
        sampler = RandomSampler(range(20), seed=5)
        for epoch in range(3):
            assert list(sampler) == philox(5, Stream.ORDER, epoch).permutation(20).tolist()

    def test_an_iteration_left_early_uses_its_epoch_up(self):
        whole = RandomSampler(range(20))
        orders = [list(whole) for _ in range(3)]
        broken = RandomSampler(range(20))
        for _ in broken:
            break
        assert broken.epoch == 1
        assert list(broken) == orders[1]

    def test_set_epoch(self):
        sampler = RandomSampler(range(20))
        orders = [list(sampler) for _ in range(3)]
        sampler.set_epoch(1)
        assert list(sampler) == orders[1]
        assert sampler.epoch == 2

    def test_indices_are_python_integers(self):
        assert {type(index) for index in RandomSampler(range(3))} == {int}

    def test_bad_arguments_are_refused(self):
        with pytest.raises(ValueError, match="dataset is empty: RandomSampler needs at least 1"):
            RandomSampler([])
        with pytest.raises(ValueError, match=r"seed must be an integer of at least 0, got 0\.5"):
            RandomSampler("ab", seed=0.5)
        with pytest.raises(ValueError, match="seed must be from 0 to"):
            RandomSampler("ab", seed=2**64)
        with pytest.raises(ValueError, match="epoch must be an integer of at least 0, got -1"):
            RandomSampler("ab").set_epoch(-1)


class TestBatchSampler:
    @given(st.integers(0, 30), st.integers(1, 12), st.booleans())
    def test_lists_follow_the_sampler(self, n, batch_size, drop_last):
        sampler = BatchSampler(range(n), batch_size, drop_last)
        batches = list(sampler)
        assert len(batches) == len(sampler)
        flat = [index for batch in batches for index in batch]
        assert flat == list(range(n - n % batch_size if drop_last else n))
        assert all(len(batch) == batch_size for batch in batches[:-1])

    @given(st.integers(0, 30), st.integers(1, 12), st.booleans())
    def test_lists_equal_those_of_torch(self, n, batch_size, drop_last):
        torch_data = pytest.importorskip("torch.utils.data")
        theirs = torch_data.BatchSampler(range(n), batch_size, drop_last)
        ours = BatchSampler(range(n), batch_size, drop_last)
        assert list(ours) == list(theirs)
        assert len(ours) == len(theirs)

    def test_any_iterable_will_do(self):
        sampler = BatchSampler((i for i in range(3)), 2, drop_last=False)
        assert list(sampler) == [[0, 1], [2]]
        with pytest.raises(TypeError, match="has no len"):
            len(sampler)

    @pytest.mark.parametrize("size", [0, -1, 2.0, True, "2", None])
    def test_a_bad_size_is_refused(self, size):
        message = f"batch_size must be an integer of at least 1, got {size!r}"
        with pytest.raises(ValueError, match=message):
            BatchSampler(range(3), size, drop_last=False)

    def test_a_bad_drop_last_is_refused(self):
        with pytest.raises(ValueError, match="drop_last must be True or False, got 1"):
            BatchSampler(range(3), 2, drop_last=1)


def shares(n, replicas, **options):
    return [
        list(DistributedSampler(range(n), replicas, rank, **options)) for rank in range(replicas)
    ]


class TestDistributedSampler:
    @pytest.mark.parametrize("drop_last", [False, True])
    @pytest.mark.parametrize("replicas", [1, 2, 3, 4, 7, 16])
    def test_shares_equal_those_of_torch(self, replicas, drop_last):
        torch_data = pytest.importorskip("torch.utils.data")
        for n in [*range(1, 40), 100, 1797]:
            for rank in range(replicas):
                options = {"shuffle": False, "drop_last": drop_last}
                theirs = torch_data.DistributedSampler(range(n), replicas, rank, **options)
                ours = DistributedSampler(range(n), replicas, rank, **options)
                assert list(ours) == list(theirs)
                assert len(ours) == len(theirs)
                assert ours.num_samples == theirs.num_samples
                assert ours.total_size == theirs.total_size

    @given(
        n=st.integers(0, 60),
        replicas=st.integers(1, 9),
        shuffle=st.booleans(),
        drop_last=st.booleans(),
        seed=st.integers(0, 2**64 - 1),
        epoch=st.integers(0, 2**32),
    )
    def test_shares_deal_out_one_order(self, n, replicas, shuffle, drop_last, seed, epoch):
        dealt = []
        for rank in range(replicas):
            sampler = DistributedSampler(
                range(n), replicas, rank, shuffle=shuffle, seed=seed, drop_last=drop_last
            )
            sampler.set_epoch(epoch)
            dealt.append(list(sampler))
            assert len(dealt[-1]) == len(sampler)
        merged = [index for group in zip(*dealt, strict=True) for index in group]
        order = philox(seed, Stream.ORDER, epoch).permutation(n).tolist()
        order = order if shuffle else list(range(n))
        if drop_last:
            assert merged == order[: n - n % replicas]
        else:
            assert len(merged) == math.ceil(n / replicas) * replicas
            assert merged == (order * replicas)[: len(merged)]

    def test_the_epoch_is_the_users_to_set(self):
        sampler = DistributedSampler(range(30), 2, 0)
        first = list(sampler)
        assert list(sampler) == first
        sampler.set_epoch(1)
        assert list(sampler) != first
        sampler.set_epoch(0)
        assert list(sampler) == first

    def test_the_seed_names_the_order(self):
        assert shares(30, 3, seed=1) == shares(30, 3, seed=1)
        assert shares(30, 3, seed=1) != shares(30, 3, seed=2)

    def test_numpy_integers_are_integers(self):
        sampler = DistributedSampler(range(4), np.int64(2), np.int32(1), shuffle=False)
        assert list(sampler) == [1, 3]

    @pytest.mark.parametrize(
        ("replicas", "rank", "message"),
        [
            (4, 4, "rank 4 is out of range: with num_replicas=4 it is from 0 to 3"),
            (4, -1, "rank must be an integer of at least 0, got -1"),
            (0, 0, "num_replicas must be an integer of at least 1, got 0"),
            (2.0, 0, "num_replicas must be an integer of at least 1, got 2.0"),
        ],
    )
    def test_a_bad_rank_is_refused(self, replicas, rank, message):
        with pytest.raises(ValueError, match=message):
            DistributedSampler(range(10), replicas, rank)

    def test_a_bad_seed_or_epoch_is_refused(self):
        with pytest.raises(ValueError, match="seed must be an integer of at least 0, got -1"):
            DistributedSampler(range(10), 2, 0, seed=-1)
        with pytest.raises(ValueError, match=r"epoch must be an integer of at least 0, got 1\.5"):
            DistributedSampler(range(10), 2, 0).set_epoch(1.5)
