from typing import Any

import numpy as np
import pytest

import distgrad as dg

MODES = {"Reflection": "reflect", "Replication": "edge", "Circular": "wrap"}


@pytest.mark.parametrize("kind", MODES)
def test_copies_are_numpys(kind: str) -> None:
    x = np.random.default_rng(0).standard_normal((2, 3, 4, 5))
    signals = getattr(dg.nn, f"{kind}Pad1d")((2, 1))(dg.Tensor(x[0]))
    images = getattr(dg.nn, f"{kind}Pad2d")((2, 1, 0, 3))(dg.Tensor(x))
    mode: Any = MODES[kind]
    np.testing.assert_array_equal(signals.data, np.pad(x[0], [(0, 0), (0, 0), (2, 1)], mode))
    np.testing.assert_array_equal(images.data, np.pad(x, [(0, 0), (0, 0), (0, 3), (2, 1)], mode))


def test_values_are_numpys() -> None:
    x = np.random.default_rng(0).standard_normal((2, 3, 4))
    widths = [(0, 0), (2, 2), (2, 2)]
    for layer, value in (
        (dg.nn.ConstantPad2d(2, 1.5), 1.5),
        (dg.nn.ZeroPad2d(2), 0.0),
    ):
        expected = np.pad(x, widths, constant_values=value)
        np.testing.assert_array_equal(layer(dg.Tensor(x)).data, expected)
    assert dg.nn.ZeroPad1d((-1, 0))(dg.ones(1, 3)).tolist() == [[1, 1]]
    assert dg.nn.ConstantPad1d(1, 2.0)(dg.ones(1)).tolist() == [2, 1, 2]


@pytest.mark.parametrize("kind", ["Zero", "Constant", *MODES])
@pytest.mark.parametrize("axes", [1, 2])
def test_representations_are_pytorchs(kind: str, axes: int) -> None:
    torch = pytest.importorskip("torch")
    name = f"{kind}Pad{axes}d"
    value = (3.5,) if kind == "Constant" else ()
    for padding in (1, tuple(range(2 * axes))):
        own, theirs = (getattr(nn, name)(padding, *value) for nn in (dg.nn, torch.nn))
        assert repr(own) == repr(theirs)
        assert own.padding == theirs.padding


def test_refusals() -> None:
    with pytest.raises(
        ValueError, match=r"ZeroPad1d: .* integer or \(left, right\), got \(1, 2, 3\)"
    ):
        dg.nn.ZeroPad1d((1, 2, 3))
    with pytest.raises(ValueError, match=r"Pad2d: .* \(left, right, top, bottom\), got \(1, 2.5"):
        dg.nn.ReflectionPad2d((1, 2.5, 1, 1))  # type: ignore[list-item]
    with pytest.raises(ValueError, match=r"CircularPad1d: .* \(N, C, L\) or \(C, L\), got \(3,\)"):
        dg.nn.CircularPad1d(1)(dg.ones(3))
