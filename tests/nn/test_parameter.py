import numpy as np
import pytest

import distgrad as dg
from distgrad import nn


def test_a_parameter_is_a_leaf_that_asks_for_a_gradient():
    parameter = nn.Parameter(np.ones(3, np.float32))
    assert isinstance(parameter, dg.Tensor)
    assert parameter.requires_grad
    assert parameter.is_leaf
    (2 * parameter).sum().backward()
    assert parameter.grad.tolist() == [2.0, 2.0, 2.0]


def test_it_wraps_the_data_of_arrays_and_tensors():
    array = np.ones(3)
    assert nn.Parameter(array).data is array
    assert nn.Parameter(dg.Tensor(array)).data is array
    computed = nn.Parameter(dg.ones(2, requires_grad=True) * 2)
    assert computed.is_leaf


@pytest.mark.parametrize("wrap", [dg.Tensor, nn.Parameter, nn.Buffer, dg.asarray])
def test_a_change_of_the_memory_that_it_shares_is_seen(wrap):
    values = dg.ones(2)
    wrapped = wrap(values).requires_grad_()
    loss = (wrapped * wrapped).sum()
    values.add_(1)
    assert wrapped.tolist() == [2, 2]
    with pytest.raises(RuntimeError, match="changed in place"):
        loss.backward()


def test_what_is_computed_from_it_is_a_plain_tensor():
    assert type(nn.Parameter(dg.ones(2)) * 2) is dg.Tensor


def test_a_frozen_parameter():
    assert not nn.Parameter(dg.ones(2), requires_grad=False).requires_grad
    assert not nn.Parameter(np.arange(2), requires_grad=False).requires_grad


def test_recorded_from_requires_grad_on():
    a = nn.Parameter(dg.tensor(2.0), requires_grad=False)
    assert not (a * a).requires_grad
    a.requires_grad_(True)
    (a * a).backward()
    assert a.grad.item() == 4.0


def test_integers_have_no_gradient():
    with pytest.raises(RuntimeError, match="floating-point"):
        nn.Parameter(np.arange(3))


def test_repr():
    text = repr(nn.Parameter(dg.ones(1)))
    assert text == "Parameter containing:\ntensor([1.], requires_grad=True)"
