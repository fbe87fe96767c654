import pickle
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import distgrad as dg
from distgrad.data import BatchDataset, Subset, TensorDataset, random_split
from distgrad.data.dataset import fetch


class Squares:
    """A dataset with an index and nothing more."""

    def __len__(self):
        return 10

    def __getitem__(self, index):
        assert type(index) is int
        return index, float(index**2)


def named(n=6):
    return TensorDataset(x=np.arange(3 * n, dtype=np.float32).reshape(n, 3), y=np.arange(n))


class TestTensorDataset:
    def test_named_arrays_give_named_tuples(self):
        dataset = named()
        for sample in (dataset[2], dataset[-4]):
            assert sample._fields == ("x", "y")
            assert sample.x.tolist() == [6, 7, 8]
            assert sample.y.item() == 2
        x, y = dataset.take([5, 1])
        assert x.tolist() == [[15, 16, 17], [3, 4, 5]]
        assert y.tolist() == [5, 1]
        assert type(dataset.take([0])) is type(dataset[0])

    def test_positional_arrays_give_tuples(self):
        dataset = TensorDataset(np.arange(4.0), dg.Tensor(np.arange(4)))
        assert type(dataset[0]) is tuple
        assert [part.tolist() for part in dataset.take([3, 0])] == [[3.0, 0.0], [3, 0]]

    @pytest.mark.parametrize("dtype", ["f4", "f8", "f2", "i8", "i4", "u1", "?"])
    def test_data_types_are_kept(self, dtype):
        dataset = TensorDataset(x=np.ones((4, 2), dtype))
        assert dataset[0].x.dtype == dataset.take([1]).x.dtype == dtype

    def test_batches_are_copies_in_c_order_and_samples_are_views(self):
        array = np.asfortranarray(np.zeros((4, 3)))
        dataset = TensorDataset(x=array)
        batch = dataset.take(np.array([0, 2]))
        array[0] = 1
        assert batch.x.tolist() == [[0, 0, 0]] * 2
        assert batch.x.data.flags.c_contiguous
        assert np.shares_memory(dataset[0].x.data, array)
        assert np.shares_memory(dataset[:2].x.data, array)

    def test_a_batch_of_a_view_takes_the_memory_of_the_batch_only(self):
        windows = np.lib.stride_tricks.sliding_window_view(np.arange(20_000), 500)
        dataset = TensorDataset(x=windows)
        tracemalloc.start()
        batch = dataset.take([7, 19_500, 0])
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert batch.x.data.flags.c_contiguous
        assert batch.x[:, 0].tolist() == [7, 19_500, 0]
        assert peak < 1e6  # the view seen as an array would have 78 MB

    def test_the_content_is_the_arrays(self):
        assert named().content.keys() == {"x", "y"}

    def test_a_slice_is_a_batch(self):
        assert named()[1:4].y.tolist() == [1, 2, 3]

    def test_iteration_ends(self):
        assert [sample.y.item() for sample in named(3)] == [0, 1, 2]

    def test_tensors_share_memory(self):
        dataset = named()
        assert dataset.tensors[0].data is dataset.arrays["x"]
        assert dataset.tensors[1].data is dataset.arrays["y"]

    def test_an_array_may_be_named_self(self):
        assert TensorDataset(self=np.arange(2))[1].self.item() == 1

    def test_pickling(self):
        again = pickle.loads(pickle.dumps(named()))
        np.testing.assert_array_equal(again.take([3, 1]).x.data, named().take([3, 1]).x.data)

    def test_samples_equal_those_of_torch(self):
        torch = pytest.importorskip("torch")
        x, y = np.random.default_rng(0).normal(size=(5, 2)), np.arange(5)
        theirs = torch.utils.data.TensorDataset(torch.from_numpy(x), torch.from_numpy(y))
        ours = TensorDataset(x, y)
        assert len(ours) == len(theirs)
        for mine, other in zip(ours, theirs, strict=True):
            for a, b in zip(mine, other, strict=True):
                np.testing.assert_array_equal(a.data, b.numpy())

    @pytest.mark.parametrize("index", [6, -7])
    def test_an_index_out_of_range_is_refused(self, index):
        with pytest.raises(IndexError, match=f"index {index} is out of bounds"):
            named()[index]
        message = f"index {index} is out of range for 6 samples; it must be from -6 to 5"
        with pytest.raises(IndexError, match=message):
            named().take([0, index])

    @pytest.mark.parametrize("indices", [[True, False], [0.0, 1.0], ["0"]])
    def test_indices_that_are_no_integers_are_refused(self, indices):
        with pytest.raises(TypeError, match=r"indices must be integers, got .*flatnonzero\(mask\)"):
            named().take(indices)

    def test_an_empty_batch(self):
        assert named().take([]).x.shape == (0, 3)
        assert TensorDataset(x=np.zeros((0, 3))).take([]).x.shape == (0, 3)

    @pytest.mark.parametrize(
        ("args", "named_args", "error", "message"),
        [
            ((), {}, ValueError, "got 0 positional and 0 named arrays"),
            ((np.zeros(2),), {"x": np.zeros(2)}, ValueError, "got 1 positional and 1 named arrays"),
            (
                (),
                {"x": np.zeros((4, 2)), "y": np.zeros(5), "z": np.zeros(4)},
                ValueError,
                "must have one length, got x: 4, y: 5, z: 4",
            ),
            ((np.zeros(1), np.zeros(2)), {}, ValueError, "must have one length, got 0: 1, 1: 2"),
            (
                (),
                {"x": np.float32(1)},
                TypeError,
                "array x must be an array or a Tensor, got float",
            ),
            ((), {"x": np.array(1.0)}, ValueError, "array x must have a first axis of samples"),
            (([1, 2],), {}, TypeError, r"got list; make it one by distgrad.tensor\(values\)"),
            ((), {"x": np.array(["a"])}, TypeError, "array x must hold numbers, got <U1; encode"),
        ],
    )
    def test_bad_arguments_are_refused(self, args, named_args, error, message):
        with pytest.raises(error, match=message):
            TensorDataset(*args, **named_args)


