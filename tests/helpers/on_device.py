"""A pytest plugin, ``-p helpers.on_device``: the tests run with every Tensor on the strict double.

A test may read Tensors as it does on the CPU, and hand in arrays of NumPy, as if it had moved them.
distgrad itself may not: whatever of its code reads a value in passing, or mixes, fails.
"""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers import strict_device
from helpers.strict_device import device_array

import distgrad as dg
from distgrad.backend import to_device

PACKAGE = str(Path(dg.__file__).parent)
OWN = (strict_device.__file__, __file__)


def asked_by_distgrad() -> bool:
    """Whether the code that asks, behind this file and the double, is distgrad's."""
    frame = sys._getframe(1)
    while frame.f_code.co_filename in OWN:
        frame = frame.f_back
    return frame.f_code.co_filename.startswith(PACKAGE)


class _WithoutTorch:
    """Tests against PyTorch would have to move its tensors."""

    def find_spec(self, name: str, *_: Any) -> None:
        if name == "torch":
            raise ModuleNotFoundError("PyTorch stays out of tests on the double", name=name)


def on_host(value: Any) -> Any:
    if isinstance(value, device_array):
        return value._host
    return type(value)(map(on_host, value)) if type(value) in (tuple, list) else value


def allow(name: str, read: Callable[..., Any]) -> None:
    """Let tests do what the double refuses."""
    strict = getattr(device_array, name)

    def method(self: device_array, *args: Any, **kwargs: Any) -> Any:
        return (strict if asked_by_distgrad() else read)(self, *args, **kwargs)

    setattr(device_array, name, method)


def of_numpy(self: device_array, function: Any, method: str, *args: Any, **kwargs: Any) -> Any:
    """A ufunc of NumPy with arrays of the double."""
    if any(hasattr(x, "node") for x in args):
        return NotImplemented
    if asked_by_distgrad():
        return device_array.__array__(self)
    return getattr(function, method)(*on_host(args), **kwargs)


def pytest_configure() -> None:
    sys.meta_path.insert(0, _WithoutTorch())
    for name in ("__bool__", "__float__", "__int__", "__index__", "item", "tolist", "tobytes"):
        allow(name, lambda self, *args, name=name: getattr(self._host, name)(*args))
    allow("__array__", lambda self, *args, **kwargs: self._host.__array__(*args, **kwargs))
    allow("__array_function__", lambda _, f, types, args, kwargs: f(*on_host(args), **kwargs))
    allow("__iter__", lambda self: map(strict_device._wrapped, self._host))
    device_array.__array_ufunc__ = of_numpy
    refuse = strict_device._unwrapped
    strict_device._unwrapped = lambda value: (
        value if isinstance(value, np.ndarray) and not asked_by_distgrad() else refuse(value)
    )


def moved(data: Any) -> Any:
    return to_device(np.asarray(data), "cuda") if type(data) in (np.ndarray, *_SCALARS) else data


_SCALARS = tuple(np.sctypeDict.values())


@pytest.fixture(autouse=True)
def everything_on_the_device(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Whatever makes a Tensor of an array of NumPy makes it on the double."""
    make, wrap, numpy = dg.Tensor.__init__, dg.Tensor.of, dg.Tensor.numpy

    def make_there(self: dg.Tensor, data: Any, requires_grad: bool = False) -> None:
        make(self, moved(data), requires_grad)

    def wrap_there(data: Any, node: Any = None) -> dg.Tensor:
        return wrap(moved(data), node)

    def read(self: dg.Tensor, *, force: bool = False) -> np.ndarray:
        return numpy(self.detach() if force else self, force=not asked_by_distgrad())

    def as_numpy(self: dg.Tensor, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(read(self), dtype, copy=copy)

    with strict_device.strict_device():
        monkeypatch.setattr(dg.Tensor, "__init__", make_there)
        monkeypatch.setattr(dg.Tensor, "of", staticmethod(wrap_there))
        monkeypatch.setattr(dg.Tensor, "_wrap", staticmethod(wrap_there))
        monkeypatch.setattr(dg.Tensor, "numpy", read)
        monkeypatch.setattr(dg.Tensor, "__array__", as_numpy)
        yield
