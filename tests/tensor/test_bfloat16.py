"""Tensors of bfloat16: PyTorch's promotion, sums in float32, gradients, copies, texts."""

import copy
import pickle
import subprocess
import sys
import threading

import numpy as np
import pytest
from helpers.halves import NEEDS_BFLOAT16, half
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

import distgrad as dg
import distgrad.nn.functional as F
from distgrad import nn, ops
from distgrad.backend import bfloat16 as first_use
from distgrad.ops.flops import count_flops
from distgrad.tensor.watching import watching

pytestmark = NEEDS_BFLOAT16

arrays = npst.arrays(np.float32, npst.array_shapes(max_dims=3), elements=st.floats(-8, 8, width=16))


def rounded(array):
    return np.asarray(array, np.float32).astype(half("bf16"))


def values(tensor):
    return tensor.detach().float().numpy()


class TestConversions:
    def test_all_ways_to_it(self):
        x = dg.tensor([1.0, 0.1])
        named = dg.bfloat16, "bfloat16", np.dtype(dg.bfloat16), x.bfloat16(), x.bfloat16().dtype
        for target in named:
            assert x.to(target).dtype == dg.bfloat16 == half("bf16")
        assert dg.zeros(2, dtype=dg.bfloat16).type() == "distgrad.BFloat16Tensor"
        assert dg.tensor([0.1], dtype="bfloat16").tolist() == [0.10009765625]
        assert dg.tensor(x.bfloat16().numpy()).dtype == dg.bfloat16
        assert dg.ones_like(x.bfloat16()).dtype == dg.full((2,), 0.5, dtype=dg.bfloat16).dtype

    def test_it_is_a_floating_point_type_of_16_bits(self):
        x = dg.ones(3, dtype=dg.bfloat16)
        assert (x.is_floating_point(), x.is_signed(), x.element_size()) == (True, True, 2)
        info = dg.finfo(dg.bfloat16)
        assert (info.bits, info.eps, info.dtype) == (16, 2.0**-7, "bfloat16")
        assert (info.max, info.tiny) == (2.0**127 * (2 - 2.0**-7), 2.0**-126)
        assert dg.can_cast(dg.bfloat16, dg.float16)
        assert not dg.can_cast(dg.bfloat16, dg.int64)

    def test_what_does_not_fit_is_refused_or_infinite(self):
        with pytest.raises(RuntimeError, match=r"1e\+39 does not fit bfloat16"):
            dg.full((2,), 1e39, dtype=dg.bfloat16)
        assert dg.tensor([1e39], dtype=dg.float64).bfloat16().tolist() == [np.inf]

    def test_other_types_that_numpy_does_not_define_are_none(self):
        import ml_dtypes

        for dtype in (ml_dtypes.float8_e4m3fn, "V2", [("a", "f4")]):
            with pytest.raises(TypeError, match="tensors hold truth values, integers and"):
                dg.zeros(2, dtype=dtype)

    def test_texts(self):
        x = dg.tensor([1.0, 0.1, -2.5]).bfloat16()
        assert repr(x) == "tensor([ 1.0000,  0.1001, -2.5000], dtype=bfloat16)"
        assert repr(dg.tensor(3.0).bfloat16()) == "tensor(3., dtype=bfloat16)"

    @pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, dg.Tensor.clone])
    def test_copies(self, copied):
        x = dg.tensor([1.0, 0.1]).bfloat16()
        assert (copied(x).dtype, copied(x).tolist()) == (x.dtype, x.tolist())

    def test_pickles(self):
        x = dg.tensor([[1.0, 0.1]]).bfloat16().requires_grad_()
        found = pickle.loads(pickle.dumps(x))
        assert (found.dtype, found.tolist(), found.requires_grad) == (x.dtype, x.tolist(), True)

    def test_arrays_of_numpy(self):
        x = dg.tensor([1.0, 0.1]).bfloat16()
        assert np.asarray(x).dtype == half("bf16")
        assert np.asarray(x, np.float32).tolist() == x.tolist()
        assert np.shares_memory(x.numpy(), x.data)
        assert (x * rounded([2, 3])).dtype == dg.bfloat16
        assert float(x[1]) == x[1].item() == 0.10009765625


# PyTorch's answers for a bfloat16 array with axes, and one without, beside others.
BESIDE = {
    "bool": "bfloat16",
    "uint8": "bfloat16",
    "int64": "bfloat16",
    "bfloat16": "bfloat16",
    "float16": "float32",
    "float32": "float32",
    "float64": "float64",
}


