"""Kernels in CUDA C on arrays of bfloat16: what the references make of them, rounded once."""

from types import ModuleType
from typing import Any

import numpy as np
import pytest
from helpers import emulator
from helpers.device_with_kernels import device_with_kernels
from helpers.fake_cublaslt import FakeCublasLt
from helpers.halves import NEEDS_BFLOAT16, half
from helpers.kernel_cases import KernelCase, all_cases, arguments, compared, types_of
from helpers.strict_device import double

import distgrad as dg
import distgrad.nn.functional as F
from distgrad.backend import to_device, to_host
from distgrad.backend.kernels.cuda import load_column, products
from distgrad.distributed import DataParallel, SingleProcess
from distgrad.training.models.gpt import GPT

pytestmark = [
    NEEDS_BFLOAT16,
    pytest.mark.skipif(
        not emulator.available(), reason="no g++ here to compile CUDA C for the host"
    ),
]
COLUMN = load_column()
CASES = [case for case in all_cases() if "bfloat16" in types_of(case)]


def in_double(value: Any) -> Any:
    """Arrays and numbers of bfloat16 in float64."""
    return value.astype(np.float64) if getattr(value, "dtype", None) == half("bf16") else value


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_kernel_takes_bfloat16(xp: ModuleType, case: KernelCase) -> None:
    given = arguments(case, "bfloat16")
    with np.errstate(all="ignore"):
        found = COLUMN[case.kernel.name](xp, *given, **case.attributes)
    assert found is not NotImplemented
    wide = [in_double(x) for x in arguments(case, "bfloat16")]
    with np.errstate(all="ignore"):
        wanted = case.kernel.reference(np, *wide, **case.attributes)
    pairs = zip(compared(case, given, found), compared(case, wide, wanted), strict=True)
    for ours, theirs in pairs:
        theirs = np.asarray(theirs)
        assert (ours.shape, ours.dtype) == (theirs.shape, half("bf16"))
        distance = np.linalg.norm((in_double(ours) - theirs).ravel())
        assert distance <= 0.02 * max(np.linalg.norm(theirs.ravel()), 1e-3)


def trained(device: str, dropout: float) -> Any:
    """The losses and the parameters of a small language model."""
    dg.manual_seed(0)
    net = GPT(vocabulary=23, context=32, width=32, heads=2, layers=2, dropout=dropout).to(device)
    model = DataParallel(net, SingleProcess(), precision="bf16")
    optimizer = dg.optim.AdamW(model.parameters(), lr=1e-2)
    tokens = dg.tensor(np.arange(4 * 32).reshape(4, 32) * 7 % 23).to(device)
    losses = []
    for _ in range(3):

        def loss(batch: Any) -> Any:
            scores = model(batch.x).reshape(-1, 23)
            wanted = batch.x.roll(-1, 1).reshape(-1)
            return F.cross_entropy(scores, wanted, reduction="sum"), wanted.numel()

        data = dg.data.TensorDataset(x=tokens)
        (window,) = dg.data.GlobalBatches(data, 4, 2)
        result = model.accumulate(loss, window)
        assert result.finite
        losses.append(result.loss)
        optimizer.step()
    return losses, [to_host(p.data) for p in model.parameters()]


@pytest.mark.parametrize("dropout", [0.0, 0.1])
def test_a_language_model_trains_in_bfloat16_by_kernels(
    monkeypatch: pytest.MonkeyPatch, dropout: float
) -> None:
    """What kernels do not do is computed in float32: the double refuses it in bfloat16."""
    found = FakeCublasLt()
    monkeypatch.setattr(products, "library", lambda: found)
    plain, _ = trained("cpu", dropout)
    with device_with_kernels() as graphs:
        losses, parameters = trained("cuda", dropout)
    assert graphs.launched > 100
    np.testing.assert_allclose(losses, plain, rtol=1e-2)
    assert losses[-1] < losses[0]
    assert {x.dtype for x in parameters} == {np.dtype(np.float32)}


# Ops call `product_into` on what they have made, which is float32.
@pytest.mark.parametrize(
    "case", [case for case in CASES if case.kernel.name != "product_into"], ids=str
)
def test_a_launcher_does_not_compute_in_bfloat16(case: KernelCase) -> None:
    """Nor does what stands in where there is no cublasLt, or the kernel does not serve."""
    with device_with_kernels():
        given = [_moved(x) for x in arguments(case, "bfloat16")]
        attributes = {name: _moved(value) for name, value in case.attributes.items()}
        case.kernel(double.xp, *given, **attributes)


def _moved(value: Any) -> Any:
    return to_device(value, "cuda") if isinstance(value, np.ndarray) else value