class TestFetch:
    def test_other_datasets_are_collated_sample_by_sample(self):
        number, square = fetch(Squares(), np.array([3, 1]))
        assert number.tolist() == [3, 1]
        assert square.tolist() == [9.0, 1.0]
        assert square.dtype == np.float64

    def test_a_take_of_another_meaning_is_not_called(self):
        array = np.arange(6.0).reshape(3, 2)
        assert fetch(array, [2, 0]).tolist() == [[4, 5], [0, 1]]

    def test_a_batch_dataset_is_asked_for_the_batch(self):
        class Doubled(BatchDataset):
            def __len__(self):
                return 5

            def __getitem__(self, index):
                raise AssertionError

            def take(self, indices):
                return dg.Tensor(2 * np.asarray(indices))

        assert fetch(Doubled(), [4, 1]).tolist() == [8, 2]


class TestSubset:
    def test_indices_are_those_of_the_subset(self):
        subset = Subset(named(), [5, 0, -2])
        assert len(subset) == 3
        assert [subset[i].y.item() for i in range(3)] == [5, 0, 4]
        assert subset.take([2, 0]).y.tolist() == [4, 5]

    def test_of_any_dataset_and_of_a_subset(self):
        subset = Subset(Subset(Squares(), range(2, 10)), [0, 7])
        assert subset.take([1, 0])[0].tolist() == [9, 2]
        assert subset[-1] == (9, 81.0)

    def test_iteration_ends(self):
        assert [sample[0] for sample in Subset(Squares(), [4, 2])] == [4, 2]

    def test_bad_indices_are_refused(self):
        with pytest.raises(IndexError, match="index 6 is out of range for 6 samples"):
            Subset(named(), [0, 6])
        with pytest.raises(TypeError, match="indices must be integers, got bool"):
            Subset(named(), np.ones(6, bool))
        with pytest.raises(IndexError, match="index 2 is out of range for 2 samples"):
            Subset(named(), [0, 1]).take([2])


