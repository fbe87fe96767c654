import math
from typing import Any

import numpy as np
import pytest

import distgrad as dg

CASES: list[tuple[tuple[Any, ...], dict[str, Any]]] = [
    ((1, 2, 3), {}),
    ((4, 6, (3, 5)), {"stride": 2, "padding": (1, 2), "dilation": 2, "groups": 2, "bias": False}),
    ((2, 2, 3), {"padding": "same"}),
    ((2, 3, 3), {"padding": (1, 2), "padding_mode": "circular"}),
    ((2, 2, (2, 3)), {"padding": "same", "dilation": (2, 1), "padding_mode": "reflect"}),
    ((2, 2, 2, 1, "valid", 1, 2, True, "replicate"), {}),
]


@pytest.mark.parametrize(("positional", "named"), CASES)
def test_arguments_representation_and_result_are_pytorchs(
    positional: tuple[Any, ...], named: dict[str, Any]
) -> None:
    torch = pytest.importorskip("torch")
    compare(torch, "Conv2d", positional, named, (12, 11))


@pytest.mark.parametrize(
    ("positional", "named"),
    [
        ((1, 2, 3), {}),
        ((4, 6, (3,)), {"stride": (2,), "padding": 2, "dilation": 2, "groups": 2, "bias": False}),
        ((2, 2, 3), {"padding": "same", "padding_mode": "replicate"}),
        ((2, 2, 3), {"padding": 2, "padding_mode": "reflect"}),
    ],
)
def test_a_layer_of_signals_is_pytorchs(positional: tuple[Any, ...], named: dict[str, Any]) -> None:
    torch = pytest.importorskip("torch")
    compare(torch, "Conv1d", positional, named, (12,))


def compare(torch: Any, name: str, positional: Any, named: Any, size: Any) -> None:
    """Arguments, representation, state and result of a layer in both libraries."""
    own, theirs = (getattr(nn, name)(*positional, **named) for nn in (dg.nn, torch.nn))
    assert repr(own) == repr(theirs)
    state = own.state_dict()
    assert {k: v.shape for k, v in state.items()} == {
        k: tuple(v.shape) for k, v in theirs.state_dict().items()
    }
    theirs.load_state_dict({k: torch.from_numpy(v.numpy().copy()) for k, v in state.items()})
    x = np.random.default_rng(0).standard_normal((2, positional[0], *size), np.float32)
    np.testing.assert_allclose(
        own(dg.Tensor(x)).detach().numpy(),
        theirs(torch.from_numpy(x)).detach().numpy(),
        rtol=1e-5,
        atol=1e-5,
    )


def test_initial_values_are_uniform_below_one_over_the_root_of_fan_in() -> None:
    dg.manual_seed(0)
    layer = dg.nn.Conv2d(32, 64, (3, 5), groups=2)
    bound = 1 / math.sqrt(16 * 3 * 5)
    assert layer.bias is not None
    for parameter, least in ((layer.weight, 0.99), (layer.bias, 0.9)):
        values = parameter.detach().numpy()
        assert least * bound < np.abs(values).max() <= bound
    assert abs(layer.weight.detach().numpy().std() - bound / math.sqrt(3)) < 0.02 * bound


def test_a_layer_without_bias() -> None:
    layer = dg.nn.Conv2d(1, 2, 1, bias=False)
    assert layer.bias is None
    assert list(layer.state_dict()) == ["weight"]


def test_the_data_type_of_the_parameters() -> None:
    layer = dg.nn.Conv2d(1, 2, 2, dtype=np.float64)
    assert {p.dtype for p in layer.parameters()} == {np.dtype(np.float64)}


@pytest.mark.parametrize("sizes", [(3, 4), (4, 3)])
def test_groups_divide_the_channels(sizes: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match=f"got 2 for {sizes[0]} and {sizes[1]}"):
        dg.nn.Conv2d(*sizes, 3, groups=2)


def test_other_arguments_are_checked_before_the_first_call() -> None:
    with pytest.raises(ValueError, match=r"Conv2d: kernel_size must be .* 1 or more, got 0"):
        dg.nn.Conv2d(1, 1, 0)
    with pytest.raises(ValueError, match=r"Conv2d: stride must be .* got \(1, 2, 3\)"):
        dg.nn.Conv2d(1, 1, 2, stride=(1, 2, 3))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"padding": "full"}, 'padding must be numbers, "valid" or "same", got \'full\''),
        ({"padding": "same", "stride": 2}, r'padding="same" needs stride 1, got \(2,\)'),
        ({"padding_mode": "mirror"}, "padding_mode must be one of .*circular.*, got 'mirror'"),
        ({"stride": (1, 2)}, "stride must be an integer, alone or in a tuple, 1 or more"),
        ({"groups": 0}, "groups must divide in_channels and out_channels, got 0"),
    ],
)
def test_arguments_of_a_layer_of_signals_are_checked(
    arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=f"Conv1d: {message}"):
        dg.nn.Conv1d(2, 2, 3, **arguments)


def test_padding_modes_are_numpys() -> None:
    x = np.random.default_rng(0).standard_normal((1, 1, 5, 6), np.float32)
    modes = {"reflect": "reflect", "replicate": "edge", "circular": "wrap", "zeros": "constant"}
    for mode, numpys in modes.items():
        layer = dg.nn.Conv2d(1, 2, 3, padding=(1, 2), padding_mode=mode)
        padded = np.pad(x, [(0, 0), (0, 0), (1, 1), (2, 2)], numpys)  # type: ignore[call-overload]
        expected = dg.nn.functional.conv2d(dg.Tensor(padded), layer.weight, layer.bias)
        np.testing.assert_allclose(layer(dg.Tensor(x)).data, expected.data, rtol=1e-5, atol=1e-6)


def test_the_bits_do_not_depend_on_where_the_weight_lies() -> None:
    dg.manual_seed(1)
    layer = dg.nn.Conv2d(3, 8, 3, padding=1)
    x = dg.randn(2, 3, 9, 9)
    layer(x).sum().backward()
    assert layer.weight.grad is not None
    alone = layer(x).detach().numpy(), layer.weight.grad.numpy()
    flat = dg.nn.Conv2d(3, 8, 3, padding=1)
    flat.load_state_dict(layer.state_dict())
    model = dg.distributed.DataParallel(flat, dg.distributed.connect())
    result = model.accumulate(
        lambda batch: (model(batch[0]).sum(), 1),
        next(iter(dg.data.GlobalBatches(dg.data.TensorDataset(x.numpy()), 2, 2, shuffle=False))),
    )
    assert result.finite
    assert flat.weight.grad is not None
    assert model(x).detach().numpy().tobytes() == alone[0].tobytes()
    assert flat.weight.grad.numpy().tobytes() == alone[1].tobytes()
