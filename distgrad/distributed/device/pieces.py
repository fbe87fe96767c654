"""Arrays cut into pieces that fit into a buffer."""

from collections.abc import Mapping, Sequence

from distgrad.backend import Array

__all__ = ["cut", "first", "pieces", "rows"]


def pieces(array: Array, nbytes: int) -> list[Array]:
    """Cut a contiguous array into vectors of at most so many bytes, which share its memory."""
    flat = array.reshape(-1)
    length = nbytes // flat.itemsize
    return [flat[start : start + length] for start in range(0, flat.size, length)]


def cut(messages: Mapping[int, Sequence[Array]], nbytes: int) -> dict[int, list[Array]]:
    """Return the pieces of all arrays from or to each peer."""
    return {
        peer: [piece for array in arrays for piece in pieces(array, nbytes)]
        for peer, arrays in messages.items()
    }


def rows(array: Array) -> list[Array]:
    """Return the parts along the first axis as vectors that share the memory."""
    flat = array.reshape(-1)
    length = flat.size // len(array)
    return [flat[row * length : (row + 1) * length] for row in range(len(array))]


def first(buffer: Array, like: Array) -> Array:
    """Return the first bytes of a buffer as an array of the size and type of another."""
    return buffer[: like.nbytes].view(like.dtype)
