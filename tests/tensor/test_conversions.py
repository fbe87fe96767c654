"""Data types, devices and what a tensor says of its memory."""

import numpy as np
import pytest

import distgrad as dg

NAMES = {
    "half": np.float16,
    "float": np.float32,
    "double": np.float64,
    "byte": np.uint8,
    "char": np.int8,
    "short": np.int16,
    "int": np.int32,
    "long": np.int64,
    "bool": np.bool_,
}


@pytest.mark.parametrize(("name", "dtype"), NAMES.items())
def test_types_by_name(name, dtype) -> None:
    x = dg.tensor([[1.7, 0.0]], dtype=dg.float64, requires_grad=True)
    y = getattr(x, name)()
    assert y.dtype == dtype
    assert y.tolist() == np.array([[1.7, 0.0]]).astype(dtype).tolist()
    assert y.requires_grad == np.issubdtype(dtype, np.floating)
    assert getattr(y, name)() is y
    if name in dg.__all__:
        assert getattr(dg, name) is dtype


def test_to_a_data_type() -> None:
    x = dg.tensor([1.7], requires_grad=True)
    assert not x.to(dg.int64).requires_grad
    assert x.astype(dg.float64).requires_grad
    for same in (x.to(dg.float32), x.to("float32"), x.to(x), x.to("cpu"), x.to(), x.to(None)):
        assert same is x
    assert x.to(dtype=dg.float32, device="cpu", non_blocking=True) is x
    for double in (
        x.to("float64"),
        x.to(float),
        x.to(np.dtype("f8")),
        x.to("cpu", dg.float64),
        x.to("cpu", dtype=dg.float64),
        x.to(dg.device("cpu"), dg.float64, True),
        x.to(dg.ones(1, dtype=dg.float64)),
        x.type(dg.float64),
        x.type_as(dg.ones(1, dtype=dg.float64)),
    ):
        assert double.dtype == np.float64
        assert double.grad_fn is not None
    assert x.cpu() is x


def test_to_copies_when_asked() -> None:
    x = dg.ones(2)
    for copied in (
        x.to(dg.float32, copy=True),
        x.to(dg.float32, False, True),
        x.to("cpu", None, False, True),
        x.to("cpu", False, True),
        x.to(x, copy=True),
        x.to(copy=True),
    ):
        assert copied is not x
        assert not np.shares_memory(copied.data, x.data)
        assert copied.dtype == np.float32


def test_to_refuses() -> None:
    x = dg.ones(2)
    for given in (
        lambda: x.to(dg.float32, dtype=dg.float64),
        lambda: x.to(x, dg.float64, True, True),
        lambda: x.to(dg.float32, True, True, True),
    ):
        with pytest.raises(TypeError, match=r"to\(\) takes a data type, a device with or without"):
            given()
    with pytest.raises(TypeError, match="no data type"):
        x.to("tensor")
    with pytest.raises(RuntimeError, match="got 'mps'"):
        x.to("mps")


def test_gradients_have_the_type_of_their_tensor() -> None:
    x = dg.ones(2, requires_grad=True)
    (x.double() * 2).sum().backward()
    assert x.grad.dtype == np.float32
    assert x.grad.tolist() == [2, 2]


def test_type_tells_the_old_name() -> None:
    assert dg.ones(1).type() == "distgrad.FloatTensor"
    assert dg.ones(1, dtype=dg.uint16).type() == "distgrad.UInt16Tensor"


def test_memory() -> None:
    x = dg.zeros(2, 3, dtype=dg.float64)
    assert (x.element_size(), x.itemsize, x.nbytes) == (8, 8, 48)
    assert (x.numel(), x.nelement(), x.dim(), x.ndimension()) == (6, 6, 2, 2)
    assert (x.stride(), x.stride(0), x.stride(-1)) == ((3, 1), 3, 1)
    assert x.T.stride() == (1, 3)
    assert x.data_ptr() == x.T.data_ptr() == x[1].data_ptr() - 24
    assert dg.ones(2, 1).expand(2, 4).stride() == (1, 0)
    assert x.is_floating_point()
    assert not dg.arange(2).is_floating_point()
    assert not x.is_complex()
    assert [t.is_signed() for t in (x, x.long(), x.bool(), x.byte())] == [True, True, False, False]


def test_device() -> None:
    x = dg.ones(1)
    assert x.device == "cpu" == str(x.device)
    assert x.device == dg.device("cpu")
    assert (x.device.type, x.device.index) == ("cpu", None)
    assert (x.is_cpu, x.is_cuda) == (True, False)
    other = dg.device("cuda:1")
    assert (other.type, other.index, other == dg.device("cuda", 1)) == ("cuda", 1, True)
    assert repr(other) == "device(type='cuda', index=1)"
    assert repr(x.device) == "device(type='cpu')"
    assert type(x.device.type) is str
    for wrong in ("tpu", "cuda:x", "cpu:0:1", ""):
        with pytest.raises(RuntimeError, match=r"a device is 'cpu', or 'cuda' with a number"):
            dg.device(wrong)
    with pytest.raises(RuntimeError, match="a device is"):
        dg.device("cuda:1", 2)
