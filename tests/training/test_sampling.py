import numpy as np
import pytest

import distgrad as dg
from distgrad import nn
from distgrad.data import Split, TensorDataset, Vocabulary
from distgrad.errors import UsageError
from distgrad.training.config import SampleConfig
from distgrad.training.sampling import check_sample, sample_text

ABC = Vocabulary("abc")


class Fixed(nn.Module):
    """The same scores for every place; remembers the sequences it was given."""

    def __init__(self, *scores):
        super().__init__()
        self.scores = scores
        self.given = []

    def forward(self, ids):
        assert not self.training
        self.given.append(ids.tolist()[0])
        return dg.tensor(np.broadcast_to(self.scores, (*ids.shape, len(self.scores))).copy())


def written(scores=(0.0, 0.0, 0.0), context=4, seed=0, **changes):
    model = Fixed(*scores)
    sample = SampleConfig(**({"prompt": "ab", "length": 300} | changes))
    return sample_text(model, ABC, context, sample, seed), model


def test_the_text_begins_with_the_prompt_and_has_its_length():
    text, model = written(length=7)
    assert text.startswith("ab")
    assert len(text) == 9
    assert model.training


def test_the_model_gets_the_last_characters_and_no_more_than_the_context():
    text, model = written(length=4, context=3)
    ids = ABC.encode(text).tolist()
    assert model.given == [ids[:2], ids[:3], ids[1:4], ids[2:5]]


def test_the_same_seed_writes_the_same_text():
    assert written()[0] == written()[0]
    assert written()[0] != written(seed=1)[0]


def test_characters_come_as_often_as_their_scores_say():
    text, _ = written(np.log([0.5, 0.3, 0.2]), length=3000)
    shares = [text.count(character) / len(text) for character in "abc"]
    assert shares == pytest.approx([0.5, 0.3, 0.2], abs=0.04)


def test_a_low_temperature_takes_the_likeliest():
    assert written((0.0, 1e-3, 0.0), temperature=1e-6)[0] == "ab" + "b" * 300


def test_large_scores_are_no_problem():
    assert written((1e30, -1e30, 0.0))[0] == "ab" + "a" * 300


def test_the_prompt_is_in_the_vocabulary():
    split = dg.data.text(context=8)
    check_sample(SampleConfig(prompt="The "), split)
    with pytest.raises(UsageError, match=r"^sample\.prompt: character '☃' at position 1 is"):
        check_sample(SampleConfig(prompt="a\u2603"), split)


def test_only_a_text_has_a_vocabulary():
    part = TensorDataset(x=np.zeros((2, 1)), y=np.zeros((2, 1)))
    with pytest.raises(UsageError) as raised:
        check_sample(SampleConfig(prompt="a"), Split(part, part))
    assert str(raised.value) == (
        "sample: the data has no vocabulary to write text with; take [sample] out, or use the "
        'source "text"'
    )
