"""The characters that a text is made of."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from distgrad.backend import Array
from distgrad.tensor import Tensor

__all__ = ["Vocabulary"]


class Vocabulary:
    """The characters of a text, each with a number.

    Args:
        characters: Character i has number i; no character twice.

    Attributes:
        characters: The same: all that has to be kept to read a model's output later.

    Raises:
        ValueError: If there are no characters, or if one comes twice.

    Example:
        >>> vocabulary = Vocabulary("abn")
        >>> vocabulary.encode("banana").tolist()
        [1, 0, 2, 0, 2, 0]
        >>> vocabulary.decode([1, 0, 2])
        'ban'
    """

    def __init__(self, characters: str) -> None:
        self.characters = characters
        self._ids = {character: i for i, character in enumerate(characters)}
        if not characters or len(self._ids) < len(characters):
            twice = [c for i, c in enumerate(characters) if self._ids[c] != i]
            raise ValueError(
                f"a vocabulary is a string of characters, each once; got "
                f"{len(characters)} of them, and {''.join(twice)!r} more than once"
            )

    def __len__(self) -> int:
        return len(self.characters)

    def __repr__(self) -> str:
        return f"Vocabulary({self.characters!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Vocabulary) and self.characters == other.characters

    def __hash__(self) -> int:
        return hash(self.characters)

    def encode(self, text: str) -> NDArray[np.int64]:
        """Return the numbers of the characters.

        Raises:
            ValueError: If a character is not in the vocabulary.
        """
        try:
            return np.array([self._ids[character] for character in text], np.int64)
        except KeyError as error:
            unknown = error.args[0]
            raise ValueError(
                f"character {unknown!r} at position {text.index(unknown)} is none of the "
                f"{len(self)} in the vocabulary; do without it. The vocabulary: {self.characters!r}"
            ) from None

    def decode(self, ids: Sequence[int] | Array | Tensor) -> str:
        """Return the characters of the numbers, whatever the shape: in C order.

        Raises:
            TypeError: If they are not integers.
            ValueError: If a number is not from 0 to ``len(vocabulary) - 1``.
        """
        numbers = np.asarray(ids.data if isinstance(ids, Tensor) else ids).reshape(-1)
        if numbers.size and numbers.dtype.kind not in "iu":
            raise TypeError(f"the numbers of characters must be integers, got {numbers.dtype}")
        outside = numbers[(numbers < 0) | (numbers >= len(self))]
        if outside.size:
            raise ValueError(
                f"{outside[0]} is the number of no character: the vocabulary has {len(self)}, "
                f"numbered from 0 to {len(self) - 1}"
            )
        return "".join([self.characters[i] for i in numbers])
