import threading

import numpy as np
import pytest

import distgrad as dg
from distgrad.data import BatchSampler, DataLoader, DistributedSampler, Subset, TensorDataset


@pytest.fixture
def dataset():
    return TensorDataset(x=np.arange(20.0).reshape(10, 2), y=np.arange(10))


class Pairs:
    def __len__(self):
        return 5

    def __getitem__(self, index):
        return {"x": np.full(2, index, np.float32), "i": index}


def labels(loader):
    return [batch.y.tolist() for batch in loader]


def flat_labels(loader):
    return [label for batch in labels(loader) for label in batch]


@pytest.mark.parametrize(
    ("options", "sizes"),
    [({}, [4, 4, 2]), ({"drop_last": True}, [4, 4])],
)
def test_batches(dataset, options, sizes):
    loader = DataLoader(dataset, batch_size=4, **options)
    batches = list(loader)
    assert len(loader) == len(sizes)
    assert [len(batch.y) for batch in batches] == sizes
    np.testing.assert_array_equal(
        np.concatenate([batch.x.data for batch in batches]), dataset.arrays["x"][: sum(sizes)]
    )


def test_one_sample_is_the_default_batch(dataset):
    assert labels(DataLoader(dataset)) == [[i] for i in range(10)]


def test_shuffling_gives_every_epoch_its_order(dataset):
    loader = DataLoader(dataset, batch_size=3, shuffle=True, seed=1)
    epochs = [labels(loader) for _ in range(3)]
    assert sorted(flat_labels(loader)) == list(range(10))
    assert epochs[0] != epochs[1] != epochs[2] != epochs[0]

    again = DataLoader(dataset, batch_size=3, shuffle=True, seed=1)
    again.sampler.set_epoch(2)
    assert labels(again) == epochs[2]
    assert labels(DataLoader(dataset, batch_size=3, shuffle=True, seed=2)) != epochs[0]


def test_a_sampler_sets_the_order(dataset):
    loader = DataLoader(dataset, batch_size=2, sampler=[5, 3, 1])
    assert labels(loader) == [[5, 3], [1]]
    assert len(loader) == 2


def test_ranks_share_the_dataset(dataset):
    seen = []
    for rank in range(3):
        sampler = DistributedSampler(dataset, 3, rank, drop_last=True)
        seen += flat_labels(DataLoader(dataset, batch_size=2, sampler=sampler))
    assert len(seen) == len(set(seen)) == 9


def test_a_batch_sampler_sets_the_batches(dataset):
    loader = DataLoader(dataset, batch_sampler=[[1], [2, 3, 4]])
    assert labels(loader) == [[1], [2, 3, 4]]
    assert len(loader) == 2
    assert loader.batch_size is None


def test_no_batch_size_gives_samples(dataset):
    loader = DataLoader(Pairs(), batch_size=None)
    assert len(loader) == 5
    sample = list(loader)[3]
    assert isinstance(sample["x"], dg.Tensor)
    assert sample["x"].tolist() == [3, 3]
    assert sample["i"] == 3
    assert [s.y.item() for s in DataLoader(dataset, batch_size=None, sampler=[7, 2])] == [7, 2]
    doubled = DataLoader(Pairs(), batch_size=None, collate_fn=lambda s: 2 * s["i"])
    assert list(doubled) == [0, 2, 4, 6, 8]


def test_other_datasets_are_collated():
    first, *_, last = DataLoader(Pairs(), batch_size=2)
    assert first["x"].tolist() == [[0, 0], [1, 1]]
    assert last["i"].tolist() == [4]


def test_collate_fn_gets_the_samples(dataset):
    loader = DataLoader(dataset, batch_size=4, collate_fn=lambda samples: samples)
    assert [len(samples) for samples in loader] == [4, 4, 2]
    assert next(iter(loader))[2].y.item() == 2


def test_a_subset_is_loaded(dataset):
    assert labels(DataLoader(Subset(dataset, [9, 4, 6]), batch_size=2)) == [[9, 4], [6]]


def test_an_empty_dataset_has_no_batch():
    assert list(DataLoader([], batch_size=2)) == []


