"""Half precision in `accumulate`: what is computed in it, and the scale of the loss."""

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from helpers.halves import NEEDS_BFLOAT16, PRECISIONS, half

import distgrad as dg
import distgrad.nn.functional as F
from distgrad import nn
from distgrad.backend import bfloat16
from distgrad.distributed import DataParallel, SingleProcess
from distgrad.distributed.data_parallel.precision import LossScale, half_type
from distgrad.errors import UsageError


class Seen(nn.Module):
    """Notes the data types that pass, inside a layer and a normalisation."""

    def __init__(self, width=4):
        super().__init__()
        self.first = nn.Linear(3, width)
        self.norm = nn.BatchNorm1d(width)
        self.out = nn.Linear(width, 2)
        self.types = []

    def forward(self, x):
        hidden = self.norm(self.first(x))
        self.types = [x.dtype, self.first.weight.dtype, hidden.dtype]
        return self.out(hidden)


def windows(n=12, size=12, micro=4):
    generator = np.random.default_rng(0)
    x, y = generator.random((n, 3), dtype=np.float32), generator.integers(2, size=n)
    return list(dg.data.GlobalBatches(dg.data.TensorDataset(x=x, y=y), size, micro))


def built(precision, module=None, factor=1.0):
    dg.manual_seed(1)
    model = DataParallel(module or Seen(), SingleProcess(), precision=precision)

    def loss(batch):
        output = model(batch.x)
        assert output.dtype == np.float32
        return F.cross_entropy(output, batch.y, reduction="sum") * factor, len(batch.y)

    return model, loss


@pytest.mark.parametrize("precision", PRECISIONS)
def test_the_model_computes_in_16_bits_and_all_else_in_32(precision):
    model, loss = built(precision)
    before = [p.data for p in model.parameters()]
    assert model.accumulate(loss, windows()[0]).finite
    assert model.module.types == [half(precision)] * 3
    assert all(p.data is array for p, array in zip(model.parameters(), before, strict=True))
    assert {p.dtype for p in model.parameters()} == {np.dtype(np.float32)}
    assert {p.grad.dtype for p in model.parameters()} == {np.dtype(np.float32)}
    assert {b.dtype for b in model.module.buffers()} == {np.dtype(np.float32), np.dtype(np.int64)}


@pytest.mark.parametrize("precision", PRECISIONS)
def test_gradients_are_those_of_single_precision_within_its_digits(precision):
    grads = []
    for kind in ("fp32", precision):
        model, loss = built(kind)
        result = model.accumulate(loss, windows()[0])
        grads.append([p.grad.numpy().copy() for p in model.parameters()])
    assert result.loss_scale == (1024.0 if precision == "fp16" else 1.0)
    digits = 1 if precision == "fp16" else 8
    for single, halved in zip(*grads, strict=True):
        np.testing.assert_allclose(halved, single, rtol=2e-2 * digits, atol=2e-3 * digits)


