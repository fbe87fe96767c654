import numpy as np
import pytest
from helpers.halves import NEEDS_BFLOAT16

import distgrad as dg
from distgrad import nn


def model():
    return nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))


def dtypes(module):
    return [str(tensor.dtype) for tensor in module.state_dict().values()]


@pytest.mark.parametrize(
    ("convert", "expected"),
    [
        (lambda m: m.double(), "float64"),
        (lambda m: m.half(), "float16"),
        (lambda m: m.double().float(), "float32"),
        (lambda m: m.to(dg.float64), "float64"),
        (lambda m: m.to(dtype=dg.float16), "float16"),
        pytest.param(lambda m: m.bfloat16(), "bfloat16", marks=NEEDS_BFLOAT16),
        (lambda m: m.to("cpu", dg.float64), "float64"),
        (lambda m: m.to(dg.zeros(1, dtype=dg.float64)), "float64"),
        (lambda m: m.to("cpu"), "float32"),
        (lambda m: m.double().cpu(), "float64"),
    ],
)
def test_floating_point_state_is_converted_and_counts_are_not(convert, expected):
    module = model()
    assert convert(module) is module
    assert dtypes(module) == [expected] * 6 + ["int64"]


def test_parameters_stay_the_same_objects_and_the_change_is_announced():
    module = model()
    before = [(p, p.version.number) for p in module.parameters()]
    loss = module(dg.randn(4, 2)).sum()
    module.double()
    for (old, version), parameter in zip(before, module.parameters(), strict=True):
        assert parameter is old
        assert parameter.version.number > version
        assert parameter.requires_grad
    with pytest.raises(RuntimeError, match="in place"):
        loss.backward()


def test_values_and_gradients_are_converted():
    module = model()
    module(dg.randn(4, 2)).square().sum().backward()
    values = [p.data.copy() for p in module.parameters()]
    gradients = [p.grad.data.copy() for p in module.parameters()]
    module.double()
    for value, gradient, parameter in zip(values, gradients, module.parameters(), strict=True):
        assert parameter.data.dtype == parameter.grad.dtype == np.float64
        np.testing.assert_array_equal(parameter.data, value)
        np.testing.assert_array_equal(parameter.grad.data, gradient)
    module(dg.randn(4, 2, dtype=dg.float64)).sum().backward()


def test_what_has_the_type_already_is_left_alone():
    module = model()
    before = [(p.data, p.version.number) for p in module.parameters()]
    module.float()
    after = [(p.data, p.version.number) for p in module.parameters()]
    assert all(a[0] is b[0] and a[1] == b[1] for a, b in zip(before, after, strict=True))


def test_a_count_too_large_for_floats_is_kept():
    module = nn.BatchNorm1d(1)
    module.num_batches_tracked.fill_(2**53 + 1)
    assert module.half().double().num_batches_tracked.item() == 2**53 + 1


def test_a_shared_parameter_stays_shared():
    net = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    net[1].weight = net[0].weight
    net.double()
    assert net[1].weight is net[0].weight
    assert net[0].weight.dtype == np.float64


def test_type_converts_everything():
    assert dtypes(model().type(dg.float64)) == ["float64"] * 7
    frozen = model().requires_grad_(False).type(dg.int32)
    assert dtypes(frozen) == ["int32"] * 7


def test_conversions_that_are_refused_change_nothing():
    module = model()
    with pytest.raises(TypeError, match=r"floating-point data type, got int64; type\(\) converts"):
        module.to(dg.int64)
    with pytest.raises(RuntimeError, match=r"shape \(3, 2\) requires a gradient, which int32 does"):
        module.type(dg.int32)
    with pytest.raises((TypeError, RuntimeError, ValueError)):
        module.to("nowhere")
    assert dtypes(module) == ["float32"] * 6 + ["int64"]


def test_it_is_as_in_pytorch():
    torch = pytest.importorskip("torch")
    theirs = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.BatchNorm1d(3))
    for convert in (lambda m: m.double(), lambda m: m.half(), lambda m: m.float()):
        expected = [
            str(t.dtype).removeprefix("torch.") for t in convert(theirs).state_dict().values()
        ]
        assert dtypes(convert(model())) == expected
