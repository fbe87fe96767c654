from typing import Any

import pytest

import distgrad as dg
import distgrad.nn.functional as F

ARGUMENTS = [
    {"kernel_size": 2},
    {"kernel_size": (2, 3), "stride": 1, "padding": (1, 0), "ceil_mode": True},
]


@pytest.mark.parametrize("arguments", ARGUMENTS)
@pytest.mark.parametrize("name", ["MaxPool2d", "AvgPool2d"])
def test_representations_are_pytorchs(name: str, arguments: dict[str, Any]) -> None:
    torch = pytest.importorskip("torch")
    assert repr(getattr(dg.nn, name)(**arguments)) == repr(getattr(torch.nn, name)(**arguments))


def test_layers_pass_their_arguments_on() -> None:
    x = dg.randn(2, 3, 8, 9)
    maximum = {"stride": 2, "padding": 1, "dilation": 2, "ceil_mode": True}
    mean = {"stride": 3, "padding": 1, "ceil_mode": True, "count_include_pad": False}
    layer: dg.nn.Module
    for layer, expected in [
        (dg.nn.MaxPool2d(2), F.max_pool2d(x, 2)),
        (dg.nn.MaxPool2d((3, 2), **maximum), F.max_pool2d(x, (3, 2), **maximum)),
        (dg.nn.AvgPool2d(2), F.avg_pool2d(x, 2)),
        (dg.nn.AvgPool2d((3, 2), **mean), F.avg_pool2d(x, (3, 2), **mean)),
        (dg.nn.AvgPool2d(2, divisor_override=3), F.avg_pool2d(x, 2, divisor_override=3)),
    ]:
        assert layer(x).tolist() == expected.tolist()
        assert not list(layer.parameters())


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("MaxPool1d", {"kernel_size": 2}),
        ("MaxPool1d", {"kernel_size": 3, "stride": (2,), "padding": 1, "return_indices": True}),
        ("AvgPool1d", {"kernel_size": 2}),
        ("AvgPool1d", {"kernel_size": (3,), "stride": 2, "count_include_pad": False}),
        ("LPPool1d", {"norm_type": 2, "kernel_size": 3}),
        ("LPPool2d", {"norm_type": 2.5, "kernel_size": (3, 1), "stride": 2, "ceil_mode": True}),
        ("MaxUnpool1d", {"kernel_size": 3, "stride": 2}),
        ("MaxUnpool2d", {"kernel_size": (3, 2), "padding": 1}),
    ],
)
def test_representations_of_other_layers_are_pytorchs(name: str, arguments: dict[str, Any]) -> None:
    torch = pytest.importorskip("torch")
    assert repr(getattr(dg.nn, name)(**arguments)) == repr(getattr(torch.nn, name)(**arguments))


def test_other_layers_pass_their_arguments_on() -> None:
    x, image = abs(dg.randn(2, 3, 9)), abs(dg.randn(2, 3, 6, 5))
    maximum = {"stride": 2, "padding": 1, "dilation": 2, "ceil_mode": True}
    mean = {"stride": 2, "padding": 1, "ceil_mode": True, "count_include_pad": False}
    layer: dg.nn.Module
    for layer, expected in [
        (dg.nn.MaxPool1d(3, **maximum), F.max_pool1d(x, 3, **maximum)),
        (dg.nn.AvgPool1d(3, **mean), F.avg_pool1d(x, 3, **mean)),
        (dg.nn.LPPool1d(3, 2, 3, ceil_mode=True), F.lp_pool1d(x, 3, 2, 3, ceil_mode=True)),
    ]:
        assert layer(x).tolist() == expected.tolist()
    power = dg.nn.LPPool2d(2, (3, 2), 1)
    assert power(image).tolist() == F.lp_pool2d(image, 2, (3, 2), 1).tolist()


def test_pooling_and_the_way_back() -> None:
    for axes, x in ((1, dg.randn(2, 3, 9)), (2, dg.randn(2, 3, 6, 5))):
        pool = getattr(dg.nn, f"MaxPool{axes}d")(3, 2, return_indices=True)
        unpool = getattr(dg.nn, f"MaxUnpool{axes}d")(3, 2)
        values, places = pool(x)
        back = unpool(values, places, output_size=x.shape)
        assert back.shape == x.shape
        assert ((back == 0) | (back == x)).all()
        assert pool(back)[0].max().item() == values.max().item()