@NEEDS_BFLOAT16
def test_gradients_of_bfloat16_are_added_up_in_float32():
    """In bfloat16, 256 + 1 is 256."""

    class Sum(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(np.ones(1, np.float32))

        def forward(self, x):
            return (x * self.weight).sum()

    model, _ = built("bf16", Sum())
    x = np.array([256, 1, 1, 1], np.float32)
    (window,) = dg.data.GlobalBatches(dg.data.TensorDataset(x=x), 4, 1)
    model.accumulate(lambda batch: (model(batch.x), 1), window)
    assert model.module.weight.grad.item() == 259 / 4


@pytest.mark.parametrize("precision", PRECISIONS)
def test_recorded_passes_have_the_bits_of_eager_ones(precision):
    check_recorded(precision)


@NEEDS_BFLOAT16
def test_they_do_so_where_others_were_recorded_before_the_type_was_in_sight():
    program = f"""
import sys
from importlib import util
spec = util.spec_from_file_location("tests_of_precision", {__file__!r})
tests = util.module_from_spec(spec)
spec.loader.exec_module(tests)
tests.check_recorded("fp16")
assert "ml_dtypes" not in sys.modules
tests.check_recorded("bf16")
"""
    paths = {"PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, "-c", program]
    subprocess.run(command, check=True, timeout=60, env={**os.environ, **paths})


def check_recorded(precision):
    found = []
    for capture in (False, True):
        dg.manual_seed(1)
        net = nn.Sequential(nn.Linear(3, 8), nn.LayerNorm(8), nn.Dropout(0.1), nn.Linear(8, 2))
        model = DataParallel(net, SingleProcess(), precision=precision, capture=capture)
        optimizer = dg.optim.SGD(model.parameters(), lr=0.1)

        def loss(batch, model=model):
            return F.cross_entropy(model(batch.x), batch.y, reduction="sum"), len(batch.y)

        for window in windows() * 6:
            result = model.accumulate(loss, window)
            optimizer.step()
        found.append((result.loss, [p.tolist() for p in model.parameters()]))
    assert found[0] == found[1]


@NEEDS_BFLOAT16
def test_the_parameters_themselves_stay_in_float32():
    with pytest.raises(
        ValueError, match=r"'first\.weight' is of bfloat16, .* keep the model in fl"
    ):
        DataParallel(Seen().bfloat16(), SingleProcess())
    module = Seen()
    module.norm.register_buffer("extra", dg.zeros(2, dtype=dg.bfloat16))
    with pytest.raises(ValueError, match=r"'norm\.extra' is of bfloat16, .* which ranks do not ex"):
        DataParallel(module, SingleProcess())


@NEEDS_BFLOAT16
def test_what_is_small_or_large_for_float16_is_not_for_bfloat16():
    for factor in (1e-30, 1e30):
        model, loss = built("bf16", factor=factor)
        result = model.accumulate(loss, windows()[0])
        assert (result.finite, result.overflow, result.loss_scale) == (True, False, 1.0)
        assert np.abs(model.module.out.weight.grad.numpy()).max() > factor / 100
    assert model.loss_scale is None


@NEEDS_BFLOAT16
def test_in_bfloat16_a_gradient_that_is_not_finite_is_a_failure():
    model, loss = built("bf16", factor=float("inf"))
    result = model.accumulate(loss, windows()[0])
    assert (result.finite, result.overflow) == (False, False)


def test_outside_a_step_it_computes_with_the_parameters_themselves():
    model, _ = built("fp16")
    batch = windows()[0].micro_batch(0)
    model(batch.x)
    assert model.module.types == [np.float32] * 3
    model.evaluate(lambda b: {"n": (model(b.x).sum(), 1)}, dg.data.TensorDataset(x=batch.x), 4)
    assert model.module.types == [np.float32] * 3


def test_small_gradients_do_not_vanish():
    """Below 6e-8 there is no float16 but 0."""
    model, loss = built("fp16", factor=1e-7)
    assert model.accumulate(loss, windows()[0]).finite
    assert np.abs(model.module.out.weight.grad.numpy()).max() > 1e-9


def test_a_gradient_that_overflows_halves_the_scale_and_is_no_failure():
    model, loss = built("fp16", factor=1e5)
    statistics = model.module.norm.running_mean.numpy().copy()
    result = model.accumulate(loss, windows()[0])
    assert (result.finite, result.overflow, result.loss_scale) == (False, True, 1024.0)
    assert np.isfinite(result.loss)
    assert model.loss_scale.value == 512.0
    np.testing.assert_array_equal(model.module.norm.running_mean.numpy(), statistics)
    steps = 1
    while not model.accumulate(loss, windows()[0]).finite:
        steps += 1
    assert model.loss_scale.value == 1024.0 / 2**steps


def test_a_loss_that_is_not_finite_is_not_the_scales_doing():
    model, loss = built("fp16", factor=float("nan"))
    result = model.accumulate(loss, windows()[0])
    assert (result.finite, result.overflow) == (False, False)
    assert model.loss_scale.value == 1024.0


def test_a_step_of_which_nothing_counts_leaves_the_scale():
    model, _ = built("fp16")
    result = model.accumulate(lambda batch: (model(batch.x).sum() * 0, 0), windows()[0])
    assert (result.finite, result.overflow) == (False, False)
    assert model.loss_scale.value == 1024.0


def test_several_losses_and_a_penalty_are_scaled_alike():
    grads = []
    for precision in ("fp32", "fp16"):
        model, _ = built(precision)

        def loss(batch, model=model):
            output = model(batch.x)
            return {"a": (output[:, 0] ** 2).sum(), "b": output[:, 1].sum()}

        model.accumulate(
            loss,
            windows()[0],
            counts=lambda batch: {"a": len(batch.x), "b": 2 * len(batch.x)},
            penalty=lambda model=model: (model.module.out.weight**2).sum(),
        )
        grads.append(model.module.out.weight.grad.numpy().copy())
    np.testing.assert_allclose(grads[1], grads[0], rtol=2e-2, atol=2e-3)


def test_what_is_passed_in_structures_is_converted():
    class Pair(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(3, 2)

        def forward(self, pair, scale):
            x, numbers = pair
            assert (x.dtype, numbers.dtype) == (np.float16, np.int64)
            assert scale["by"].dtype == np.float16
            return {"output": self.layer(x) * scale["by"], "numbers": numbers}

    model, _ = built("fp16", Pair())

    def loss(batch):
        found = model((batch.x, batch.y), scale={"by": dg.ones(1)})
        assert found["numbers"].dtype == np.int64
        assert found["output"].dtype == np.float32
        return found["output"].sum(), len(batch.y)

    assert model.accumulate(loss, windows()[0]).finite


class TestLossScale:
    def test_it_grows_after_2000_good_steps_in_a_row(self):
        scale = LossScale()
        for _ in range(1999):
            scale.follow(finite=True)
        assert scale.value == 1024.0
        scale.follow(finite=True)
        assert (scale.value, scale.good_steps) == (2048.0, 0)

    def test_an_overflow_begins_the_count_anew(self):
        scale = LossScale()
        scale.follow(finite=True)
        scale.follow(finite=False)
        assert (scale.value, scale.good_steps) == (512.0, 0)

    def test_it_does_not_fall_below_the_least(self):
        scale = LossScale()
        for _ in range(50):
            scale.follow(finite=False)
        assert scale.value == LossScale.LEAST

    def test_its_state_comes_back(self):
        scale, other = LossScale(), LossScale()
        for finite in (True, False, True, True):
            scale.follow(finite)
        other.load_state_dict(scale.state_dict())
        assert vars(other) == vars(scale)


def test_in_single_precision_there_is_no_scale():
    model, loss = built("fp32")
    result = model.accumulate(loss, windows()[0])
    assert (model.loss_scale, result.loss_scale, result.overflow) == (None, 1.0, False)


def test_precisions_that_there_are_not():
    with pytest.raises(ValueError, match="precision must be 'fp32', 'fp16' or 'bf16', got 'fp8'"):
        built("fp8")


@NEEDS_BFLOAT16
def test_a_library_for_gpus_without_bfloat16():
    def zeros(shape, dtype):
        raise TypeError(f"Unsupported dtype {dtype}")

    old = SimpleNamespace(zeros=zeros, __version__="13.6.0")
    with pytest.raises(
        UsageError, match=r"CuPy 13\.6\.0 has no bfloat16, which came with version 14"
    ):
        half_type("bf16", old)


def test_bfloat16_without_its_package(monkeypatch):
    monkeypatch.setattr(bfloat16, "_type", None)
    monkeypatch.setitem(sys.modules, "ml_dtypes", None)
    with pytest.raises(UsageError, match=r"pip install 'distgrad\[bf16\]'"):
        built("bf16")


@pytest.mark.parametrize("precision", PRECISIONS)
def test_a_normalisation_by_running_statistics(precision):
    """They stay in float32, and so the model cannot go through them in 16 bits."""
    model, loss = built(precision)
    model.accumulate(loss, windows()[0])
    model.module.norm.eval()
    result = model.accumulate(loss, windows()[0])
    assert result.finite
    assert model.module.types[2] == half(precision)
    reference, loss = built("fp32")
    reference.module.load_state_dict(model.module.state_dict())
    reference.module.norm.eval()
    assert result.loss == pytest.approx(reference.accumulate(loss, windows()[0]).loss, rel=5e-3)