FRACTIONS = [[0.5, 0.5], [0.3, 0.3, 0.4], [0.1] * 10, [1.0]]


class TestRandomSplit:
    @given(st.lists(st.integers(0, 20), min_size=1, max_size=5), st.integers(0, 2**64 - 1))
    def test_every_sample_is_in_one_part(self, lengths, seed):
        dataset = range(sum(lengths))
        parts = random_split(dataset, lengths, seed)
        assert [len(part) for part in parts] == lengths
        assert sorted(index for part in parts for index in part) == list(dataset)

    def test_the_seed_decides(self):
        def split(seed):
            return [list(part) for part in random_split(range(50), [25, 25], seed)]

        assert split(3) == split(3)
        assert split(3) != split(4)

    @pytest.mark.parametrize("fractions", FRACTIONS)
    @pytest.mark.parametrize("n", [1, 7, 10, 53])
    def test_fractions_are_rounded(self, fractions, n):
        parts = random_split(range(n), fractions)
        assert sum(len(part) for part in parts) == n
        assert all(abs(len(p) - f * n) < 1 for p, f in zip(parts, fractions, strict=True))

    @pytest.mark.parametrize("fractions", FRACTIONS)
    @pytest.mark.parametrize("n", [1, 7, 10, 53])
    @pytest.mark.filterwarnings("ignore:Length of split")
    def test_fractions_are_rounded_as_in_torch(self, fractions, n):
        torch_data = pytest.importorskip("torch.utils.data")
        theirs = torch_data.random_split(range(n), fractions)
        ours = random_split(range(n), fractions)
        assert [len(part) for part in ours] == [len(part) for part in theirs]

    @pytest.mark.parametrize(
        ("lengths", "message"),
        [
            ([3, 4], r"must sum to the 10 samples .* or to 1 as fractions; \[3, 4\] sum to 7"),
            ([0.5, 0.4], r"\[0.5, 0.4\] sum to 0.9"),
            ([-1, 11], r"must not be negative, got \[-1, 11\]"),
            ([], r"\[\] sum to 0"),
        ],
    )
    def test_bad_lengths_are_refused(self, lengths, message):
        with pytest.raises(ValueError, match=message):
            random_split(range(10), lengths)

    def test_a_bad_seed_is_refused(self):
        with pytest.raises(ValueError, match="seed must be an integer of at least 0, got -1"):
            random_split(range(10), [10], seed=-1)


def test_rows_of_a_read_only_array_that_follow_one_another_are_not_copied():
    array = np.arange(20.0).reshape(10, 2)
    array.flags.writeable = False
    dataset = TensorDataset(x=array)
    for rows in ([3], [3, 4, 5], range(10)):
        batch = dataset.take(rows).x.data
        assert np.shares_memory(batch, array)
        np.testing.assert_array_equal(batch, array[list(rows)])
    for rows in ([], [4, 3], [0, 2], [0, 2, 2], np.array([-1, 0]), np.array([-2, -1])):
        batch = dataset.take(rows).x.data
        assert not np.shares_memory(batch, array)
        np.testing.assert_array_equal(batch, array[np.array(rows, int)])


@pytest.mark.parametrize("rows", [[8, 9, 10], [10, 11], [-11, -10]])
@pytest.mark.parametrize("kind", [list, np.array])
def test_rows_that_are_not_there_are_refused_by_a_read_only_array_too(rows, kind):
    array = np.arange(20.0).reshape(10, 2)
    array.flags.writeable = False
    with pytest.raises(IndexError, match=r"index -?1\d is out of range for 10 samples"):
        TensorDataset(x=array).take(kind(rows))
