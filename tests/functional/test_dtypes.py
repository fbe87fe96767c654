"""What is said of data types."""

import itertools

import numpy as np
import pytest

import distgrad as dg

NAMES = ["bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64"]


def test_promotion() -> None:
    assert dg.promote_types(dg.int64, dg.float16) == np.float16
    assert dg.promote_types(dg.uint8, dg.int8) == np.int16
    assert dg.promote_types(bool, bool) == np.bool_
    assert dg.result_type(dg.arange(2), 1.5) == np.float32
    assert dg.result_type(dg.ones(2, dtype=dg.float16), dg.tensor(1.0)) == np.float16
    assert dg.result_type(dg.arange(2, dtype=dg.int8), 3) == np.int8
    assert dg.result_type(1, 2.0) == np.float32


def test_no_integer_holds_the_largest_and_negative_ones() -> None:
    message = "no integer type holds uint64 and int64; convert one of the operands"
    with pytest.raises(RuntimeError, match=message):
        dg.promote_types(dg.uint64, dg.int64)
    with pytest.raises(RuntimeError, match=message):
        dg.ones(2, dtype=dg.uint64) + dg.ones(2, dtype=dg.int64)
    with pytest.raises(TypeError, match="complex64"):
        dg.promote_types("complex64", dg.int64)


def test_casts_that_keep_the_category() -> None:
    assert dg.can_cast(dg.float64, dg.float16)
    assert dg.can_cast(dg.int64, dg.uint8)
    assert dg.can_cast(bool, dg.int8)
    assert not dg.can_cast(dg.float16, dg.int64)
    assert not dg.can_cast(dg.int8, bool)


def test_limits() -> None:
    assert dg.finfo(dg.float32).eps == 2.0**-23
    assert dg.finfo().max == float(np.finfo(np.float32).max)
    assert type(dg.finfo(dg.float16).min) is float
    assert dg.finfo(dg.float64).tiny == dg.finfo(dg.float64).smallest_normal == 2.0**-1022
    assert (dg.finfo(dg.float16).bits, dg.finfo(dg.float16).dtype) == (16, "float16")
    assert dg.finfo(dg.float16).resolution == 1e-3
    assert (dg.iinfo(dg.uint8).min, dg.iinfo(dg.uint8).max, dg.iinfo(dg.uint8).bits) == (0, 255, 8)
    assert repr(dg.iinfo(dg.int8)) == "iinfo(min=-128, max=127, dtype=int8)"
    assert repr(dg.finfo(dg.float16)) == (
        "finfo(resolution=0.001, min=-65504, max=65504, eps=0.000976562, "
        "smallest_normal=6.10352e-05, tiny=6.10352e-05, dtype=float16)"
    )
    with pytest.raises(
        TypeError, match=r"finfo\(\) takes a floating-point type, not int64; use ii"
    ):
        dg.finfo(dg.int64)
    for dtype in (dg.float32, bool):
        with pytest.raises(TypeError, match=r"iinfo\(\) takes an integer type, not .*; use finfo"):
            dg.iinfo(dtype)


def test_default() -> None:
    assert dg.get_default_dtype() == np.float32
    dg.set_default_dtype(dg.float32)
    with pytest.raises(RuntimeError, match="is float32, and no setting; for float64 pass dtype"):
        dg.set_default_dtype(dg.float64)


def test_of_tensors() -> None:
    assert dg.is_tensor(dg.ones(1))
    assert dg.is_tensor(dg.nn.Parameter(dg.ones(1)))
    assert not dg.is_tensor(np.ones(1))
    assert dg.numel(dg.ones(2, 3)) == 6
    assert dg.is_floating_point(dg.ones(1))
    assert not dg.is_floating_point(dg.arange(1))


def test_as_in_torch() -> None:
    torch = pytest.importorskip("torch")

    def name(dtype) -> str:
        return str(dtype).removeprefix("torch.")

    for a, b in itertools.product(NAMES, NAMES):
        theirs = getattr(torch, a), getattr(torch, b)
        assert name(torch.promote_types(*theirs)) == dg.promote_types(a, b).name
        assert torch.can_cast(*theirs) == dg.can_cast(a, b)
        for ndims in itertools.product((0, 1), (0, 1)):
            x, y = (torch.ones((2,) * n, dtype=d) for n, d in zip(ndims, theirs, strict=True))
            own = (dg.ones((2,) * n, dtype=d) for n, d in zip(ndims, (a, b), strict=True))
            assert name(torch.result_type(x, y)) == dg.result_type(*own).name
    for a, number in itertools.product(NAMES, (True, 2, 2.5)):
        x = torch.ones(2, dtype=getattr(torch, a))
        assert (
            name(torch.result_type(x, number)) == dg.result_type(dg.ones(2, dtype=a), number).name
        )
    for a in NAMES:
        for limits, their_limits in ((dg.finfo, torch.finfo), (dg.iinfo, torch.iinfo)):
            try:
                theirs = their_limits(getattr(torch, a))
            except TypeError:
                with pytest.raises(TypeError):
                    limits(a)
                continue
            own = limits(a)
            for field in vars(own):
                if hasattr(theirs, field):
                    assert getattr(own, field) == getattr(theirs, field), (a, field)
