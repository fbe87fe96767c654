import math
from typing import Any

import numpy as np
import pytest

import distgrad as dg

CASES: list[tuple[str, tuple[Any, ...], dict[str, Any], tuple[int, ...]]] = [
    ("ConvTranspose1d", (2, 3, 4), {}, (5,)),
    ("ConvTranspose1d", (4, 6, 3), {"stride": 2, "padding": 1, "groups": 2, "bias": False}, (5,)),
    ("ConvTranspose2d", (3, 2, (2, 3)), {"dilation": 2, "output_padding": 1}, (4, 3)),
    ("ConvTranspose2d", (2, 2, 3, (2, 3), 1, (1, 2)), {"padding_mode": "zeros"}, (4, 3)),
]


@pytest.mark.parametrize(("name", "positional", "named", "size"), CASES, ids=str)
def test_arguments_representation_and_result_are_pytorchs(
    name: str, positional: Any, named: Any, size: Any
) -> None:
    torch = pytest.importorskip("torch")
    own = getattr(dg.nn, name)(*positional, **named)
    theirs = getattr(torch.nn, name)(*positional, **named)
    assert repr(own) == repr(theirs)
    state = own.state_dict()
    assert {k: v.shape for k, v in state.items()} == {
        k: tuple(v.shape) for k, v in theirs.state_dict().items()
    }
    theirs.load_state_dict({k: torch.from_numpy(v.numpy().copy()) for k, v in state.items()})
    x = np.random.default_rng(0).standard_normal((2, positional[0], *size), np.float32)
    smallest = theirs(torch.from_numpy(x)).shape[2:]
    for output_size in (None, list(smallest), (2, own.out_channels, *(n + 1 for n in smallest))):
        try:
            expected = theirs(torch.from_numpy(x), output_size).detach().numpy()
        except ValueError:
            with pytest.raises(ValueError, match=f"{name}: output_size must be"):
                own(dg.Tensor(x), output_size)
            continue
        result = own(dg.Tensor(x), output_size).detach().numpy()
        np.testing.assert_allclose(result, expected, rtol=1e-4, atol=1e-5)


def test_initial_values_are_uniform_below_one_over_the_root_of_the_outputs() -> None:
    dg.manual_seed(0)
    layer = dg.nn.ConvTranspose2d(64, 32, (3, 5), groups=2)
    bound = 1 / math.sqrt(16 * 3 * 5)
    assert layer.bias is not None
    assert (layer.weight.shape, layer.bias.shape) == ((64, 16, 3, 5), (32,))
    for parameter, least in ((layer.weight, 0.99), (layer.bias, 0.9)):
        values = parameter.detach().numpy()
        assert least * bound < np.abs(values).max() <= bound


def test_a_layer_leads_back_to_the_size_before() -> None:
    down = dg.nn.Conv1d(1, 1, 3, stride=2, padding=1)
    up = dg.nn.ConvTranspose1d(1, 1, 3, stride=2, padding=1)
    for length in (11, 12):
        x = dg.ones(1, 1, length)
        assert up(down(x), output_size=x.shape).shape == x.shape


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"padding_mode": "reflect"}, "the only padding_mode is \"zeros\", got 'reflect'"),
        ({"padding": "same"}, "padding must be numbers, got 'same'"),
        ({"groups": 2}, "groups must divide in_channels and out_channels, got 2 for 2 and 3"),
        ({"output_padding": -1}, "output_padding must be .* 0 or more, got -1"),
    ],
)
def test_arguments_are_checked(arguments: Any, message: str) -> None:
    with pytest.raises(ValueError, match=f"ConvTranspose1d: {message}"):
        dg.nn.ConvTranspose1d(2, 3, 3, **arguments)


def test_sizes_that_cannot_be() -> None:
    layer = dg.nn.ConvTranspose1d(1, 1, 3, stride=2)
    with pytest.raises(
        ValueError, match=r"\(7,\) or more by less than the stride \(2,\), .* \(9,\)"
    ):
        layer(dg.ones(1, 1, 3), output_size=(9,))
    with pytest.raises(ValueError, match=r"1 numbers, or 3 as the input has axes, got \(1, 7\)"):
        layer(dg.ones(1, 1, 3), output_size=(1, 7))
