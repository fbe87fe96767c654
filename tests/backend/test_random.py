"""Random bits by key: against an independent Philox, and told apart by every word."""

import numpy as np
import pytest

from distgrad.backend import Stream, philox

WORD = 2**64


def philox_4x64_10(counter: list[int], key: list[int]) -> list[int]:
    """One block, written from the paper: ten rounds of two multiplications."""
    c, k = list(counter), list(key)
    for _ in range(10):
        high0, low0 = divmod(0xD2E7470EE14C6C93 * c[0], WORD)
        high1, low1 = divmod(0xCA5A826395121157 * c[2], WORD)
        c = [high1 ^ c[1] ^ k[0], low1, high0 ^ c[3] ^ k[1], low0]
        k = [(k[0] + 0x9E3779B97F4A7C15) % WORD, (k[1] + 0xBB67AE8584CAA73B) % WORD]
    return c


def test_the_reference_itself() -> None:
    # The known answers published with Random123 for philox4x64 with 10 rounds.
    assert philox_4x64_10([0, 0, 0, 0], [0, 0]) == [
        0x16554D9ECA36314C,
        0xDB20FE9D672D0FDC,
        0xD7E772CEE186176B,
        0x7E68B68AEC7BA23B,
    ]
    ones = WORD - 1
    assert philox_4x64_10([ones] * 4, [ones] * 2) == [
        0x87B092C3013FE90B,
        0x438C3C67BE8D0224,
        0x9CC7D7C69CD777B6,
        0xA09CAEBF594F0BA0,
    ]


@pytest.mark.parametrize("seed", [0, 1, 12345678901234567890, WORD - 1])
@pytest.mark.parametrize("stream", list(Stream))
@pytest.mark.parametrize("words", [(), (5,), (3, 2), (3, 2, 1), (WORD - 1, 2**63, WORD - 2)])
def test_bits(seed: int, stream: Stream, words: tuple[int, ...]) -> None:
    drawn = philox(seed, stream, *words).bit_generator.random_raw(12).tolist()
    high_first = list(words[::-1])
    padding = [0] * (3 - len(words))
    blocks = [philox_4x64_10([block, *high_first, *padding], [seed, stream]) for block in (1, 2, 3)]
    assert drawn == [word for block in blocks for word in block]


def test_a_known_draw() -> None:
    assert (
        philox(0, Stream.MODEL).bit_generator.random_raw(2).tolist()
        == philox_4x64_10([1, 0, 0, 0], [0, 0])[:2]
    )


def test_every_word_tells_draws_apart() -> None:
    keys = [
        (seed, stream, *words)
        for seed in (0, 1)
        for stream in Stream
        for words in [(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 0), (2, 0, 0)]
    ]
    draws = {tuple(philox(*key).bit_generator.random_raw(4).tolist()) for key in keys}
    assert len(draws) == len(keys)


def test_fewer_words_stand_for_leading_zeros() -> None:
    one = philox(3, Stream.ORDER, 7).random(4)
    np.testing.assert_array_equal(one, philox(3, Stream.ORDER, 0, 7).random(4))
    np.testing.assert_array_equal(one, philox(3, Stream.ORDER, 0, 0, 7).random(4))


def test_neighbouring_draws_do_not_overlap() -> None:
    one = set(philox(0, Stream.MODEL, 0, 0, 0).bit_generator.random_raw(4096).tolist())
    two = set(philox(0, Stream.MODEL, 0, 0, 1).bit_generator.random_raw(4096).tolist())
    assert one.isdisjoint(two)


def test_streams_keep_their_numbers() -> None:
    numbers = {stream.name: int(stream) for stream in Stream}
    assert numbers == {"MODEL": 0, "ORDER": 1, "DATA": 2, "SAMPLE": 3}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((-1, 0), r"seed must be from 0 to 2\*\*64 - 1, got -1"),
        ((WORD, 0), "seed must be from 0"),
        ((0, -1), "stream must be from 0"),
        ((0, 0, 1, -5), r"counter must be from 0 to 2\*\*64 - 1, got -5"),
        ((0, 0, 1, 2, 3, 4), "at most 3 counter words, got 4"),
    ],
)
def test_words_that_do_not_fit(arguments, message) -> None:
    with pytest.raises(ValueError, match=message):
        philox(*arguments)


@pytest.mark.parametrize("arguments", [(1.5, 0), (0, 0, 2.0), (0, 0, "3")])
def test_words_that_are_no_integers(arguments) -> None:
    with pytest.raises(TypeError):
        philox(*arguments)


def test_numpy_integers_are_words() -> None:
    one = philox(np.int64(3), Stream.DATA, np.uint64(WORD - 1)).random()
    assert one == philox(3, Stream.DATA, WORD - 1).random()
