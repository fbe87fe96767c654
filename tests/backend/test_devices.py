"""Moving arrays, and what is said where a device is not there."""

import sys

import numpy as np
import pytest
from helpers.strict_device import double, strict_device

import distgrad as dg
from distgrad.backend import arrays, device_name, devices, to_device, to_host
from distgrad.errors import DeviceError, UsageError


def test_arrays_go_there_and_back() -> None:
    x = np.arange(6.0).reshape(2, 3)
    with strict_device():
        there = to_device(x, "cuda:1")
        assert (device_name(x), device_name(there), device_name(1.0)) == ("cpu", "cuda:1", "cpu")
        assert to_device(there, "cuda:1") is there
        assert device_name(to_device(there, "cuda")) == "cuda:0"
        np.testing.assert_array_equal(to_host(to_device(there, "cuda:0")), x)
        assert (to_host(x) is x, to_device(x, "cpu") is x) == (True, True)
        before = double.calls["synchronize"]
        devices.synchronize(x)
        devices.synchronize(there)
        assert double.calls["synchronize"] == before + 1


def test_a_thread_computes_on_the_gpu_that_it_chose() -> None:
    with strict_device():
        assert dg.cuda.is_available()
        assert (dg.cuda.device_count(), dg.cuda.current_device()) == (2, 0)
        with dg.cuda.device(1), dg.cuda.device("cpu"):
            assert dg.zeros(2, device="cuda").device == "cuda:1"
        dg.cuda.set_device("cuda:1")
        assert dg.cuda.current_device() == 1
        assert dg.ones(2).cuda().add(1).device == "cuda:1"
        dg.cuda.synchronize()
        dg.cuda.set_device(0)
        devices.set_device("cpu")
        assert dg.cuda.current_device() == 0
        assert devices.namespace_of("cuda") is double.xp


def test_a_gpu_that_is_not_there() -> None:
    with strict_device(), pytest.raises(DeviceError, match="there are 2 GPUs here, cuda:0 to"):
        to_device(np.ones(1), "cuda:2")
    for name in ("gpu", "cuda:x", "cuda:", ""):
        with pytest.raises(DeviceError, match=r"a device is 'cpu', or 'cuda' with a number"):
            devices.read_device(name)


def test_without_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    with strict_device():
        monkeypatch.setattr(double, "count", lambda: 0)
        assert not dg.cuda.is_available()
        with pytest.raises(
            DeviceError, match=r"'cuda': there is no GPU, or no driver .*nvidia-smi"
        ):
            dg.ones(1).cuda()


def test_without_cupy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cupy", None)
    before = arrays.provide(None)
    try:
        monkeypatch.setattr(arrays, "_modules", {})
        assert dg.cuda.device_count() == 0
        with pytest.raises(
            DeviceError, match=r"pip install 'distgrad\[cuda12\]'.*device='cpu'"
        ) as e:
            dg.zeros(2, device="cuda")
        assert isinstance(e.value, UsageError)
    finally:
        arrays.provide(before)
