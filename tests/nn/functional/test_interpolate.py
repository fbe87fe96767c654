from typing import Any

import numpy as np
import pytest
from helpers.parity import check_gradients, check_same
from hypothesis import given, settings
from hypothesis import strategies as st

import distgrad as dg
import distgrad.nn.functional as F

AXES = {"linear": 1, "bilinear": 2, "bicubic": 2, "trilinear": 3}
MODES = ["nearest", "nearest-exact", *AXES, "area"]
WAYS: list[dict[str, Any]] = [
    {"size": 3},
    {"size": 7},
    {"scale_factor": 1.7},
    {"scale_factor": 0.6, "recompute_scale_factor": True},
]


def signal(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).standard_normal(shape)


@pytest.mark.parametrize("way", WAYS, ids=str)
@pytest.mark.parametrize("mode", MODES)
def test_values_and_gradients_of_two_orders_are_pytorchs(mode: str, way: Any) -> None:
    for axes in [AXES[mode]] if mode in AXES else [1, 2]:
        x = signal(1, 2, *(4, 5, 3)[:axes])
        for align in (None, True, False) if mode in AXES else (None,):
            check_gradients(
                [x],
                lambda m, f, x, a=align: f.interpolate(x, **way, mode=mode, align_corners=a),
            )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_places_are_pytorchs_at_many_sizes(dtype: Any) -> None:
    torch = pytest.importorskip("torch")
    for n in (3, 8, 17):
        x = np.arange(2 * n, dtype=dtype).reshape(1, 2, n)
        for mode in ("nearest", "nearest-exact", "linear"):
            for size in range(1, 50):
                own = F.interpolate(dg.tensor(x), size, mode=mode)
                theirs = torch.nn.functional.interpolate(torch.tensor(x), size, mode=mode)
                check_same(own, theirs, rtol=1e-5, atol=1e-5)


def test_nearest_repeats_elements() -> None:
    x = signal(2, 3, 4, 5)
    y = F.interpolate(dg.Tensor(x), scale_factor=(3, 2))
    np.testing.assert_array_equal(y.data, x.repeat(3, 2).repeat(2, 3))
    np.testing.assert_array_equal(F.interpolate(y, (4, 5), mode="nearest-exact").data, x)
    np.testing.assert_array_equal(F.upsample_nearest(dg.Tensor(x), (12, 10)).data, y.data)
    np.testing.assert_array_equal(F.upsample(dg.Tensor(x), scale_factor=(3, 2)).data, y.data)


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 9), st.integers(1, 20), st.booleans())
def test_linear_is_numpys_interpolation(n: int, size: int, align: bool) -> None:
    x = signal(1, 1, n)
    y = F.interpolate(dg.Tensor(x), size, mode="linear", align_corners=align)
    places = np.linspace(0, n - 1, size) if align else (np.arange(size) + 0.5) * n / size - 0.5
    np.testing.assert_allclose(
        y.data[0, 0], np.interp(places, np.arange(n), x[0, 0]), rtol=1e-12, atol=1e-13
    )


def test_two_axes_are_one_after_the_other() -> None:
    x = dg.Tensor(signal(1, 2, 4, 5))
    rows = F.interpolate(x.permute(0, 1, 3, 2).reshape(1, 10, 4), 7, mode="linear")
    columns = F.interpolate(
        rows.reshape(1, 2, 5, 7).permute(0, 1, 3, 2).reshape(1, 14, 5), 3, mode="linear"
    )
    both = F.interpolate(x, (7, 3), mode="bilinear")
    np.testing.assert_allclose(both.data, columns.reshape(1, 2, 7, 3).data, rtol=1e-12)
    corners = F.upsample_bilinear(x, (7, 3)).data[..., [0, 0, -1, -1], [0, -1, 0, -1]]
    np.testing.assert_allclose(corners, x.data[..., [0, 0, -1, -1], [0, -1, 0, -1]], rtol=1e-12)


def test_cubic_goes_through_the_elements_and_keeps_a_constant() -> None:
    x = signal(1, 1, 4, 3)
    y = F.interpolate(dg.Tensor(x), (7, 5), mode="bicubic", align_corners=True)
    np.testing.assert_allclose(y.data[..., ::2, ::2], x, rtol=1e-12)
    flat = F.interpolate(
        dg.full((1, 1, 3, 3), 2.5, dtype=np.float64), scale_factor=1.7, mode="bicubic"
    )
    np.testing.assert_allclose(flat.data, 2.5, rtol=1e-12)