def test_batches_equal_those_of_torch(dataset):
    torch = pytest.importorskip("torch")
    tensors = [torch.from_numpy(array) for array in dataset.arrays.values()]
    for options in ({"batch_size": 3}, {"batch_size": 4, "drop_last": True}, {"sampler": [3, 1]}):
        theirs = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(*tensors), **options)
        ours = DataLoader(dataset, **options)
        assert len(ours) == len(theirs)
        for batch, expected in zip(ours, theirs, strict=True):
            for a, b in zip(batch, expected, strict=True):
                np.testing.assert_array_equal(a.data, b.numpy())
                assert a.dtype == b.numpy().dtype


EXCLUSIVE = [
    ({"sampler": [0], "shuffle": True}, "sampler sets the order, so shuffle=True excludes it"),
    ({"batch_sampler": [[0]], "batch_size": 2}, "batch_sampler makes the batches"),
    ({"batch_sampler": [[0]], "shuffle": True}, "batch_sampler makes the batches"),
    ({"batch_sampler": [[0]], "sampler": [0]}, "batch_sampler makes the batches"),
    ({"batch_sampler": [[0]], "drop_last": True}, "batch_sampler makes the batches"),
    ({"batch_size": None, "drop_last": True}, "drop_last=True has no batch to drop"),
    ({"num_workers": -1}, "num_workers must be an integer of at least 0, got -1"),
    ({"batch_size": 0}, "batch_size must be an integer of at least 1, got 0"),
    ({"batch_size": -3}, "batch_size must be an integer of at least 1, got -3"),
]


@pytest.mark.parametrize(("options", "message"), EXCLUSIVE)
def test_bad_arguments_are_refused(dataset, options, message):
    with pytest.raises(ValueError, match=message):
        DataLoader(dataset, **options)


@pytest.mark.parametrize(("options", "message"), EXCLUSIVE)
def test_torch_refuses_the_same(options, message):
    torch_data = pytest.importorskip("torch.utils.data")
    with pytest.raises(ValueError):
        torch_data.DataLoader(range(3), **options)


def test_shuffling_nothing_is_refused():
    with pytest.raises(ValueError, match="dataset is empty: RandomSampler needs at least 1 sample"):
        DataLoader([], shuffle=True)


def test_the_length_needs_one_of_the_sampler(dataset):
    loader = DataLoader(dataset, batch_sampler=iter(BatchSampler(range(4), 2, drop_last=False)))
    with pytest.raises(TypeError, match="has no len"):
        len(loader)


class Noise(Pairs):
    """A dataset that draws random numbers, by distgrad's own functions."""

    def __getitem__(self, index):
        return {"x": dg.rand(2), "i": index}


@pytest.mark.parametrize("num_workers", [1, 2, 5])
@pytest.mark.parametrize(
    "options",
    [
        {"batch_size": 3},
        {"batch_size": 3, "shuffle": True},
        {"batch_size": None},
        {"batch_sampler": [[4], [0, 2], [1, 1, 3]]},
        {"batch_size": 2, "collate_fn": lambda samples: samples[0]},
    ],
)
def test_workers_change_nothing(options, num_workers):
    def epochs(workers):
        dg.manual_seed(5)
        loader = DataLoader(Noise(), **options, num_workers=workers)
        found = []
        for batch in (batch for _ in range(2) for batch in loader):
            found.append((batch["x"].tolist(), np.asarray(batch["i"]).tolist()))
            dg.rand(3)
        return found

    assert epochs(num_workers) == epochs(0)
    assert len({repr(noise) for noise, _ in epochs(0)}) == len(epochs(0))


def test_the_seed_of_the_draws_is_the_manual_one():
    def noise(seed):
        dg.manual_seed(seed)
        return next(iter(DataLoader(Noise(), batch_size=5)))["x"].tolist()

    assert noise(1) == noise(1) != noise(2)


def test_an_exception_in_a_worker_names_the_line_of_the_dataset():
    class Broken(Pairs):
        def __getitem__(self, index):
            if index == 3:
                raise LookupError("sample 3 is gone")
            return super().__getitem__(index)

    for num_workers in (0, 2):
        batches = iter(DataLoader(Broken(), batch_size=2, num_workers=num_workers))
        assert next(batches)["i"].tolist() == [0, 1]
        with pytest.raises(LookupError, match="sample 3 is gone") as raised:
            next(batches)
        assert raised.traceback[-1].name == "__getitem__"


def test_threads_end_when_the_loop_is_left():
    for _ in DataLoader(Pairs(), num_workers=3):
        break
    assert not any(thread.name.startswith("distgrad-data") for thread in threading.enumerate())
