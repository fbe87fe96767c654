from typing import Any

import numpy as np
import pytest

import distgrad as dg
import distgrad.nn.functional as F

UPSAMPLING: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [
    ("Upsample", (3,), {}),
    ("Upsample", (), {"scale_factor": 2}),
    ("Upsample", (), {"scale_factor": (2, 1.5), "mode": "bilinear", "align_corners": True}),
    ("Upsample", ((5, 6), None, "bicubic"), {}),
    ("Upsample", (), {"scale_factor": 1.3, "recompute_scale_factor": True, "mode": "bilinear"}),
    ("UpsamplingNearest2d", (), {"scale_factor": 2}),
    ("UpsamplingBilinear2d", ((4, 5),), {}),
]


@pytest.mark.parametrize(("name", "positional", "named"), UPSAMPLING, ids=str)
def test_upsampling_is_pytorchs(name: str, positional: Any, named: Any) -> None:
    torch = pytest.importorskip("torch")
    own, theirs = (getattr(nn, name)(*positional, **named) for nn in (dg.nn, torch.nn))
    assert repr(own) == repr(theirs)
    x = np.random.default_rng(0).standard_normal((1, 2, 4, 3))
    expected = theirs(torch.tensor(x)).numpy()
    np.testing.assert_allclose(own(dg.Tensor(x)).data, expected, rtol=1e-12, atol=1e-13)


def test_upsampling_passes_its_arguments_on() -> None:
    x = dg.randn(1, 2, 4, 3)
    layer = dg.nn.Upsample((5, 2), mode="bilinear", align_corners=True)
    expected = F.interpolate(x, (5, 2), mode="bilinear", align_corners=True)
    np.testing.assert_array_equal(layer(x).data, expected.data)
    np.testing.assert_array_equal(dg.nn.UpsamplingBilinear2d((5, 2))(x).data, expected.data)
    nearest = dg.nn.UpsamplingNearest2d(scale_factor=2)(x)
    np.testing.assert_array_equal(nearest.data, x.data.repeat(2, 2).repeat(2, 3))


def test_shuffles() -> None:
    x = dg.arange(48).reshape(1, 12, 2, 2)
    up, down = dg.nn.PixelShuffle(2), dg.nn.PixelUnshuffle(2)
    assert up(x).tolist() == F.pixel_shuffle(x, 2).tolist()
    assert down(up(x)).tolist() == x.tolist()
    assert dg.nn.ChannelShuffle(3)(x).tolist() == F.channel_shuffle(x, 3).tolist()


@pytest.mark.parametrize("name", ["PixelShuffle", "PixelUnshuffle", "ChannelShuffle"])
def test_representations_are_pytorchs(name: str) -> None:
    torch = pytest.importorskip("torch")
    assert repr(getattr(dg.nn, name)(3)) == repr(getattr(torch.nn, name)(3))
