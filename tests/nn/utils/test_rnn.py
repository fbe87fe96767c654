import pickle
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import distgrad as dg
from distgrad.nn.utils.rnn import (
    PackedSequence,
    invert_permutation,
    pack_padded_sequence,
    pack_sequence,
    pad_packed_sequence,
    pad_sequence,
    unpack_sequence,
    unpad_sequence,
)

LENGTHS = st.lists(st.integers(1, 5), min_size=1, max_size=5)


def normal(*shape, seed=0):
    return dg.tensor(np.random.default_rng(seed).standard_normal(shape), requires_grad=True)


def sequences_of(lengths, *features):
    return [normal(length, *features, seed=k) for k, length in enumerate(lengths)]


def values(tensors):
    return [x.tolist() for x in tensors]


@given(lengths=LENGTHS, features=st.sampled_from([(), (2,), (2, 1)]))
def test_what_was_packed_is_unpacked(lengths, features):
    sequences = sequences_of(lengths, *features)
    packed = pack_sequence(sequences, enforce_sorted=False)
    assert values(unpack_sequence(packed)) == values(sequences)
    padded, found = pad_packed_sequence(packed)
    assert found.tolist() == lengths
    assert padded.tolist() == pad_sequence(sequences).tolist()
    assert values(unpad_sequence(padded, lengths)) == values(sequences)


@given(lengths=LENGTHS, batch_first=st.booleans())
def test_the_elements_lie_step_by_step(lengths, batch_first):
    lengths = sorted(lengths, reverse=True)
    sequences = sequences_of(lengths, 2)
    padded = pad_sequence(sequences, batch_first, padding_value=9.0)
    packed = pack_padded_sequence(padded, lengths, batch_first)
    steps = [[x[step].tolist() for x in sequences if step < len(x)] for step in range(max(lengths))]
    assert packed.data.tolist() == [element for step in steps for element in step]
    assert packed.batch_sizes.tolist() == [len(step) for step in steps]
    assert packed.sorted_indices is None
    assert packed.unsorted_indices is None


def test_sequences_in_any_order():
    padded = dg.tensor([[1, 2, 3], [0, 5, 6], [0, 0, 9]])
    packed = pack_padded_sequence(padded, [1, 2, 3], enforce_sorted=False)
    assert packed.sorted_indices.tolist() == [2, 1, 0]
    assert packed.unsorted_indices.tolist() == [2, 1, 0]
    assert packed.data.tolist() == [3, 2, 1, 6, 5, 9]
    equal = pack_padded_sequence(dg.ones(2, 4), [1, 2, 2, 1], enforce_sorted=False)
    assert equal.sorted_indices.tolist() == [1, 2, 0, 3]  # those of one length stay in order


def test_lengths_may_be_a_tensor_and_end_before_the_padding():
    packed = pack_padded_sequence(dg.tensor([[1], [2], [3]]), dg.tensor([2]))
    assert packed.data.tolist() == [1, 2]
    padded, lengths = pad_packed_sequence(packed, total_length=4, padding_value=-1)
    assert padded.tolist() == [[1], [2], [-1], [-1]]
    assert lengths.tolist() == [2]


def test_padding_on_the_left():
    padded = pad_sequence([dg.tensor([1, 2, 3]), dg.tensor([4])], True, 7, padding_side="left")
    assert padded.tolist() == [[1, 2, 3], [7, 7, 4]]
    assert padded.dtype == np.int64


def test_an_empty_sequence_may_be_padded():
    assert pad_sequence([dg.zeros(0, 2), dg.ones(1, 2)]).tolist() == [[[0.0, 0.0], [1.0, 1.0]]]


def test_float32_stays_float32():
    padded, _ = pad_packed_sequence(pack_sequence([dg.ones(2, 3), dg.ones(1, 3)]))
    assert padded.dtype == np.float32


def test_gradients():
    sequences = sequences_of([2, 3, 1], 2)

    def through(*xs):
        packed = pack_sequence(list(xs), enforce_sorted=False)
        padded, _ = pad_packed_sequence(packed, batch_first=True, padding_value=3.0)
        return packed.data, padded, pad_sequence(list(xs), padding_side="left")

    assert dg.autograd.gradcheck(through, sequences)
    assert dg.autograd.gradgradcheck(through, sequences)


