import math

import numpy as np
import pytest

import distgrad as dg
from distgrad.training.models import GPT

SHAPE = {"layers": 2, "width": 16, "heads": 4, "context": 6, "vocabulary": 9}


def tokens(*shape):
    return dg.tensor(np.random.default_rng(0).integers(9, size=shape))


def test_there_is_a_score_for_each_token_at_each_place():
    assert GPT(**SHAPE)(tokens(3, 6)).shape == (3, 6, 9)
    assert GPT(**SHAPE)(tokens(3, 2)).shape == (3, 2, 9)


def test_a_score_depends_on_no_later_token():
    model, sequence = GPT(**SHAPE), tokens(1, 6)
    before = model(sequence).data
    for place in range(6):
        changed = sequence.data.copy()
        changed[0, place] = (changed[0, place] + 1) % 9
        after = model(dg.tensor(changed)).data
        np.testing.assert_array_equal(after[0, :place], before[0, :place])
        assert (after[0, place:] != before[0, place:]).any(-1).all()


def test_a_shorter_sequence_has_the_scores_of_its_beginning():
    model, sequence = GPT(**SHAPE), tokens(2, 6)
    np.testing.assert_allclose(
        model(sequence[:, :4]).data, model(sequence).data[:, :4], rtol=1e-5, atol=1e-6
    )


def test_the_output_layer_is_the_token_embedding():
    model = GPT(**SHAPE)
    names = [name for name, _ in model.named_parameters()]
    assert names[:2] == ["tokens.weight", "positions.weight"]
    assert not any("head" in name for name in names)
    block = 12 * 16**2 + 13 * 16  # four matrices with biases, two normalisations
    assert sum(p.numel() for p in model.parameters()) == 9 * 16 + 6 * 16 + 2 * block + 2 * 16


def test_a_fresh_model_knows_nothing():
    model = GPT(layers=4, width=128, heads=4, context=32, vocabulary=100)
    scores = model(dg.tensor(np.arange(96).reshape(3, 32))).data
    loss = np.log(np.exp(scores).sum(-1)) - scores[..., 0]
    assert loss.mean() == pytest.approx(math.log(100), abs=0.3)


def test_initial_values():
    dg.manual_seed(0)
    model = GPT(layers=8, width=64, heads=4, context=64, vocabulary=100)
    for name, parameter in model.named_parameters():
        values = parameter.data
        if name.endswith("bias"):
            assert not values.any(), name
        elif parameter.ndim < 2:
            assert (values == 1).all(), name
        else:
            is_end = name.endswith(("out_proj.weight", "shrink.weight"))
            assert values.std() == pytest.approx(0.02 / 4 if is_end else 0.02, rel=0.1), name


def test_the_seed_names_the_initial_values():
    def made(seed):
        dg.manual_seed(seed)
        return GPT(**SHAPE)(tokens(1, 6)).data

    np.testing.assert_array_equal(made(3), made(3))
    assert (made(3) != made(4)).any()


def test_dropout_is_for_training():
    model = GPT(**SHAPE, dropout=0.5)
    assert (model(tokens(2, 6)).data != model(tokens(2, 6)).data).any()
    model.eval()
    np.testing.assert_array_equal(model(tokens(2, 6)).data, model(tokens(2, 6)).data)


def test_a_sequence_that_is_too_long():
    with pytest.raises(ValueError) as raised:
        GPT(**SHAPE)(tokens(1, 7))
    assert str(raised.value) == (
        "a sequence of 7 tokens is longer than the context of 6; give the last tokens only"
    )


def test_heads_divide_the_width():
    with pytest.raises(ValueError, match=r"16.*3|3.*16"):
        GPT(**(SHAPE | {"heads": 3}))


@pytest.mark.parametrize("missing", ["context", "vocabulary"])
def test_what_the_data_does_not_tell_must_be_given(missing):
    with pytest.raises(ValueError, match="needs context and vocabulary: the longest sequence"):
        GPT(**(SHAPE | {missing: None}))
