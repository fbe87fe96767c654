"""Datasets whose arrays lie on a GPU, which the strict double stands for."""

import numpy as np
from helpers.strict_device import strict_device

import distgrad as dg


def test_samples_and_batches_stay_on_the_gpu() -> None:
    with strict_device():
        dataset = dg.data.TensorDataset(
            x=dg.arange(8.0).reshape(4, 2).cuda(), y=dg.arange(4).cuda()
        )
        batch = dataset.take(np.array([2, 0]))
        assert (batch.x.device, batch.y.tolist()) == ("cuda:0", [2, 0])
        assert dataset[1].x.tolist() == [2, 3]
        loader = dg.data.DataLoader(dataset, batch_size=3)
        assert [batch.y.tolist() for batch in loader] == [[0, 1, 2], [3]]
        for window in dg.data.GlobalBatches(dataset, 4, 2, shuffle=False):
            assert window.micro_batch(1).y.tolist() == [2, 3]
            assert window.micro_batch(1).y.device == "cuda:0"


def test_what_lies_on_a_gpu_is_not_read_by_a_thread() -> None:
    with strict_device():
        dataset = dg.data.TensorDataset(x=dg.zeros(4, 2).cuda())
        assert not dataset.thread_safe
        assert not dg.data.Subset(dataset, [0]).thread_safe
    assert dg.data.TensorDataset(x=dg.zeros(4, 2)).thread_safe
