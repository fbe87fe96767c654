"""The text of a Tensor."""

import numpy as np
import pytest

import distgrad as dg
from distgrad.tensor.printing import set_printoptions


@pytest.fixture(autouse=True)
def _default_options():
    yield
    set_printoptions(profile="default")


@pytest.mark.parametrize(
    ("tensor", "text"),
    [
        (dg.tensor([1.0, 2.5]), "tensor([1.0000, 2.5000])"),
        (dg.tensor([1.0, -2.0]), "tensor([ 1., -2.])"),
        (dg.tensor(3), "tensor(3)"),
        (dg.tensor(1 / 3), "tensor(0.3333)"),
        (dg.tensor([True, False]), "tensor([ True, False])"),
        (dg.tensor([1.0], dtype=dg.float64), "tensor([1.], dtype=float64)"),
        (dg.tensor([1], dtype=dg.int32), "tensor([1], dtype=int32)"),
        (dg.tensor([1.0], requires_grad=True), "tensor([1.], requires_grad=True)"),
        (dg.ones(1, requires_grad=True) * 2, "tensor([2.], grad_fn=<multiply>)"),
        (dg.tensor([[1, 2], [3, 4]]), "tensor([[1, 2],\n        [3, 4]])"),
        (dg.tensor([[[1]], [[2]]]), "tensor([[[1]],\n\n        [[2]]])"),
        (dg.zeros(0), "tensor([])"),
        (dg.zeros(2, 0), "tensor([], size=(2, 0))"),
        (dg.zeros(0, dtype=dg.int64), "tensor([], dtype=int64)"),
        (dg.zeros(0, 1, dtype=bool), "tensor([], size=(0, 1), dtype=bool)"),
        (dg.tensor([1e-6, 1.0]), "tensor([1.0000e-06, 1.0000e+00])"),
        (dg.tensor([1e9]), "tensor([1.0000e+09])"),
        (dg.tensor([np.nan, 1.5, -np.inf]), "tensor([   nan, 1.5000,   -inf])"),
        (dg.arange(2000), "tensor([   0,    1,    2,  ..., 1997, 1998, 1999])"),
        (
            dg.ones(1000, 2, dtype=dg.int64),
            "tensor([[1, 1],\n        [1, 1],\n        [1, 1],\n        ...,\n"
            "        [1, 1],\n        [1, 1],\n        [1, 1]])",
        ),
    ],
)
def test_repr(tensor, text) -> None:
    assert repr(tensor) == str(tensor) == text


def test_lines_break() -> None:
    text = repr(dg.linspace(0, 1, 21, dtype=dg.float64, requires_grad=True))
    lines = text.split("\n")
    assert len(lines) == 3
    assert max(map(len, lines)) <= 80
    assert lines[1].startswith("        0.")
    assert lines[2] == "        0.9000, 0.9500, 1.0000], dtype=float64, requires_grad=True)"


def test_subclasses() -> None:
    class Special(dg.Tensor):
        __slots__ = ()

    assert repr(Special(np.ones((2, 1)))) == ("Special([[1.],\n         [1.]], dtype=float64)")
    assert repr(dg.nn.Parameter(dg.ones(1))) == (
        "Parameter containing:\ntensor([1.], requires_grad=True)"
    )


def test_options() -> None:
    x = dg.tensor([1 / 3, 100.0])
    set_printoptions(precision=2)
    assert repr(x) == "tensor([  0.33, 100.00])"
    set_printoptions(sci_mode=True)
    assert repr(x) == "tensor([3.33e-01, 1.00e+02])"
    set_printoptions(profile="short", linewidth=20)
    assert repr(x) == "tensor([  0.33,\n        100.00])"
    set_printoptions(profile="full")
    assert "..." not in repr(dg.arange(2000))
    set_printoptions(threshold=3, edgeitems=1)
    assert repr(dg.arange(9)) == "tensor([0,  ..., 8])"
    set_printoptions(edgeitems=0)
    assert repr(dg.arange(9)) == "tensor([...], size=(9,))"
    with pytest.raises(ValueError, match="profile must be one of default, short, full, got 'long'"):
        set_printoptions(profile="long")


def test_numpy_options_do_not_matter() -> None:
    with np.printoptions(precision=1, threshold=1):
        assert repr(dg.tensor([1.25, 2.0, 3.0])) == "tensor([1.2500, 2.0000, 3.0000])"


def test_as_torch_prints() -> None:
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    for options in ({}, {"precision": 2, "linewidth": 40}, {"threshold": 5, "edgeitems": 1}):
        set_printoptions(profile="default", **options)
        torch.set_printoptions(profile="default", **options)
        for shape in [(), (3,), (30,), (2, 3, 4), (1001,), (2, 1000), (5, 20, 30)]:
            for scale in (1, 1e-5, 1e9, 100):
                values = rng.standard_normal(shape) * scale
                special = rng.choice([np.nan, np.inf, -np.inf, 0.0], shape)
                mixed = np.where(rng.random(shape) < 0.2, special, values)
                for array in (values, np.round(values), mixed, values.astype(np.int64)):
                    array = np.asarray(array)
                    if array.dtype == np.float64:
                        array = array.astype(np.float32)
                    assert repr(dg.Tensor(array)) == repr(torch.from_numpy(array))
    torch.set_printoptions(profile="default")
