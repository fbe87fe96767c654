"""Text as sequences of characters."""

from operator import methodcaller
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from distgrad.backend import Array
from distgrad.data.checks import checked_integer
from distgrad.data.compact import CompactDataset
from distgrad.data.sources.files import existing_file, readable
from distgrad.data.sources.split import Split
from distgrad.data.sources.vocabulary import Vocabulary
from distgrad.errors import UsageError

__all__ = ["TextDataset", "TextSplit", "text"]

_CODE_POINTS = 0x110000
_UTF_32 = "utf-32-le"


class TextDataset(CompactDataset):
    """Sequences of a text, each with the sequence of the characters that come next.

    ``x`` and ``y`` are int64 of shape (n, context): sequence i begins at character ``i * stride``,
    and ``y`` is one character further. In memory is the text, once.

    Args:
        ids: The text as numbers of characters, of shape (characters,).
        vocabulary: What the numbers stand for.
        context: Length of a sequence.
        stride: From one sequence to the next; with ``context`` they do not overlap. What remains
            behind the last whole sequence is left out.

    Raises:
        ValueError: If the text has fewer than ``context + 1`` characters.

    Example:
        >>> vocabulary = Vocabulary("ab ")
        >>> dataset = TextDataset(vocabulary.encode("ab ba ab"), vocabulary, context=3, stride=3)
        >>> batch = dataset.take([0, 1])
        >>> vocabulary.decode(batch.x.data), vocabulary.decode(batch.y.data)
        ('ab ba ', 'b ba a')
    """

    def __init__(self, ids: Array, vocabulary: Vocabulary, context: int, stride: int) -> None:
        if len(ids) <= context:
            raise ValueError(
                f"{len(ids)} characters are too few for context {context}, which needs "
                f"{context + 1}; use a longer text or a smaller context"
            )
        windows = sliding_window_view(ids, context + 1)[::stride]
        to_int64 = methodcaller("astype", np.int64)
        super().__init__({"x": to_int64, "y": to_int64}, x=windows[:, :-1], y=windows[:, 1:])
        self.ids = ids
        self.vocabulary = vocabulary
        self.context = context
        self.stride = stride

    @property
    def content(self) -> dict[str, Array]:
        """The vocabulary as code points, and the text as numbers of its characters."""
        return {"vocabulary": _code_points(self.vocabulary.characters), "ids": self.ids}

    def __reduce__(self) -> tuple[Any, ...]:
        # The windows are views, and would be copied one by one.
        return TextDataset, (self.ids, self.vocabulary, self.context, self.stride)


class TextSplit(Split):
    """A split of a text: both parts have one vocabulary."""

    train: TextDataset
    test: TextDataset

    @property
    def vocabulary(self) -> Vocabulary:
        """The characters of the whole text."""
        return self.train.vocabulary


def text(
    path: str | None = None,
    context: int = 64,
    stride: int | None = None,
    test_fraction: float = 0.1,
) -> TextSplit:
    """Return sequences of ``context`` characters of a text, to predict the next character of each.

    The end of the text is held out. Its sequences do not overlap, so that each character counts
    once in an evaluation. Line ends stay as they are. The vocabulary is that of the whole text, in
    the order of the code points.

    Args:
        path: A UTF-8 file. Default: the documentation of the Python language that every Python
            carries (``pydoc_data.topics``, sorted by topic), about 465 000 characters; it differs
            between versions of Python.
        context: Length of a sequence.
        stride: From one sequence to train on to the next. Default: ``context``, so that an epoch
            sees each character once; 1 gives a sequence from every character.
        test_fraction: Share of the characters that is held out, rounded to a whole number.

    Raises:
        UsageError: If the file is missing or not UTF-8, or if a part of the text has fewer than
            ``context + 1`` characters.
        ValueError: If ``context`` or ``stride`` is not positive, or ``test_fraction`` not between
            0 and 1.

    Example:
        >>> split = text(context=32)
        >>> batch = split.train.take(range(8))
        >>> batch.x.shape, batch.y.shape
        ((8, 32), (8, 32))
        >>> lines = split.vocabulary.decode(batch.x.data)
        >>> split.vocabulary.encode(lines).tolist() == batch.x.data.ravel().tolist()
        True
    """
    context = checked_integer("context", context, minimum=1)
    stride = context if stride is None else checked_integer("stride", stride, minimum=1)
    if not 0 < test_fraction < 1:
        raise ValueError(f"test_fraction must be between 0 and 1, as 0.1 is; got {test_fraction}")
    codes = _code_points(_python_documentation() if path is None else _read(path))
    held_out = round(len(codes) * test_fraction)
    if min(held_out, len(codes) - held_out) <= context:
        raise UsageError(
            f"{path or 'the built-in text'}: {len(codes)} characters, of which test_fraction "
            f"{test_fraction} holds out {held_out}, are too few: context {context} needs at least "
            f"{context + 1} to train on and {context + 1} to test on; use a longer text or a "
            "smaller context"
        )
    vocabulary, ids = _numbered(codes)
    train, test = np.split(ids, [len(ids) - held_out])
    return TextSplit(
        TextDataset(train, vocabulary, context, stride),
        TextDataset(test, vocabulary, context, stride=context),
    )


def _numbered(codes: NDArray[np.uint32]) -> tuple[Vocabulary, Array]:
    """Return the vocabulary of a text and the text as its numbers, in the smallest data type."""
    present = np.zeros(_CODE_POINTS, np.bool_)
    present[codes] = True
    used = np.flatnonzero(present)
    table = np.zeros(_CODE_POINTS, np.min_scalar_type(len(used) - 1))
    table[used] = np.arange(len(used))
    return Vocabulary(used.astype("<u4").tobytes().decode(_UTF_32)), table[codes]


def _code_points(characters: str) -> NDArray[np.uint32]:
    return np.frombuffer(characters.encode(_UTF_32), "<u4").astype(np.uint32, copy=False)


def _read(path: str) -> str:
    file = existing_file(path)
    with readable(file):
        content = file.read_bytes()
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise UsageError(
            f"{path}: is not UTF-8: byte {error.start} (0x{content[error.start]:02x}) cannot stand "
            f"there ({error.reason}); convert the file, as by `iconv -t UTF-8`"
        ) from error


def _python_documentation() -> str:
    try:
        from pydoc_data.topics import topics
    except ImportError as error:
        raise UsageError(
            "this Python comes without its documentation (no module pydoc_data.topics); give the "
            "path of a text"
        ) from error
    return "\n".join(topics[name] for name in sorted(topics))
