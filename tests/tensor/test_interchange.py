"""The ways out of the engine: arrays, Python numbers, DLPack; and back."""

import gc
import weakref

import numpy as np
import pytest

import distgrad as dg


def test_numpy_shares_the_memory() -> None:
    x = dg.tensor([1.0, 2.0])
    assert x.numpy() is x.data
    assert x.numpy(force=True) is x.data
    leaf = dg.ones(2, requires_grad=True)
    assert leaf.numpy(force=True) is leaf.data
    assert leaf.detach().numpy() is leaf.data


def test_array_protocol() -> None:
    x = dg.tensor([1.0, 2.0])
    assert np.asarray(x) is x.data
    assert np.asarray(x, dtype=np.float64).dtype == np.float64
    assert not np.shares_memory(np.array(x), x.data)
    assert np.shares_memory(np.array(x, copy=False), x.data)
    with pytest.raises(ValueError, match="copy"):
        np.array(x, dtype=np.float64, copy=False)
    assert np.concatenate([x, x]).tolist() == [1, 2, 1, 2]


@pytest.mark.parametrize("shape", [(3,), (2, 3), (), (0, 2)])
@pytest.mark.parametrize("dtype", [dg.float16, dg.float32, dg.int64, dg.uint8, bool])
def test_dlpack_shares_the_memory(shape, dtype) -> None:
    x = dg.ones(shape, dtype=dtype)
    array = np.from_dlpack(x)
    back = dg.from_dlpack(x)
    assert array.dtype == back.dtype == x.dtype
    assert array.shape == back.shape == shape
    if x.numel():
        x[...] = 0
        assert not array.any()
        assert not back.any()
    assert x.__dlpack_device__() == (1, 0)


def test_dlpack_strides_and_lifetime() -> None:
    x = dg.arange(6).reshape(2, 3)
    assert np.from_dlpack(x.T).tolist() == x.T.tolist()
    owner = weakref.ref(x.data)
    array = np.from_dlpack(x)
    del x
    gc.collect()
    assert array.tolist() == [[0, 1, 2], [3, 4, 5]]
    assert owner() is None or owner().tolist() == array.tolist()


def test_dlpack_copies_as_asked() -> None:
    x = dg.ones(3)
    assert not np.shares_memory(np.from_dlpack(x, copy=True), x.data)
    assert np.shares_memory(np.from_dlpack(x, copy=False, device="cpu"), x.data)


def test_dlpack_of_read_only_memory() -> None:
    x = dg.tensor([1.0, 2.0])
    x.data.flags.writeable = False
    assert not np.from_dlpack(x).flags.writeable
    with pytest.raises(BufferError, match="readonly"):
        x.__dlpack__()  # as of consumers that do not know of read-only memory


@pytest.mark.parametrize(
    ("run", "error", "message"),
    [
        (lambda x: x.numpy(), RuntimeError, r"detach\(\)\.numpy\(\), or tensor\.numpy\(force=True"),
        (np.asarray, RuntimeError, r"detach\(\)"),
        (np.from_dlpack, BufferError, r"requires a gradient is not exported.*use tensor\.detach\("),
        (dg.from_dlpack, BufferError, r"use tensor\.detach\(\)"),
    ],
)
def test_what_a_graph_needs_stays_inside(run, error, message) -> None:
    with pytest.raises(error, match=message):
        run(dg.ones(2, requires_grad=True))


def test_numbers() -> None:
    x = dg.tensor([[2.5]])
    assert (x.item(), float(x), int(x), complex(x), bool(x)) == (2.5, 2.5, 2, 2.5, True)
    assert isinstance(x.item(), float)
    assert isinstance(dg.tensor(True).item(), bool)
    assert isinstance(dg.tensor(1).item(), int)
    assert not dg.tensor(0.0)
    assert float(dg.ones((), requires_grad=True)) == 1
    assert list(range(5))[dg.tensor(3)] == 3
    assert "ab"[dg.tensor([True])] == "b"
    assert dg.tensor(1.5).tolist() == 1.5
    assert dg.ones(0, 2).tolist() == []


@pytest.mark.parametrize(
    ("run", "error", "message"),
    [
        (lambda: dg.ones(2).item(), RuntimeError, r"1 element is a number.*has 2 and shape \(2,\)"),
        (lambda: float(dg.ones(2)), ValueError, r"use tolist\(\), or choose an element"),
        (lambda: int(dg.ones(0)), ValueError, r"this one has 0 and shape \(0,\)"),
        (lambda: complex(dg.ones(2)), ValueError, "only a tensor of 1 element is a number"),
        (lambda: bool(dg.ones(2)), RuntimeError, r"2 elements is ambiguous; use \.any\(\)"),
        (lambda: bool(dg.ones(0)), RuntimeError, "0 elements is ambiguous"),
        (lambda: [1, 2][dg.tensor(1.0)], TypeError, r"integer tensor.*float32 and shape \(\)"),
        (lambda: [1, 2][dg.arange(2)], TypeError, r"int64 and shape \(2,\)"),
    ],
)
def test_what_is_no_number(run, error, message) -> None:
    with pytest.raises(error, match=message):
        run()


def test_with_torch() -> None:
    torch = pytest.importorskip("torch")
    x = dg.tensor([[1.0, 2.0], [3.0, 4.0]])
    there = torch.from_dlpack(x.T)
    assert there.tolist() == x.T.tolist()
    there[0, 0] = 7
    assert x[0, 0].item() == 7
    back = dg.from_dlpack(there)
    assert np.shares_memory(back.data, x.data)
    back.zero_()
    assert there.tolist() == [[0, 0], [0, 0]]
    for dtype in (torch.float16, torch.float64, torch.int8, torch.uint8, torch.bool):
        values = torch.ones(2, 3, dtype=dtype)
        assert dg.from_dlpack(values).dtype.name == str(dtype)[6:]
        assert torch.equal(torch.from_dlpack(dg.from_dlpack(values)), values)
    assert dg.asarray(torch.ones(2)).dtype == np.float32
    assert dg.tensor(torch.ones(2, dtype=torch.int32)).dtype == np.int32
    assert torch.as_tensor(x.numpy()).tolist() == x.tolist()
    with pytest.raises((BufferError, RuntimeError), match="grad"):
        dg.from_dlpack(torch.ones(2, requires_grad=True))
    with pytest.raises((BufferError, RuntimeError, TypeError)):
        dg.from_dlpack(torch.ones(2, dtype=torch.bfloat16))
    with pytest.raises(TypeError, match="two tensors"):
        dg.from_dlpack(torch.ones(2, dtype=torch.complex64))