@pytest.mark.parametrize("name", BESIDE)
def test_promotion(name):
    x, scalar = dg.ones(2, dtype=dg.bfloat16), dg.ones((), dtype=dg.bfloat16)
    other, other_scalar = dg.ones(2, dtype=name), dg.ones((), dtype=name)
    assert dg.promote_types(dg.bfloat16, name) == dg.promote_types(name, dg.bfloat16)
    for found in (x + other, other * x, dg.where(x > 0, x, other), scalar + other_scalar):
        assert found.dtype == half("bf16") if BESIDE[name] == "bfloat16" else BESIDE[name]
    assert (x + other_scalar).dtype == (other_scalar / x).dtype == dg.bfloat16
    whole = BESIDE[name] == "bfloat16"
    assert (other + scalar).dtype == (half("bf16") if whole else other.dtype)
    assert (x == other).dtype == np.bool_


@pytest.mark.parametrize("name", BESIDE)
def test_the_promotion_is_pytorchs(name):
    torch = pytest.importorskip("torch")
    assert str(torch.promote_types(torch.bfloat16, getattr(torch, name)))[6:] == BESIDE[name]
    ours, theirs = dg.ones(2, dtype=name), torch.ones(2, dtype=getattr(torch, name))
    for scalar in ((), (2,)):
        mine = ours + dg.ones(scalar, dtype=dg.bfloat16)
        assert mine.dtype.name == str((theirs + torch.ones(scalar).bfloat16()).dtype)[6:]


@pytest.mark.parametrize("number", [True, 3, 0.1])
def test_python_numbers_do_not_widen_it(number):
    x = dg.tensor([1.0, 3.0]).bfloat16()
    assert (x * number).dtype == (number - x).dtype == dg.bfloat16
    wanted = rounded(np.float32([1, 3]) * np.float32(number))  # the number itself is not rounded
    np.testing.assert_array_equal(values(x * number), wanted.astype(np.float32))


class TestSums:
    def test_are_made_in_float32(self):
        x = dg.ones(1000, 3).bfloat16()
        assert x.sum().item() == 3008  # 3000, rounded
        assert x.mean().item() == 1
        assert x.cumsum(0)[-1].tolist() == [1000] * 3
        assert (x.T @ x)[0, 0].item() == 1000
        assert dg.einsum("ij,ij->", x, x).item() == 3008
        assert x.norm().item() == rounded(np.sqrt(3000)).item()

    def test_of_a_broadcast_gradient(self):
        x = dg.ones(1, dtype=dg.bfloat16, requires_grad=True)
        (x * dg.ones(1000).bfloat16()).backward(dg.ones(1000).bfloat16())
        assert x.grad.tolist() == [1000]

    def test_of_repeated_indices(self):
        table = nn.Embedding(2, 1).bfloat16()
        table(dg.zeros(1000, dtype=dg.int64)).sum().backward()
        assert table.weight.grad.tolist() == [[1000], [0]]
        x = dg.zeros(2, dtype=dg.bfloat16, requires_grad=True)
        x[np.zeros(1000, int)].sum().backward()
        assert x.grad.tolist() == [1000, 0]