def test_padding_gets_no_gradient():
    x = normal(3, 2, 2)
    pack_padded_sequence(x, [3, 1]).data.sum().backward()
    assert x.grad[:, :, 0].tolist() == [[1, 1], [1, 0], [1, 0]]


def test_a_packed_sequence_is_a_tuple_of_four():
    packed = pack_sequence([dg.tensor([1.0, 2.0]), dg.tensor([3.0])], enforce_sorted=False)
    data, batch_sizes, order, back = packed
    assert (data.tolist(), batch_sizes.tolist()) == ([1, 3, 2], [2, 1])
    assert order.tolist() == back.tolist() == [0, 1]
    double = packed.to(dg.float64)
    assert isinstance(double, PackedSequence)
    assert double.data.dtype == np.float64
    assert double.batch_sizes is batch_sizes
    assert PackedSequence(data, batch_sizes, dg.tensor([1, 2, 0])).unsorted_indices.tolist() == [
        *(2, 0, 1)
    ]
    assert invert_permutation(None) is None


@pytest.mark.parametrize(
    ("x", "lengths", "error", "message"),
    [
        (dg.ones(3), [3], ValueError, "the input must have shape (T, N, ...), or (N, T, ...) with"),
        (dg.ones(3, 2), [3], RuntimeError, "a length for each, got 1 lengths for 2 sequences"),
        (dg.ones(3, 0), [], RuntimeError, "at least one sequence and a length for each, got 0 len"),
        (dg.ones(3, 2), [3, 0], RuntimeError, "lengths must be from 1 to 3, that of the"),
        (dg.ones(3, 2), [4, 1], RuntimeError, "from 1 to 3, that of the padded sequences, got [4"),
        (dg.ones(3, 2), [1, 2], RuntimeError, "enforce_sorted=True the lengths must not incr"),
    ],
)
def test_packing_is_refused(x, lengths, error, message):
    with pytest.raises(error, match=re.escape(message)):
        pack_padded_sequence(x, lengths)


def test_padding_is_refused():
    packed = pack_sequence([dg.ones(3)])
    with pytest.raises(ValueError, match="total_length 2 is less than the length 3 of the longest"):
        pad_packed_sequence(packed, total_length=2)
    with pytest.raises(RuntimeError, match="sequences must be iterable, got int"):
        pad_sequence(3)
    with pytest.raises(RuntimeError, match="received an empty list of sequences; give"):
        pad_sequence([])
    with pytest.raises(ValueError, match=r"differ in the length only, got \(2, 3\), \(2, 4\)"):
        pad_sequence([dg.ones(2, 3), dg.ones(2, 4)])
    with pytest.raises(ValueError, match="padding_side must be 'left' or 'right', got 'top'"):
        pad_sequence([dg.ones(2)], padding_side="top")
    with pytest.raises(ValueError, match="got 1 lengths for 2 sequences; give each its own"):
        unpad_sequence(dg.ones(3, 2), [3])


def test_it_is_pytorchs():
    torch = pytest.importorskip("torch")
    theirs = torch.nn.utils.rnn
    x = np.random.default_rng(0).standard_normal((4, 3, 2))
    for lengths in ([4, 2, 2], [2, 4, 1], [1, 1, 3]):
        for batch_first in (False, True):
            padded = x.swapaxes(0, 1) if batch_first else x
            ours = pack_padded_sequence(dg.tensor(padded), lengths, batch_first, False)
            other = theirs.pack_padded_sequence(torch.tensor(padded), lengths, batch_first, False)
            for a, b in zip(ours, other, strict=True):
                np.testing.assert_array_equal(a.data, b.numpy())
            back = pad_packed_sequence(ours, batch_first, 5.0, 6)
            expected = theirs.pad_packed_sequence(other, batch_first, 5.0, 6)
            for a, b in zip(back, expected, strict=True):
                np.testing.assert_array_equal(a.data, b.numpy())


def test_pickling():
    packed = pack_sequence([dg.tensor([1, 2]), dg.tensor([3])])
    copy = pickle.loads(pickle.dumps(packed))
    assert isinstance(copy, PackedSequence)
    assert copy.data.tolist() == [1, 3, 2]
