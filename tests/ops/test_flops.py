import inspect

import numpy as np
import pytest

import distgrad as dg
import distgrad.nn.functional as F
from distgrad import nn, ops
from distgrad.ops.flops import _PRODUCTS, count_flops
from distgrad.tensor.watching import watching

a, b = np.ones((5, 2, 3), np.float32), np.ones((5, 3, 4), np.float32)
PRODUCTS = {
    "matmul": (lambda m, a, b: a @ b, 2 * 5 * 2 * 3 * 4),
    "matrix-vector": (lambda m, a, b: a @ b[0, :, 0], 2 * 5 * 2 * 3),
    "dot": (lambda m, a, b: a[0, 0].dot(b[0, :, 0]), 2 * 3),
    "einsum": (lambda m, a, b: m.einsum("nij,njk->nik", a, b), 2 * 5 * 2 * 3 * 4),
    "einsum to a number": (lambda m, a, b: m.einsum("nij,njk->", a, b), None),
    "einsum of three": (lambda m, a, b: m.einsum("nij,njk,nj->nik", a, b, b[:, :, 0]), None),
    "einsum of one": (lambda m, a, b: m.einsum("nij->nji", a), 0),
    "no product": (lambda m, a, b: (a * 2 + 1).exp().sum(), 0),
}


def flops_of(function):
    counts = []
    with watching(lambda *call: counts.append(count_flops(*call))):
        function()
    return sum(counts)


@pytest.mark.parametrize("name", PRODUCTS)
def test_products(name):
    function, expected = PRODUCTS[name]
    found = flops_of(lambda: function(dg, dg.tensor(a), dg.tensor(b)))
    if expected is not None:
        assert found == expected
    assert found >= 0


def test_einsum_of_three_counts_the_pairs_in_order():
    i, j, k, n = 2, 300, 4, 5
    x, y, z = dg.zeros(i, j), dg.zeros(j, k), dg.zeros(k, n)
    found = flops_of(lambda: dg.einsum("ij,jk,kn->in", x, y, z))
    assert found == 2 * i * j * k + 2 * i * k * n


def test_backward_passes_and_what_is_not_recorded_count_too():
    x = dg.zeros(8, 4, requires_grad=True)
    with dg.no_grad():
        assert flops_of(lambda: x @ x.T) == 2 * 8 * 8 * 4
    images = dg.zeros(1, 2, 6, 6, requires_grad=True)
    weight = dg.zeros(3, 2, 3, 3, requires_grad=True)
    forward = 2 * 3 * 16 * 18
    y = F.conv2d(images, weight).sum()
    count = flops_of(lambda: dg.autograd.grad(y, (images, weight), create_graph=True))
    assert count == 2 * forward


@pytest.mark.parametrize(
    ("build", "products"),
    [
        (lambda: nn.RNN(4, 3), 3 * (4 + 3)),
        (lambda: nn.LSTM(4, 3), 4 * 3 * (4 + 3)),
        (lambda: nn.LSTM(4, 3, proj_size=2), 4 * 3 * (4 + 2) + 2 * 3),
        (lambda: nn.LSTM(4, 3, bidirectional=True), 2 * 4 * 3 * (4 + 3)),
        (lambda: nn.GRU(4, 3), 3 * 3 * (4 + 3)),
    ],
)
def test_recurrent_layers(build, products):
    """Each step of each sequence meets the weights of the input and of the state before."""
    length, sequences = 5, 2
    found = flops_of(lambda: build()(dg.zeros(length, sequences, 4)))
    assert found == 2 * length * sequences * products


NOT_COUNTED = {
    "channel_sum": "a sum by a product with ones",
    "cofactor": "of a factorisation",
    "cofactor_slope": "of a factorisation",
    "matrix_exp": "of a series",
    "pinv": "of a factorisation",
}
"""Ops with products inside that are not counted, and what those are part of."""


def test_every_op_that_multiplies_matrices_is_counted():
    found = {
        name
        for name, op in vars(ops).items()
        if isinstance(op, ops.Op)
        and any(call in inspect.getsource(op.forward) for call in ("matmul(", "xp.dot(", "einsum("))
    }
    counted = {forward.__name__ for forward in _PRODUCTS}
    assert found - counted <= set(NOT_COUNTED)
