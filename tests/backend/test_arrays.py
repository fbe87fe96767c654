"""Which array library an array belongs to."""

import sys
from types import SimpleNamespace

import numpy as np

from distgrad.backend import array_namespace, device_name


def test_numpy_is_the_default() -> None:
    assert array_namespace() is np
    assert array_namespace(np.ones(2), 1.0, None, [1]) is np


def test_cupy_is_found_among_loaded_modules_only(monkeypatch) -> None:
    class DeviceArray:
        device = SimpleNamespace(id=1)

    cupy = SimpleNamespace(ndarray=DeviceArray)
    assert array_namespace(DeviceArray()) is np
    monkeypatch.setitem(sys.modules, "cupy", cupy)
    assert array_namespace(np.ones(2)) is np
    assert array_namespace(np.ones(2), DeviceArray()) is cupy
    assert device_name(np.ones(2)) == "cpu"
    assert device_name(DeviceArray()) == "cuda:1"
