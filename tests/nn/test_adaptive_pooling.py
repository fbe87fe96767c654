from typing import Any

import numpy as np
import pytest

import distgrad as dg
import distgrad.nn.functional as F


@pytest.mark.parametrize("kind", ["Avg", "Max"])
@pytest.mark.parametrize(("axes", "size"), [(1, 3), (1, (2,)), (2, 3), (2, (None, 2))])
def test_layers_are_their_functions(kind: str, axes: int, size: Any) -> None:
    x = dg.randn(2, 3, *(7, 5)[:axes])
    layer = getattr(dg.nn, f"Adaptive{kind}Pool{axes}d")(size)
    function = getattr(F, f"adaptive_{kind.lower()}_pool{axes}d")
    np.testing.assert_array_equal(layer(x).data, function(x, size).data)
    assert not layer.state_dict()


def test_places() -> None:
    x = dg.randn(2, 3, 7)
    values, places = dg.nn.AdaptiveMaxPool1d(2, return_indices=True)(x)
    np.testing.assert_array_equal(values.data, x.gather(2, places).data)
    assert dg.nn.AdaptiveMaxPool2d(2, True)(x)[1].shape == (2, 2, 2)


@pytest.mark.parametrize("name", ["AdaptiveAvgPool1d", "AdaptiveMaxPool2d"])
def test_representations_are_pytorchs(name: str) -> None:
    torch = pytest.importorskip("torch")
    for size in (3, (2,)):
        assert repr(getattr(dg.nn, name)(size)) == repr(getattr(torch.nn, name)(size))
