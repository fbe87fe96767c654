"""Passes of models that a GPU can record as a graph: nothing in them waits, or calls cuBLAS.

They run on the strict double, with the launchers of all kernels in CUDA C, which an emulator runs,
and with a double of cublasLt.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from helpers import emulator
from helpers.device_with_kernels import device_with_kernels
from helpers.fake_cublaslt import FakeCublasLt
from helpers.graph_models import MODELS, images
from helpers.interchange import ROWS
from helpers.strict_device import NotOnDevice, device_array, double

import distgrad as dg
from distgrad import nn
from distgrad.backend.kernels.cuda import products
from distgrad.nn import functional as F

pytestmark = pytest.mark.skipif(
    not emulator.available(), reason="no g++ here to compile CUDA C for the host"
)
OF_CUBLAS = ("matmul", "dot", "vdot", "inner", "outer", "tensordot", "einsum")
COPYING = ("array", "asarray")


@pytest.fixture
def device(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    library = FakeCublasLt()
    monkeypatch.setattr(products, "library", lambda: library)
    products._cublas.cache_clear()
    with device_with_kernels():
        yield
    products._cublas.cache_clear()


@contextmanager
def recorded() -> Iterator[None]:
    """Refuse what cannot be part of a graph, or would do something else in a replay."""
    with pytest.MonkeyPatch.context() as patch:
        for name in OF_CUBLAS:
            patch.setattr(double.xp, name, _refusing(f"cupy.{name} calls cuBLAS"))
        for name in ("dot", "__matmul__", "__rmatmul__"):
            patch.setattr(device_array, name, _refusing(f"ndarray.{name} calls cuBLAS"))
        for name in ("__getitem__", "__setitem__"):
            patch.setattr(device_array, name, _without_masks(getattr(device_array, name)))
        for name in COPYING:
            patch.setattr(double.xp, name, _from_device_only(getattr(double.xp, name)))
        patch.setattr(double, "to_device", _from_device_only(double.to_device))
        patch.setattr(double, "to_host", _refusing("a wait for a value"))
        stream = SimpleNamespace(ptr=0, is_capturing=lambda: True)
        patch.setattr(double.xp, "cuda", SimpleNamespace(get_current_stream=lambda: stream))
        yield


def _refusing(why: str) -> Callable[..., Any]:
    def refuse(*_: Any, **__: Any) -> Any:
        raise NotOnDevice(f"while a graph is recorded: {why}")

    return refuse


def _without_masks(method: Callable[..., Any]) -> Callable[..., Any]:
    def index(self: Any, place: Any, *values: Any) -> Any:
        for part in place if isinstance(place, tuple) else (place,):
            if getattr(part, "dtype", None) == np.bool_:
                raise NotOnDevice("while a graph is recorded: a mask as an index is counted")
        return method(self, place, *values)

    return index


def _from_device_only(function: Callable[..., Any]) -> Callable[..., Any]:
    def call(values: Any, *args: Any, **kwargs: Any) -> Any:
        if not isinstance(values, device_array | int | float):
            raise NotOnDevice("while a graph is recorded: a copy from the host")
        return function(values, *args, **kwargs)

    return call


def passes(name: str, place: str, count: int) -> tuple[Callable[[], dg.Tensor], nn.Module]:
    dg.manual_seed(0)
    model, inputs, targets = MODELS[name]()
    model.to(place)
    x, wanted = dg.tensor(inputs).to(place), dg.tensor(targets).to(place)

    def loss() -> dg.Tensor:
        with dg.autograd.random_scope(0, step=1):
            scores = model(x)
            total = F.cross_entropy(scores.reshape(-1, scores.shape[-1]), wanted.reshape(-1))
            total.backward()
        return total.detach()

    for _ in range(count):
        model.zero_grad()
        loss()
    model.zero_grad()
    return loss, model


@pytest.mark.parametrize("name", MODELS)
def test_a_pass_of_a_model_can_be_recorded(device: None, name: str) -> None:
    expected, here = passes(name, "cpu", 1)
    value = expected().item()
    run, there = passes(name, "cuda", 1)
    with recorded():
        total = run()
    assert total.cpu().item() == pytest.approx(value, rel=1e-5)
    for ours, theirs in zip(there.parameters(), here.parameters(), strict=True):
        np.testing.assert_allclose(ours.grad.cpu().data, theirs.grad.data, rtol=2e-4, atol=2e-6)


def test_what_cannot_be_recorded_is_refused_here(device: None) -> None:
    x = dg.tensor(images(2, 2)).to("cuda")
    with recorded():
        with pytest.raises(NotOnDevice, match="a wait for a value"):
            x.sum().item()
        with pytest.raises(NotOnDevice, match="einsum calls cuBLAS"):
            dg.einsum("ij,jk,kl->il", x, x, x)
        with pytest.raises(NotOnDevice, match="a copy from the host"):
            dg.tensor(images(2, 2)).to("cuda")


COUNTING = {
    "BatchNorm1d": "running statistics",
    "BatchNorm2d": "running statistics",
    "BatchNorm3d": "running statistics",
    "EmbeddingBag": "bags of any length",
    "MultiMarginLoss": "places of classes are looked at",
    "Sequential": "running statistics",
}
"""Layers that no graph records, and why."""
LAYERS = sorted(name for name, row in ROWS.items() if row.inputs)


def everything(result: Any) -> Iterator[dg.Tensor]:
    if isinstance(result, tuple):
        for part in result:
            yield from everything(part)
    elif result is not None:
        yield result


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_with_weights_can_be_recorded_unless_it_counts(device: None, name: str) -> None:
    build, inputs = ROWS[name]
    layer = build(nn).to("cuda")
    given = [dg.tensor(x).to("cuda").requires_grad_(x.dtype.kind == "f") for x in inputs]

    def run() -> None:
        with dg.autograd.random_scope(0):
            total = sum(x.sum() for x in everything(layer(*given)))
            total.backward()

    run()
    with recorded():
        if name in COUNTING:
            with pytest.raises(NotOnDevice, match=r"a wait for a value|a mask as an index"):
                run()
        else:
            run()
