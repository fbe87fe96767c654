"""PyTorch's contract in one process: what `loss.backward()` does with gradients and how often."""

import contextlib

import numpy as np
import pytest
from helpers.data_parallel import classifier, gradients

import distgrad as dg
from distgrad import nn
from distgrad.distributed import DataParallel, SingleProcess


class Counting(SingleProcess):
    """One process that counts how often gradients are exchanged."""

    exchanges = 0

    def exchange(self, outgoing, incoming):
        self.exchanges += 1
        super().exchange(outgoing, incoming)


@pytest.fixture
def comm():
    return Counting()


@pytest.fixture
def model(comm):
    return DataParallel(classifier(dtype=np.float64), comm)


X = dg.tensor(np.random.default_rng(0).standard_normal((4, 6)))


def test_backward_adds_to_gradients_as_without_ranks(model, comm):
    reference = classifier(dtype=np.float64)
    for _ in range(3):
        model(X).sum().backward()
        reference(X).sum().backward()
    for name, expected in gradients(reference).items():
        np.testing.assert_allclose(gradients(model)[name], expected, rtol=1e-12)
    assert comm.exchanges == 3


def test_it_happens_once_a_pass_through_several_outputs(comm):
    class Pair(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Linear(6, 2, dtype=np.float64), nn.Linear(6, 2, dtype=np.float64)

        def forward(self, x):
            return {"a": self.a(x), "b": [self.b(x), (self.a(x) + self.b(x),)]}

    model = DataParallel(Pair(), comm)
    output = model(X)
    (output["a"].sum() + output["b"][0].sum() + output["b"][1][0].sum()).backward()
    assert comm.exchanges == 1
    assert all(gradient is not None for gradient in gradients(model).values())


def test_it_happens_once_a_pass_over_two_forward_passes(model, comm):
    (model(X).sum() + model(2 * X).sum()).backward()
    assert comm.exchanges == 1


def test_it_happens_in_each_pass_over_a_retained_graph(model, comm):
    loss = model(X).sum()
    loss.backward(retain_graph=True)
    loss.backward()
    assert comm.exchanges == 2


def test_no_sync_leaves_the_ranks_alone(model, comm):
    with model.no_sync():
        model(X).sum().backward()
        model(X).sum().backward()
    assert comm.exchanges == 0
    model(X).sum().backward()
    assert comm.exchanges == 1
    reference = classifier(dtype=np.float64)
    (3 * reference(X).sum()).backward()
    for name, expected in gradients(reference).items():
        np.testing.assert_allclose(gradients(model)[name], expected, rtol=1e-12)


def test_the_forward_pass_decides(model, comm):
    with model.no_sync():
        inside = model(X).sum()
    inside.backward()
    assert comm.exchanges == 0
    outside = model(X).sum()
    with model.no_sync():
        outside.backward()
    assert comm.exchanges == 1


def test_no_sync_can_be_nested_and_left_by_an_exception(model, comm):
    with model.no_sync():
        with model.no_sync():
            pass
        model(X).sum().backward()
    with contextlib.suppress(KeyError), model.no_sync():
        raise KeyError
    assert comm.exchanges == 0
    model(X).sum().backward()
    assert comm.exchanges == 1


def test_grad_leaves_the_ranks_alone(model, comm):
    x = dg.tensor(X.data, requires_grad=True)
    (slope,) = dg.autograd.grad(model(x).sum(), x, create_graph=True)
    assert comm.exchanges == 0
    (slope * slope).sum().backward()
    assert all(g is None or np.isfinite(g).all() for g in gradients(model).values())


def test_a_penalty_on_slopes_is_averaged_once_with_the_loss(model, comm):
    x = dg.tensor(X.data, requires_grad=True)
    output = model(x).sum()
    (slope,) = dg.autograd.grad(output, x, create_graph=True)
    (output + (slope * slope).sum()).backward()
    assert comm.exchanges == 1


def test_own_loops_and_windows_are_not_averaged_in_between(model, comm):
    model.backward(model(X).sum(), 4)
    model.backward(model(X).sum(), 4)
    assert comm.exchanges == 0
    model.reduce()
    assert comm.exchanges == 1


def test_under_no_grad_nothing_is_watched(model, comm):
    with dg.no_grad():
        output = model(X)
    assert output.grad_fn is None
    assert comm.exchanges == 0


def test_an_unused_parameter_keeps_no_gradient(comm):
    model = DataParallel(nn.Sequential(nn.Linear(6, 2, dtype=np.float64)), comm)
    model.module.add_module("1", nn.ReLU())
    model.module[0].bias.requires_grad_(False)
    model(X).sum().backward()
    assert gradients(model)["0.bias"] is None


def test_infinite_gradients_do_not_warn(model):
    (model(X).sum() * np.inf).backward()
    assert not np.isfinite(gradients(model)["0.weight"]).all()


def test_accumulate_does_not_average_each_micro_batch(model, comm):
    dataset = dg.data.TensorDataset(x=X)
    (window,) = dg.data.GlobalBatches(dataset, 4, 1)
    model.accumulate(lambda batch: (model(batch.x).sum(), 1), window)
    assert comm.exchanges == 1
