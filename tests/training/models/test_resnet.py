import numpy as np
import pytest

import distgrad as dg
from distgrad.training.models import ResNet


def strides(model):
    convolutions = [m for m in model.modules() if isinstance(m, dg.nn.Conv2d)]
    return [(c.out_channels, c.kernel_size[0], c.stride[0]) for c in convolutions]


def test_each_stage_but_the_first_halves_the_image():
    model = ResNet([4, 8], blocks=2, classes=3, image=(2, 9, 12))
    assert strides(model) == [
        *[(4, 3, 1)] * 5,
        *[(8, 3, 2), (8, 3, 1), (8, 1, 2)],
        *[(8, 3, 1)] * 2,
    ]
    features = model.blocks(model.stem(dg.rand(5, 2, 9, 12)))
    assert features.shape == (5, 8, 5, 6)
    assert model(dg.rand(5, 2, 9, 12)).shape == (5, 3)


def test_a_block_adds_what_it_is_given():
    """Where the branch gives 0, what is left is the input, which the stem has made positive."""
    model = ResNet([4], blocks=2, classes=3, image=(1, 6, 6))
    for block in model.blocks:
        block.branch[-1].weight.data[...] = 0
    x = dg.rand(2, 1, 6, 6)
    model.eval()
    np.testing.assert_array_equal(model.blocks(model.stem(x)).data, model.stem(x).data)


def test_initial_values():
    dg.manual_seed(0)
    model = ResNet([64, 64], classes=3, image=(64, 8, 8))
    for module in model.modules():
        if isinstance(module, dg.nn.Conv2d):
            expected = np.sqrt(2 / (64 * module.kernel_size[0] ** 2))
            assert module.weight.data.std() == pytest.approx(expected, rel=0.05)
            assert module.bias is None


def test_every_parameter_has_a_gradient():
    model = ResNet([4, 8], classes=3, image=(1, 8, 8))
    model(dg.rand(4, 1, 8, 8)).logsumexp(1).sum().backward()
    assert all(p.grad is not None and p.grad.data.any() for p in model.parameters())


@pytest.mark.parametrize("given", [{"classes": 3}, {"image": (1, 8, 8)}])
def test_what_the_data_does_not_tell_must_be_given(given):
    with pytest.raises(ValueError, match="needs classes and image: numbers of classes, and"):
        ResNet(**given)
