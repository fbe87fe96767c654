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
