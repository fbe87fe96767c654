"""The gradient of any division of a global batch is that of one process on the whole batch."""

from importlib.util import find_spec

import numpy as np
import pytest
from helpers.data_parallel import (
    Pieces,
    classification_loss,
    classifier,
    gradients,
    ragged_data,
)

import distgrad as dg
import distgrad.nn.functional as F
from distgrad.distributed import DataParallel

pytestmark = pytest.mark.mpi

# (samples, global batch, micro-batch): whole windows; partial last micro-batches; a partial last
# window that leaves ranks idle; one micro-batch in all; each sample a micro-batch of its own.
CUTS = [(24, 12, 3), (23, 10, 4), (25, 24, 2), (5, 5, 5), (9, 9, 1)]


def windows(cut):
    samples, global_batch, micro_batch = cut
    return dg.data.GlobalBatches(ragged_data(samples, np.float64), global_batch, micro_batch)


@pytest.mark.parametrize("reduction", ["tree", "allreduce"])
@pytest.mark.parametrize("cut", CUTS)
def test_equals_one_process_on_the_whole_batch(comm, cut, reduction):
    model = DataParallel(classifier(dtype=np.float64), comm, reduction)
    reference = classifier(dtype=np.float64)
    for window in windows(cut):
        result = model.accumulate(classification_loss(model), window)
        batch = window.dataset.take(window.indices)
        reference.zero_grad()
        loss = F.cross_entropy(reference(batch.x), batch.y)
        loss.backward()
        assert result.loss == pytest.approx(loss.item(), rel=1e-12)
        assert result.count == (batch.y.data >= 0).sum()
        assert result.micro_batches == len(window)
        assert result.finite
        for name, expected in gradients(reference).items():
            np.testing.assert_allclose(gradients(model)[name], expected, rtol=0, atol=1e-12)
        assert len(set(comm.all_gather_object(result))) == 1


@pytest.mark.skipif(find_spec("torch") is None, reason="torch is not installed")
def test_equals_pytorch(comm):
    model = DataParallel(classifier(dtype=np.float64), comm)
    for window in windows(CUTS[1]):
        result = model.accumulate(classification_loss(model), window)
        if comm.rank == 0:  # one rank suffices: the ranks are compared with each other elsewhere
            expected_loss, expected = torch_gradients(model.module, window)
            assert result.loss == pytest.approx(expected_loss, rel=1e-12)
            for name, gradient in gradients(model).items():
                np.testing.assert_allclose(gradient, expected[name], rtol=0, atol=1e-12)


def torch_gradients(module, window):
    import torch

    w = {
        name: torch.tensor(value.data, requires_grad=True)
        for name, value in module.named_parameters()
    }
    batch = window.dataset.take(window.indices)
    hidden = torch.tanh(torch.tensor(batch.x.data) @ w["0.weight"].T + w["0.bias"])
    scores = hidden @ w["3.weight"].T + w["3.bias"]
    loss = torch.nn.functional.cross_entropy(scores, torch.tensor(batch.y.data))
    loss.backward()
    return loss.item(), {name: value.grad.numpy() for name, value in w.items()}


@pytest.mark.parametrize("reduction", ["tree", "allreduce"])
def test_own_loop_equals_accumulate(comm, reduction):
    model = DataParallel(classifier(dtype=np.float64), comm, reduction)
    loss = classification_loss(model)
    for window in windows(CUTS[1]):
        expected = model.accumulate(loss, window)
        expected_gradients = gradients(model)
        # Dealt out in turn, so that with several ranks the last ones may have none.
        for index in range(comm.rank, len(window), comm.size):
            model.backward(*loss(window.micro_batch(index)))
        assert model.reduce() == expected
        for name, gradient in gradients(model).items():
            np.testing.assert_allclose(gradient, expected_gradients[name], rtol=0, atol=1e-14)


def test_own_loop_of_one_rank_alone(comm):
    model = DataParallel(classifier(dtype=np.float64), comm)
    loss = classification_loss(model)
    (window,) = windows(CUTS[4])
    expected = model.accumulate(loss, window)
    expected_gradients = gradients(model)
    if comm.rank == comm.size - 1:
        for index in range(len(window)):
            model.backward(*loss(window.micro_batch(index)))
    assert model.reduce() == expected
    for name, gradient in gradients(model).items():
        np.testing.assert_allclose(gradient, expected_gradients[name], rtol=0, atol=1e-14)


def test_a_parameter_used_on_one_rank_has_its_gradient_on_all(comm):
    model = DataParallel(dg.nn.Sequential(dg.nn.Linear(2, 1), dg.nn.Linear(2, 1)), comm)

    def loss(used):
        return model.module[used](dg.ones((1, 2))).sum(), 1

    # Only the last micro-batch, which is the last rank's, uses the second layer.
    pieces = [0] * comm.size + [1]
    model.accumulate(loss, Pieces(pieces))
    np.testing.assert_allclose(gradients(model)["1.weight"], [[1 / len(pieces)] * 2])
    model.accumulate(loss, Pieces([0] * comm.size))
    assert gradients(model)["1.weight"] is None


def test_not_finite_on_one_rank_is_told_to_all(comm):
    model = DataParallel(classifier(), comm)

    def loss(factor):
        return model(dg.ones((1, 6))).sum() * factor, 1

    for bad in (np.nan, np.inf):
        result = model.accumulate(loss, Pieces([1.0] * comm.size + [bad]))
        assert comm.all_gather_object(result.finite) == [False] * comm.size
    assert model.accumulate(loss, Pieces([1.0] * comm.size)).finite


def test_gradients_that_overflow_between_ranks_are_told_to_all(comm):
    model = DataParallel(dg.nn.Linear(1, 1, bias=False), comm)
    model.module.load_state_dict({"weight": [[0.0]]})
    result = model.accumulate(
        lambda factor: (model.module.weight.sum() * factor, 1), Pieces([3e38] * 8)
    )
    assert result.loss == 0.0
    assert comm.all_gather_object(result.finite) == [False] * comm.size


def test_evaluate_is_bitwise_that_of_one_process(comm, alone):
    model, reference = (DataParallel(classifier(), ranks) for ranks in (comm, alone))
    data = ragged_data(37)
    for micro_batch_size in (1, 4, 37, 100):
        means = [
            m.evaluate(
                lambda batch, m=m: {
                    "loss": classification_loss(m)(batch),
                    "last": (batch.x.data[-1, 0], 1),
                },
                data,
                micro_batch_size,
            )
            for m in (model, reference)
        ]
        assert means[0] == means[1]
        assert comm.all_gather_object(means[0]) == [means[0]] * comm.size
