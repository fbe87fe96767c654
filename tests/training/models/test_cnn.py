import pytest

import distgrad as dg
from distgrad.training.models import cnn


def names(model):
    return [type(layer).__name__ for layer in model]


def test_each_convolution_is_followed_by_pooling():
    model = cnn([4, 8, 16], classes=3, image=(2, 16, 24))
    assert names(model)[:9] == ["Conv2d", "ReLU", "MaxPool2d"] * 3
    assert names(model)[9:] == ["Flatten", "LinearReLU", "Dropout", "Linear"]
    assert model(dg.rand(5, 2, 16, 24)).shape == (5, 3)


def test_batch_normalisation_stands_behind_each_convolution():
    model = cnn([4, 8], classes=3, image=(1, 8, 8), batch_norm=True)
    assert names(model)[:8] == ["Conv2d", "BatchNorm2d", "ReLU", "MaxPool2d"] * 2
    assert model(dg.rand(5, 1, 8, 8)).shape == (5, 3)


def test_odd_sizes_are_rounded_down():
    assert cnn([4, 8], classes=3, image=(1, 7, 5))(dg.rand(2, 1, 7, 5)).shape == (2, 3)


def test_dropout_does_not_change_the_names_of_layers():
    shape = {"classes": 3, "image": (1, 8, 8)}
    assert list(cnn(**shape, dropout=0.5).state_dict()) == list(cnn(**shape).state_dict())


def test_an_image_that_is_too_small():
    with pytest.raises(ValueError) as raised:
        cnn([4, 8, 16], classes=3, image=(1, 28, 6))
    assert str(raised.value) == (
        "3 poolings halve 28 x 6 pixels to 3 x 0; use fewer channels, or images of at least 8 x 8 "
        "pixels"
    )


@pytest.mark.parametrize("given", [{"classes": 3}, {"image": (1, 8, 8)}])
def test_what_the_data_does_not_tell_must_be_given(given):
    with pytest.raises(ValueError, match="needs classes and image: numbers of classes, and"):
        cnn(**given)
