import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import distgrad as dg
from distgrad.data import Vocabulary

ENGLISH = Vocabulary("abcdefghijklmnopqrstuvwxyz ")


@given(st.text(alphabet=ENGLISH.characters))
def test_decoding_undoes_encoding(text):
    ids = ENGLISH.encode(text)
    assert ids.dtype == np.int64
    assert ids.shape == (len(text),)
    assert ENGLISH.decode(ids) == text


@given(st.sets(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=50))
def test_any_characters(characters):
    vocabulary = Vocabulary("".join(sorted(characters)))
    assert vocabulary.encode(vocabulary.characters).tolist() == list(range(len(vocabulary)))
    again = pickle.loads(pickle.dumps(vocabulary))
    assert again == vocabulary
    assert hash(again) == hash(vocabulary)


def test_numbers_of_any_kind_and_shape_are_decoded():
    vocabulary = Vocabulary("abc")
    for ids in (
        [0, 2],
        (0, 2),
        np.array([0, 2], np.uint8),
        dg.tensor([0, 2]),
        np.array([[0], [2]]),
    ):
        assert vocabulary.decode(ids) == "ac"
    assert vocabulary.decode([]) == ""


def test_equality_and_repr():
    assert Vocabulary("ab") == Vocabulary("ab") != Vocabulary("ba")
    assert Vocabulary("ab") != "ab"
    assert repr(Vocabulary("ab")) == "Vocabulary('ab')"


@pytest.mark.parametrize(
    ("characters", "message"),
    [
        ("", "a string of characters, each once; got 0 of them, and '' more than once"),
        ("abcab", "got 5 of them, and 'ab' more than once"),
    ],
)
def test_bad_characters_are_refused(characters, message):
    with pytest.raises(ValueError, match=message):
        Vocabulary(characters)


def test_an_unknown_character_is_refused():
    message = r"character 'é' at position 3 is none of the 3 in the vocabulary; .* 'acf'"
    with pytest.raises(ValueError, match=message):
        Vocabulary("acf").encode("caféé")


@pytest.mark.parametrize("number", [-1, 3])
def test_a_number_of_no_character_is_refused(number):
    message = f"{number} is the number of no character: .* has 3, numbered from 0 to 2"
    with pytest.raises(ValueError, match=message):
        Vocabulary("abc").decode([0, number])


def test_fractions_are_refused():
    with pytest.raises(TypeError, match="must be integers, got float64"):
        Vocabulary("abc").decode([0.0, 1.0])
