"""Normalisation layers against closed forms and PyTorch's."""

import numpy as np
import pytest

import distgrad as dg
from distgrad import nn


def batches(*shape, count=3):
    rng = np.random.default_rng(0)
    return [rng.standard_normal(shape) * (n + 1) + n for n in range(count)]


def as_theirs(torch, module, theirs):
    """Give a PyTorch module the state of ours."""
    state = {k: torch.tensor(v.numpy()) for k, v in module.state_dict().items()}
    theirs.load_state_dict(state)
    return theirs


LAYERS = [
    ("LayerNorm", (3,), {}, (2, 4, 3)),
    ("LayerNorm", ((4, 3),), {"eps": 0.1, "bias": False}, (2, 4, 3)),
    ("LayerNorm", ([3],), {"elementwise_affine": False}, (2, 3)),
    ("BatchNorm1d", (3,), {}, (4, 3)),
    ("BatchNorm1d", (3,), {"momentum": None}, (4, 3, 2)),
    ("BatchNorm1d", (3, 0.1, 0.5, False), {}, (4, 3)),
    ("BatchNorm2d", (3,), {"momentum": 0.3}, (2, 3, 4, 5)),
    ("BatchNorm2d", (3,), {"track_running_stats": False}, (2, 3, 4, 5)),
    ("BatchNorm2d", (3,), {"affine": False, "track_running_stats": False}, (2, 3, 4, 5)),
]


@pytest.mark.parametrize(("name", "positional", "named", "shape"), LAYERS)
def test_state_and_results_are_pytorchs(name, positional, named, shape):
    torch = pytest.importorskip("torch")
    layer = getattr(nn, name)(*positional, **named, dtype=np.float64)
    for parameter in layer.parameters():
        dg.nn.init.uniform_(parameter, 0.5, 1.5)
    theirs = getattr(torch.nn, name)(*positional, **named).double()
    assert list(layer.state_dict()) == list(theirs.state_dict())
    assert {k: v.dtype.name for k, v in layer.state_dict().items()} == {
        k: str(v.dtype).removeprefix("torch.") for k, v in theirs.state_dict().items()
    }
    as_theirs(torch, layer, theirs)
    for x in batches(*shape):
        found, expected = layer(dg.Tensor(x)), theirs(torch.tensor(x))
        np.testing.assert_allclose(
            found.detach().numpy(), expected.detach().numpy(), rtol=1e-11, atol=1e-12
        )
    for key, value in layer.state_dict().items():
        np.testing.assert_allclose(value.data, theirs.state_dict()[key].numpy(), rtol=1e-14)
    layer.eval()
    theirs.eval()
    np.testing.assert_allclose(
        layer(dg.Tensor(x)).detach().numpy(),
        theirs(torch.tensor(x)).detach().numpy(),
        rtol=1e-11,
        atol=1e-12,
    )


def test_running_statistics_follow_the_batches():
    layer = nn.BatchNorm1d(2, momentum=0.25, dtype=np.float64)
    mean, var = np.zeros(2), np.ones(2)
    for x in batches(5, 2):
        layer(dg.Tensor(x))
        mean = 0.75 * mean + 0.25 * x.mean(0)
        var = 0.75 * var + 0.25 * x.var(0, ddof=1)
    np.testing.assert_allclose(layer.running_mean.data, mean, rtol=1e-13)
    np.testing.assert_allclose(layer.running_var.data, var, rtol=1e-13)
    assert layer.num_batches_tracked.item() == 3


def test_without_momentum_they_are_averages():
    layer = nn.BatchNorm2d(2, momentum=None, dtype=np.float64)
    seen = batches(3, 2, 2, 4)
    for x in seen:
        layer(dg.Tensor(x))
    means = np.mean([x.mean((0, 2, 3)) for x in seen], axis=0)
    np.testing.assert_allclose(layer.running_mean.data, means, rtol=1e-13)


def test_evaluation_uses_them_and_leaves_them_alone():
    layer = nn.BatchNorm1d(2, dtype=np.float64)
    (x,) = batches(5, 2, count=1)
    layer(dg.Tensor(x))
    before = {k: v.data.copy() for k, v in layer.state_dict().items()}
    y = layer.eval()(dg.Tensor(x)).detach().numpy()
    expected = (x - before["running_mean"]) / np.sqrt(before["running_var"] + 1e-5)
    np.testing.assert_allclose(y, expected, rtol=1e-12)
    for key, value in layer.state_dict().items():
        np.testing.assert_array_equal(value.data, before[key])


def test_a_changed_running_statistic_is_announced():
    layer = nn.BatchNorm1d(2)
    before = layer.running_mean.version.number
    layer(dg.randn(4, 2))
    assert layer.running_mean.version.number > before


def test_the_statistics_survive_their_state_dict():
    layer, other = nn.BatchNorm1d(2), nn.BatchNorm1d(2)
    layer(dg.randn(4, 2))
    other.load_state_dict(layer.state_dict())
    x = dg.randn(3, 2)
    assert other.eval()(x).tolist() == layer.eval()(x).tolist()
    assert other.num_batches_tracked.item() == 1


