"""Options of every optimizer: what counts as a learning rate, and what there is no choice of."""

import numpy as np
import pytest

import distgrad as dg
from distgrad import nn, optim


def parameter():
    return nn.Parameter(dg.ones(2))


@pytest.mark.parametrize("wrap", [dg.tensor, np.array, lambda value: dg.tensor([[value]])])
def test_a_learning_rate_of_one_element_counts_as_its_value(wrap):
    p, q = parameter(), parameter()
    optimizer = optim.SGD([{"params": [p]}, {"params": [q], "lr": wrap(0.25)}], lr=wrap(0.5))
    optimizer.add_param_group({"params": [parameter()], "lr": wrap(0.125)})
    rates = [group["lr"] for group in optimizer.param_groups]
    assert rates == [0.5, 0.25, 0.125]
    assert {type(rate) for rate in rates} == {float}
    assert optimizer.defaults["lr"] == 0.5
    state = optimizer.state_dict()
    state["param_groups"][0]["lr"] = wrap(2.0)
    optimizer.load_state_dict(state)
    assert optimizer.param_groups[0]["lr"] == 2.0


def test_a_learning_rate_of_several_elements():
    for options in ({"lr": dg.ones(2)}, {"lr": np.ones(0)}):
        with pytest.raises(ValueError, match=r"Tensor lr must be 1-element, got shape \([02],\)"):
            optim.Adam([parameter()], **options)
    with pytest.raises(ValueError, match="Tensor lr must be 1-element"):
        optim.Adam([{"params": [parameter()], "lr": dg.ones(2)}])


@pytest.mark.parametrize("option", ["foreach", "fused", "capturable", "differentiable"])
def test_how_a_step_is_computed_is_not_to_be_chosen(option):
    expected = f"AdamW has no option '{option}': in PyTorch it chooses how a step is computed, and"
    with pytest.raises(TypeError, match=expected):
        optim.AdamW([parameter()], **{option: True})

    class Own(optim.SGD):
        def __init__(self, params, foreach):
            super().__init__(params)
            self.foreach = foreach

    assert Own([parameter()], foreach=3).foreach == 3
