import pytest

import distgrad as dg
from distgrad import nn
from distgrad.training.component import ModelConfig
from distgrad.training.models import Recurrent


@pytest.mark.parametrize(("cell", "kind"), [("lstm", nn.LSTM), ("gru", nn.GRU), ("rnn", nn.RNN)])
def test_the_outputs_come_from_the_last_step(cell, kind):
    model = Recurrent(cell, features=2, hidden=5, layers=2, outputs=3)
    assert isinstance(model.layers, kind)
    x = dg.randn(4, 7, 2)
    states, _ = model.layers(x)
    assert model(x).tolist() == model.output(states[:, -1]).tolist()
    assert model(x).shape == (4, 3)


def test_dropout_acts_in_training_only():
    model = Recurrent(hidden=32, dropout=0.5)
    x = dg.randn(4, 7, 1)
    assert model.layers.dropout == 0  # of one layer, which has nothing behind it
    assert Recurrent(layers=2, dropout=0.5).layers.dropout == 0.5
    assert model(x).tolist() != model(x).tolist()
    assert model.eval()(x).tolist() == model(x).tolist()


def test_as_a_component():
    model = ModelConfig(name="recurrent", cell="gru", hidden=4).build()
    assert isinstance(model, Recurrent)
    with pytest.raises(ValueError, match="cell"):
        ModelConfig(name="recurrent", cell="elman")