def test_area_is_the_mean_of_bins() -> None:
    x = dg.Tensor(signal(1, 2, 5, 6))
    y = F.interpolate(x, (2, 3), mode="area")
    np.testing.assert_array_equal(y.data, F.adaptive_avg_pool2d(x, (2, 3)).data)


def test_gradients_by_differences() -> None:
    x = dg.Tensor(signal(1, 1, 3, 4), requires_grad=True)
    for mode in ("nearest", "bilinear", "bicubic", "area"):
        for size in ((5, 3), (2, 9)):
            assert dg.autograd.gradcheck(lambda x, m=mode, s=size: F.interpolate(x, s, mode=m), x)


def test_the_order_of_memory_stays_and_does_not_matter() -> None:
    x = dg.Tensor(signal(2, 3, 4, 5))
    turned = dg.Tensor(np.ascontiguousarray(x.data.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2))
    for mode in ("nearest", "bilinear", "bicubic"):
        a, b = (F.interpolate(z, (6, 7), mode=mode) for z in (x, turned))
        assert a.data.tobytes() == b.data.tobytes()
        assert b.data.transpose(0, 2, 3, 1).flags.c_contiguous


def test_types() -> None:
    assert F.interpolate(dg.tensor([[[1, 2]]]), 4).tolist() == [[[1, 1, 2, 2]]]
    assert F.interpolate(dg.ones(1, 1, 2), 3, mode="linear").dtype == np.float32
    with pytest.raises(TypeError, match=r"'linear' takes .* floating-point type, not int64; .*to"):
        F.interpolate(dg.tensor([[[1, 2]]]), 4, mode="linear")


@pytest.mark.parametrize(
    ("shape", "arguments", "error", "message"),
    [
        ((1, 1, 4), {}, ValueError, "give size or scale_factor, one of the two"),
        ((1, 1, 4), {"size": 2, "scale_factor": 2}, ValueError, "one of the two"),
        ((1, 1, 4), {"size": (2, 2)}, ValueError, r"size must be one .* 1 axes .* got \(2, 2\)"),
        ((1, 1, 4), {"scale_factor": ()}, ValueError, r"scale_factor must be one .* got \(\)"),
        ((1, 1, 4), {"size": 2.5}, TypeError, "size must be integers, got 2.5"),
        ((1, 1, 4), {"size": 0}, ValueError, r"length 0, .* got \(1, 1, 4\) and .* \(0,\)"),
        ((1, 1, 4), {"scale_factor": 0.1}, ValueError, r"and the new lengths \(0,\)"),
        ((1, 1, 0), {"size": 2}, ValueError, r"length 0, .* got \(1, 1, 0\)"),
        (
            (1, 1, 4),
            {"size": 2, "recompute_scale_factor": True},
            ValueError,
            "needs scale_factor, not size",
        ),
        ((1, 1, 4), {"size": 2, "align_corners": True}, ValueError, "not to 'nearest'"),
        ((1, 1, 4), {"size": 2, "mode": "cubic"}, NotImplementedError, "one of .*got 'cubic'"),
        (
            (1, 1, 4),
            {"size": 2, "mode": "bilinear"},
            NotImplementedError,
            r"'bilinear' takes an input of shape \(N, C, H, W\), got \(1, 1, 4\)",
        ),
        ((4, 4), {"size": 2}, NotImplementedError, r"\(N, C, L\), .* or \(N, C, D, H, W\), got"),
        (
            (1, 1, 4, 4),
            {"size": 2, "mode": "bilinear", "antialias": True},
            NotImplementedError,
            r"antialias is not there; avg_pool2d\(\)",
        ),
    ],
)
def test_what_does_not_fit_is_refused(shape: Any, arguments: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=f"interpolate: .*{message}"):
        F.interpolate(dg.ones(*shape), **arguments)


def test_a_batch_of_none() -> None:
    assert F.interpolate(dg.ones(0, 2, 3), 5).shape == (0, 2, 5)
