"""Which array library an array belongs to."""

import subprocess
import sys

import numpy as np
import pytest
from helpers.strict_device import NotOnDevice, double, strict_device

from distgrad.backend import MixedDevices, array_namespace, array_of, to_device
from distgrad.backend.arrays import provide, provider_in_use


def test_numpy_is_the_default() -> None:
    assert array_namespace() is np
    assert array_namespace(np.ones(2), 1.0, None, [1]) is np


def test_the_library_in_use_is_that_of_its_arrays() -> None:
    with strict_device():
        x = to_device(np.ones(2), "cuda")
        assert array_namespace(x, 1.0, np.float32(2), None) is double.xp
        assert array_namespace(np.ones(2)) is np
        assert array_of(x) is x
    assert array_namespace(x) is np  # nobody provides it any more
    assert array_of(np.float32(1)).shape == ()


def test_devices_do_not_mix() -> None:
    with strict_device():
        first, second = (to_device(np.ones(2), place) for place in ("cuda:0", "cuda:1"))
        for values, named in (((first, np.ones(2)), "cpu and cuda:0"), ((first, second), "cuda:1")):
            with pytest.raises(MixedDevices, match=rf"arrays on .*{named} in one operation; move"):
                array_namespace(*values)
        with pytest.raises(MixedDevices, match=r"on cuda:1 while this thread computes on cuda:0"):
            array_namespace(second)
        with double.using(1):
            assert array_namespace(second) is double.xp


def test_cupy_is_found_where_somebody_has_imported_it() -> None:
    code = """
import sys, types
import numpy as np
from distgrad.backend import array_namespace, device_name

class Array:
    data = types.SimpleNamespace(device_id=1)

cupy = types.ModuleType("cupy")
cupy.ndarray = Array
cupy.cuda = types.SimpleNamespace(runtime=types.SimpleNamespace(getDevice=lambda: 1))
assert array_namespace(Array()) is np
sys.modules["cupy"] = cupy
assert array_namespace(np.ones(2)) is np
assert array_namespace(1.0, Array()) is cupy
assert device_name(Array()) == "cuda:1"
"""
    subprocess.run([sys.executable, "-c", code], timeout=60, check=True)


def test_the_double_refuses_what_waits_or_mixes() -> None:
    with strict_device():
        x = to_device(np.arange(3.0), "cuda")
        for read in (float, int, bool, list, np.asarray, np.sum, lambda x: x.item()):
            with pytest.raises(NotOnDevice, match=r"of an array on the device|one by one"):
                read(x[1:2] if read in (float, int, bool) else x)
        with pytest.raises(TypeError, match="Unsupported type"):
            x + np.ones(3)
        with pytest.raises(TypeError, match="Unsupported type"):
            np.ones(3) + x
        with pytest.raises(NotOnDevice, match="nobody notices that on a GPU"):
            x[double.xp.asarray([3])]
        with pytest.raises(NotOnDevice, match="two writes to one element"):
            x[double.xp.asarray([1, 1])] = 0
        with pytest.raises(TypeError, match=r"cupy.max\(\) got an unexpected keyword .*'initial'"):
            double.xp.max(x, initial=0)
        for missing in ("errstate", "ndindex", "einsum_path"):
            assert not hasattr(double.xp, missing)
        assert not hasattr(double.xp.add, "at")


def test_the_doubles_names_are_cupys() -> None:
    pytest.importorskip("cupy")
    from helpers import cupy_api

    assert cupy_api.of_cupy() == cupy_api.FILE.read_text().splitlines()


def test_a_blocked_import_of_cupy_is_no_library(monkeypatch: pytest.MonkeyPatch) -> None:
    before = provide(None)
    try:
        monkeypatch.setitem(sys.modules, "cupy", None)
        assert array_namespace(np.ones(2), 1.0) is np
        assert array_of(np.float32(1)).shape == ()
    finally:
        provide(before)


def test_who_sees_a_provider_sees_its_type_too(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    class Late:
        @property
        def xp(self):
            seen.append(provider_in_use())
            return double.xp

    before = provide(None)
    try:
        monkeypatch.setitem(sys.modules, "cupy", None)
        provide(Late())
    finally:
        provide(before)
    assert seen == [None]