class TestGradients:
    def test_of_a_leaf_are_of_its_type(self):
        x = dg.tensor([0.3, 2.0]).bfloat16().requires_grad_()
        y = dg.tensor([1.0, 2.0], requires_grad=True)
        (x.tanh() * y).sum().backward()
        assert (x.grad.dtype, y.grad.dtype) == (half("bf16"), np.float32)

    def test_flow_through_conversions(self):
        x = dg.tensor([0.1, 2.0], requires_grad=True)
        x.bfloat16().square().float().sum().backward()
        assert x.grad.dtype == np.float32
        assert x.grad.tolist() == values(2 * x.bfloat16()).tolist()

    def test_of_gradients(self):
        x = dg.tensor([0.5, 2.0]).bfloat16().requires_grad_()
        (first,) = dg.autograd.grad((x**3).sum(), x, create_graph=True)
        (second,) = dg.autograd.grad(first.sum(), x)
        assert (first.dtype, second.dtype) == (half("bf16"),) * 2
        assert (first.tolist(), second.tolist()) == ([0.75, 12], [3, 12])

    def test_add_up_over_passes(self):
        x = dg.ones(2, dtype=dg.bfloat16, requires_grad=True)
        for _ in range(3):
            (2 * x).sum().backward()
        assert x.grad.tolist() == [6, 6]

    def test_through_a_view_that_is_changed_in_place(self):
        x = dg.tensor([1.0, 2, 3, 4]).bfloat16().requires_grad_()
        y = x * 1
        row = y.view(2, 2)[1]
        row.mul_(3)
        assert row.data.base is not None
        assert y.tolist() == [1, 2, 9, 12]
        y.sum().backward()
        assert x.grad.tolist() == [1, 1, 3, 3]

    def test_through_einsum_where_that_is_a_view(self):
        x = dg.tensor([[1.0, 2, 3], [4, 5, 6]]).bfloat16()
        dg.einsum("ij->ji", x)[0, 1] = 9
        assert x[1, 0].item() == 9
        x.requires_grad_()
        for subscripts in ("ij->ji", "ij->i", "ij,kj->ik", "ij,ij,kj->k"):
            y = dg.einsum(subscripts, *[x] * (subscripts.count(",") + 1))
            wide = x.detach().float().requires_grad_()
            z = dg.einsum(subscripts, *[wide] * (subscripts.count(",") + 1))
            (mine,) = dg.autograd.grad(y.float().sum(), x)
            (other,) = dg.autograd.grad(z.sum(), wide)
            assert values(y).tolist() == rounded(z.data).tolist()
            np.testing.assert_allclose(values(mine), other.data, rtol=0.02)

    def test_checkpointed_and_in_a_function(self):
        class Twice(dg.autograd.Function):
            @staticmethod
            def forward(ctx, x):  # noqa: ARG004
                return x * 2

            @staticmethod
            def backward(ctx, gradient):  # noqa: ARG004
                assert gradient.dtype == dg.bfloat16
                return gradient * 2

        x = dg.ones(3, dtype=dg.bfloat16, requires_grad=True)
        y = dg.autograd.checkpoint(lambda x: Twice.apply(x).tanh(), x)
        y.sum().backward()
        assert x.grad.dtype == dg.bfloat16

    @pytest.mark.parametrize("name", ["SGD", "AdamW", "RMSprop", "Lion"])
    def test_train_a_layer(self, name):
        dg.manual_seed(0)
        layer = nn.Sequential(nn.Linear(3, 8), nn.LayerNorm(8), nn.Tanh(), nn.Linear(8, 2))
        layer = layer.bfloat16()
        optimizer = getattr(dg.optim, name)(layer.parameters(), lr=0.02)
        x, y = dg.randn(20, 3).bfloat16(), dg.arange(20) % 2
        losses = []
        for _ in range(20):
            optimizer.zero_grad()
            loss = F.cross_entropy(layer(x), y)
            loss.backward()
            nn.utils.clip_grad_norm_(layer.parameters(), 1.0)
            optimizer.step()
            losses.append(loss.item())
        assert {p.dtype for p in layer.parameters()} == {half("bf16")}
        assert losses[-1] < losses[0]


@given(arrays)
def test_functions_are_those_of_float32_rounded_once(array):
    x = dg.Tensor(rounded(array))
    wide = dg.Tensor(rounded(array).astype(np.float32))
    for function in (
        dg.tanh,
        dg.exp,
        dg.sigmoid,
        F.gelu,
        lambda x: x.sum(0),
        lambda x: x.softmax(-1),
        lambda x: x.var(0, correction=0),
        lambda x: x.flip(0),
        lambda x: x.amax(-1),
        lambda x: x.clamp(-0.3, 0.7),
        lambda x: x / 3,
    ):
        np.testing.assert_array_equal(values(function(x)), rounded(function(wide).data), str(array))


@given(arrays, st.integers(0, 3))
def test_what_is_changed_in_place_is_rounded_once(array, kind):
    x = dg.Tensor(rounded(array))
    wide = dg.Tensor(rounded(array).astype(np.float32))
    for y in (x, wide):
        if kind == 0:
            y.mul_(1.1)
        elif kind == 1:
            y.sub_(0.3)
        elif kind == 2:
            y[0] = 0.3
        else:
            y.tanh_()
    np.testing.assert_array_equal(values(x), rounded(wide.data).astype(np.float32))