def test_the_bits_do_not_depend_on_the_memory_format():
    x = np.random.default_rng(0).standard_normal((2, 3, 4, 5)).astype(np.float32)
    channels_last = np.moveaxis(np.ascontiguousarray(np.moveaxis(x, 1, -1)), -1, 1)
    states = []
    for array in (x, channels_last):
        layer = nn.BatchNorm2d(3)
        y = layer(dg.Tensor(array)).detach().numpy()
        states.append([y.tobytes(), *(v.data.tobytes() for v in layer.state_dict().values())])
    assert states[0] == states[1]


def test_representations():
    assert repr(nn.LayerNorm((3, 4))) == (
        "LayerNorm((3, 4), eps=1e-05, elementwise_affine=True, bias=True)"
    )
    assert repr(nn.LayerNorm(4, bias=False)).endswith("elementwise_affine=True, bias=False)")
    assert repr(nn.GroupNorm(2, 4)) == "GroupNorm(2, 4, eps=1e-05, affine=True, bias=True)"
    assert repr(nn.RMSNorm(4)) == "RMSNorm((4,), eps=None, elementwise_affine=True)"
    assert repr(nn.LocalResponseNorm(2)) == "LocalResponseNorm(2, alpha=0.0001, beta=0.75, k=1.0)"
    assert repr(nn.InstanceNorm1d(3)) == (
        "InstanceNorm1d(3, eps=1e-05, momentum=0.1, affine=False, bias=False, "
        "track_running_stats=False)"
    )
    assert repr(nn.BatchNorm1d(3)) == (
        "BatchNorm1d(3, eps=1e-05, momentum=0.1, affine=True, bias=True, track_running_stats=True)"
    )


def test_running_statistics_of_instances():
    layer = nn.InstanceNorm1d(2, momentum=0.25, track_running_stats=True, dtype=np.float64)
    mean, var = np.zeros(2), np.ones(2)
    for x in batches(3, 2, 5):
        layer(dg.Tensor(x))
        mean = 0.75 * mean + 0.25 * x.mean(2).mean(0)
        var = 0.75 * var + 0.25 * x.var(2, ddof=1).mean(0)
    np.testing.assert_allclose(layer.running_mean.data, mean, rtol=1e-13)
    np.testing.assert_allclose(layer.running_var.data, var, rtol=1e-13)
    assert layer.num_batches_tracked.item() == 0
    y = layer.eval()(dg.Tensor(x)).data
    expected = (x - mean[:, None]) / np.sqrt(var + 1e-5)[:, None]
    np.testing.assert_allclose(y, expected, rtol=1e-12)
    np.testing.assert_array_equal(layer(dg.Tensor(x[0])).data, y[0])


def test_an_empty_batch_is_counted_but_not_followed():
    layer = nn.BatchNorm1d(2)
    layer(dg.zeros(0, 2))
    assert layer.num_batches_tracked.item() == 1
    assert layer.running_var.tolist() == [1, 1]
    instances = nn.InstanceNorm1d(2, track_running_stats=True)
    instances(dg.zeros(0, 2, 3))
    assert instances.running_var.tolist() == [1, 1]


@pytest.mark.parametrize(
    "layer",
    [nn.BatchNorm2d(3), nn.GroupNorm(3, 6), nn.LayerNorm(4), nn.RMSNorm(4), nn.InstanceNorm2d(3)],
)
def test_parameters_and_statistics_can_be_reset(layer):
    before = {k: v.data.copy() for k, v in layer.state_dict().items()}
    for value in layer.state_dict().values():
        value += 3
    layer.reset_parameters()
    assert {k: v.tolist() for k, v in layer.state_dict().items()} == {
        k: v.tolist() for k, v in before.items()
    }


def test_errors_of_groups_and_instances():
    with pytest.raises(ValueError, match="num_groups must divide num_channels, got 3 and 4"):
        nn.GroupNorm(3, 4)
    with pytest.raises(ValueError, match=r"weight must have shape \(6,\), got \(4,\)"):
        nn.GroupNorm(2, 4)(dg.zeros(2, 6, 3))
    with pytest.raises(ValueError, match=r"must have 4 axes, or one less .* got .* \(2, 3\)"):
        nn.InstanceNorm2d(3)(dg.zeros(2, 3))
    for x, axis in [(dg.zeros(2, 4, 5), 1), (dg.zeros(4, 5), 0)]:
        with pytest.raises(ValueError, match=f"must have 3 channels in axis {axis}, got"):
            nn.InstanceNorm1d(3, affine=True)(x)
        assert nn.InstanceNorm1d(3)(x).shape == x.shape


def test_errors():
    with pytest.raises(
        ValueError, match=r"BatchNorm1d: .* 3 channels .* 2 or 3 axes, got .* \(3,\)"
    ):
        nn.BatchNorm1d(3)(dg.zeros(3))
    with pytest.raises(ValueError, match=r"BatchNorm2d: .* 4 axes, got an input of shape \(2, 3\)"):
        nn.BatchNorm2d(3)(dg.zeros(2, 3))
    with pytest.raises(ValueError, match=r"3 channels in its second axis .* shape \(2, 4\)"):
        nn.BatchNorm1d(3)(dg.zeros(2, 4))
    with pytest.raises(ValueError, match="use larger micro-batches, or eval"):
        nn.BatchNorm1d(3)(dg.zeros(1, 3))
    assert nn.BatchNorm1d(3).eval()(dg.zeros(1, 3)).shape == (1, 3)
