"""Affine maps."""

from distgrad import ops
from distgrad.tensor import Tensor, apply

__all__ = ["linear"]


def linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Return ``input @ weight.T + bias``.

    Args:
        input: (..., in)
        weight: (out, in), of the input's data type
        bias: (out,) or None

    Raises:
        ValueError: If the shapes do not fit.
        RuntimeError: If the data types differ.

    Example:
        >>> import distgrad as dg
        >>> linear(dg.ones(1, 2), dg.tensor([[1.0, 2.0]]), dg.tensor([0.5]))
        tensor([[3.5]])
    """
    if weight.ndim != 2 or (bias is not None and bias.shape != weight.shape[:1]):
        raise ValueError(
            "linear: weight must have shape (out, in) and bias (out,), got "
            f"{weight.shape} and {None if bias is None else bias.shape}"
        )
    if not input.ndim or input.shape[-1] != weight.shape[-1]:
        raise ValueError(
            f"linear: the input's last axis must have length {weight.shape[-1]} for a weight of "
            f"shape {weight.shape}, got an input of shape {input.shape}"
        )
    if input.dtype != weight.dtype or (bias is not None and bias.dtype != weight.dtype):
        raise RuntimeError(
            f"linear: input, weight and bias must have one data type, got {input.dtype}, "
            f"{weight.dtype} and {None if bias is None else bias.dtype}; convert with .to()"
        )
    return apply(ops.linear, input, weight, bias)