def test_random_numbers():
    dg.manual_seed(0)
    x = dg.rand(100_000, dtype=dg.bfloat16)
    assert (values(x) >= 0).all()
    assert (values(x) < 1).all()
    assert abs(values(dg.randn(10_000, dtype=dg.bfloat16)).std() - 1) < 0.03
    assert values(dg.zeros(100, dtype=dg.bfloat16).random_()).max() <= 256
    assert values(dg.zeros(100, dtype=dg.bfloat16).uniform_(2, 3)).max() < 3
    assert values(dg.zeros(100, dtype=dg.bfloat16).exponential_()).min() > 0


def test_dropout_keeps_the_type_and_the_places():
    x = dg.ones(1000)
    found = []
    for y in (x, x.bfloat16()):
        dg.manual_seed(3)
        found.append(F.dropout(y, 0.25))
    assert found[1].dtype == dg.bfloat16
    np.testing.assert_array_equal(values(found[0]) == 0, values(found[1]) == 0)


def test_operations_are_counted_as_in_float32():
    counted = []

    def watch(forward, inputs, attributes, output):
        counted.append(count_flops(forward, inputs, attributes, output))

    x = dg.ones(2, 3).bfloat16()
    with watching(watch):
        x @ x.T
        dg.einsum("ij,kj->ik", x, x)
    assert sum(counted) == 2 * 2 * 12


def test_ops_keep_to_float32_for_others():
    """What serves bfloat16 changes nothing for other types."""
    x = dg.tensor([1.0, 2.0], requires_grad=True)
    before = (x.tanh() * x).sum()
    x.bfloat16()
    after = (x.tanh() * x).sum()
    assert (before.item(), after.dtype) == (after.item(), np.float32)
    assert ops.tanh.call(x).dtype == np.float32


def test_an_array_of_it_is_known_without_asking_for_the_type():
    program = """
import sys
import distgrad as dg
assert "ml_dtypes" not in sys.modules
x = dg.ones(300, requires_grad=True)
x.tanh().sum().backward()  # the code of these is written out, for other types
import ml_dtypes, numpy as np
y = dg.Tensor(np.ones(300, ml_dtypes.bfloat16), requires_grad=True)
z = y.tanh().sum()
assert z.item() == 229, z
z.backward()
assert y.grad.dtype == ml_dtypes.bfloat16
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


def test_largest_numbers_stand_in_for_infinities():
    x = dg.tensor([np.inf, -np.inf, np.nan]).bfloat16()
    largest = dg.finfo(dg.bfloat16).max
    assert x.nan_to_num().tolist() == [largest, -largest, 0]
    assert x.nan_to_num(1, posinf=2).tolist() == [2, -largest, 1]


@pytest.mark.parametrize("end", [0.0, -0.0, 1.5, -3e38, np.inf, -np.inf, np.nan])
def test_neighbours_of_all_numbers(end):
    bits = np.arange(2**16)
    bits[bits % 2**15 > 0x7F80] = 0x7FC0  # one nan, which is quiet
    x = bits.astype(np.uint16).view(half("bf16"))
    found, expected = dg.Tensor(x).nextafter(end).data, np.nextafter(x, rounded(end))
    assert found.dtype == half("bf16")
    numbers = ~np.isnan(expected)
    assert np.isnan(found[~numbers]).all()
    assert (found.view(np.int16) == expected.view(np.int16))[numbers].all()


@pytest.fixture
def unused(monkeypatch):
    """As if nobody had asked for the type."""
    for name, value in {"_type": None, "_done": False, "_waiting": []}.items():
        monkeypatch.setattr(first_use, name, value)


@pytest.mark.usefixtures("unused")
def test_another_thread_gets_the_type_when_all_that_waited_for_it_was_called():
    called, found = [], []

    def ask():
        found.append((first_use.bfloat16(), list(called)))

    def slow():
        assert first_use.bfloat16() is half("bf16").type
        other.start()
        other.join(0.1)
        called.append(True)

    other = threading.Thread(target=ask)
    first_use.when_used(slow)
    first_use.bfloat16()
    other.join()
    assert found == [(half("bf16").type, [True])]


@pytest.mark.usefixtures("unused")
def test_what_failed_at_the_first_use_is_called_again():
    called = []

    def failing():
        called.append("failing")
        if called.count("failing") == 1:
            raise MemoryError

    first_use.when_used(lambda: called.append("before"))
    first_use.when_used(failing)
    with pytest.raises(MemoryError):
        first_use.bfloat16()
    assert first_use.bfloat16() is first_use.bfloat16()
    first_use.when_used(lambda: called.append("after"))
    assert called == ["before", "failing", "failing", "after"]
