"""Every public operator on the strict double of a GPU: what it gives on the host, and gradients.

The calls are those of ``docs/operators.py``, which has one for each.
"""

import importlib.util
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from helpers.pages import DOCS
from helpers.strict_device import strict_device

import distgrad as dg
import distgrad.nn.functional as F
from distgrad import functional, linalg, special
from distgrad.backend import to_host

spec = importlib.util.spec_from_file_location("operators_page", DOCS / "operators.py")
operators = importlib.util.module_from_spec(spec)
spec.loader.exec_module(operators)

CALLS = [
    pytest.param(getattr(functions, name), call, id=f"{functions.__name__}.{name}")
    for functions, table in (
        (functional, operators.FUNCTIONS),
        (dg.Tensor, operators.METHODS),
        (linalg, operators.LINALG),
        (special, operators.SPECIAL),
        (F, operators.NETWORK),
    )
    for call, names in table.items()
    for name in names.split()
]

# Their sums are added up in another order on a device.
ROUNDED = {"embedding", "embedding_bag", "logcumsumexp"}


@pytest.fixture(autouse=True)
def double() -> Iterator[None]:
    with strict_device():
        yield


def results(function: Any, call: str, device: str) -> list[np.ndarray]:
    """The values, and gradients of two orders."""
    kinds = ("float64", "int64", "bool")
    dtype = next(d for d in kinds if operators.outcome(function, call, d) is not None)
    given = {
        name: x.detach().to(device).requires_grad_(x.requires_grad)
        if isinstance(x, dg.Tensor)
        else x
        for name, x in operators.arguments(dtype).items()
    }
    dg.manual_seed(0)
    value = eval(f"function({call})", {"function": function, **given})
    found = list(operators.tensors(value))
    outputs = [y for y in found if y.requires_grad]
    leaves = [x for x in given.values() if isinstance(x, dg.Tensor) and x.requires_grad]
    for _ in range(2):
        if outputs:
            total = sum((y * y).sum() for y in outputs)
            grads = dg.autograd.grad(total, leaves, create_graph=True, allow_unused=True)
            outputs = [g for g in grads if g is not None and g.requires_grad]
            found += outputs
    assert all(x.device.type == device for x in found), "a result lies elsewhere"
    return [to_host(x.data) for x in found]


@pytest.mark.parametrize(("function", "call"), CALLS)
def test_an_operator_gives_what_the_host_does(function: Any, call: str) -> None:
    expected, found = (results(function, call, device) for device in ("cpu", "cuda"))
    assert len(found) == len(expected)
    for a, b in zip(found, expected, strict=True):
        assert (a.shape, a.dtype) == (b.shape, b.dtype)
        if function.__name__ in ROUNDED:
            np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-14)
        else:
            np.testing.assert_array_equal(a, b)
