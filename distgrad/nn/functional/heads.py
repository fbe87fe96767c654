"""The heads of attention: what is mapped to them, and how they lie side by side."""

from collections.abc import Sequence
from itertools import groupby

from distgrad.nn.functional.linear import linear
from distgrad.tensor import Tensor

__all__ = ["map_packed", "map_separately", "merge_heads", "split_heads"]


def split_heads(input: Tensor, num_heads: int, parts: int = 1) -> list[Tensor]:
    """Return (N, heads, T, D) for each of the parts that lie side by side in (N, T, parts * E).

    E is ``num_heads * D``.
    """
    samples, length, width = input.shape
    features = width // (parts * num_heads)
    if parts == 1:
        return [input.reshape(samples, length, num_heads, features).transpose(1, 2)]
    together = input.reshape(samples, length, parts, num_heads, features)
    return [together[:, :, part].transpose(1, 2) for part in range(parts)]


def merge_heads(input: Tensor) -> Tensor:
    """Return (N, T, heads * D) for what the heads gather, (N, heads, T, D)."""
    samples, heads, length, features = input.shape
    return input.transpose(1, 2).reshape(samples, length, heads * features)


def map_packed(
    inputs: Sequence[Tensor], weight: Tensor | None, bias: Tensor | None, num_heads: int
) -> list[Tensor]:
    """Return queries, keys and values by head, mapped by the rows of one weight.

    Where one object is given several times in a row, one product maps it.

    Args:
        inputs: Three of shape (N, T, E).
        weight: (3 * E, E)
        bias: (3 * E,) or None.
        num_heads: Number of heads.
    """
    width = inputs[0].shape[-1]
    weight = _checked("in_proj_weight", weight, (3 * width, width))
    if bias is not None:
        _checked("in_proj_bias", bias, (3 * width,))
    heads: list[Tensor] = []
    for _, run in groupby(inputs, id):
        same = list(run)
        w, b = weight, bias
        if len(same) < 3:
            rows = slice(len(heads) * width, (len(heads) + len(same)) * width)
            w, b = weight[rows], None if bias is None else bias[rows]
        heads += split_heads(linear(same[0], w, b), num_heads, len(same))
    return heads


def map_separately(
    inputs: Sequence[Tensor],
    weights: Sequence[Tensor | None],
    bias: Tensor | None,
    num_heads: int,
) -> list[Tensor]:
    """Return queries, keys and values by head, mapped by a weight each.

    Args:
        inputs: (N, L, E), (N, S, E_k) and (N, S, E_v).
        weights: (E, E), (E, E_k) and (E, E_v).
        bias: (3 * E,), the three one after another, or None.
        num_heads: Number of heads.
    """
    width = inputs[0].shape[-1]
    if bias is not None:
        _checked("in_proj_bias", bias, (3 * width,))
    heads: list[Tensor] = []
    for name, input, given in zip("qkv", inputs, weights, strict=True):
        weight = _checked(f"{name}_proj_weight", given, (width, input.shape[-1]))
        rows = slice(len(heads) * width, (len(heads) + 1) * width)
        mapped = linear(input, weight, None if bias is None else bias[rows])
        heads += split_heads(mapped, num_heads)
    return heads


def _checked(name: str, tensor: Tensor | None, shape: tuple[int, ...]) -> Tensor:
    found = None if tensor is None else tensor.shape
    if tensor is None or found != shape:
        raise ValueError(f"attention: {name} must have shape {shape}, got {found}")
    return tensor
