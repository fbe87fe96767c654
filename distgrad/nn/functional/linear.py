"""Affine maps, and those that are linear in each of two inputs."""

from distgrad import ops
from distgrad.tensor import Tensor, apply

__all__ = ["bilinear", "linear", "linear_relu"]


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
        tensor([[3.5000]])
    """
    _check("linear", input, weight, bias)
    return apply(ops.linear, input, weight, bias)


def linear_relu(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Return ``relu(linear(input, weight, bias))``, with the same bits, in one operation.

    Arguments and errors are those of `linear`.

    Example:
        >>> import distgrad as dg
        >>> linear_relu(dg.ones(1, 2), dg.tensor([[1.0, 2.0], [1.0, -2.0]]), dg.tensor([0.5, 0.5]))
        tensor([[3.5000, 0.0000]])
    """
    _check("linear_relu", input, weight, bias)
    return apply(ops.linear_relu, input, weight, bias)


def _check(name: str, input: Tensor, weight: Tensor, bias: Tensor | None) -> None:
    shape, dtype = weight.shape, weight.dtype
    if len(shape) != 2 or (bias is not None and bias.shape != shape[:1]):
        raise ValueError(
            f"{name}: weight must have shape (out, in) and bias (out,), got "
            f"{shape} and {None if bias is None else bias.shape}"
        )
    if input.shape[-1:] != shape[1:]:
        raise ValueError(
            f"{name}: the input's last axis must have length {shape[-1]} for a weight of "
            f"shape {shape}, got an input of shape {input.shape}"
        )
    if input.dtype != dtype or (bias is not None and bias.dtype != dtype):
        raise RuntimeError(
            f"{name}: input, weight and bias must have one data type, got {input.dtype}, "
            f"{dtype} and {None if bias is None else bias.dtype}; convert with .to()"
        )


def bilinear(input1: Tensor, input2: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Return ``input1 @ weight[k] @ input2`` for each k, plus the bias.

    Args:
        input1: (..., in1)
        input2: (..., in2), with the same leading axes and data type.
        weight: (out, in1, in2), of the same data type.
        bias: (out,) or None

    Returns:
        A Tensor of shape (..., out).

    Raises:
        ValueError: If the shapes do not fit.
        RuntimeError: If the data types differ.

    Example:
        >>> import distgrad as dg
        >>> bilinear(dg.tensor([[2.0]]), dg.tensor([[3.0, 1.0]]), dg.ones(1, 1, 2))
        tensor([[8.]])
    """
    if (
        weight.ndim != 3
        or input1.shape[:-1] != input2.shape[:-1]
        or (*input1.shape[-1:], *input2.shape[-1:]) != weight.shape[1:]
    ):
        raise ValueError(
            "bilinear: inputs must have shapes (..., in1) and (..., in2) for a weight of shape "
            f"(out, in1, in2), got {input1.shape}, {input2.shape} and {weight.shape}"
        )
    outputs, width = weight.shape[:2]
    if input1.dtype != weight.dtype:
        raise RuntimeError(
            f"bilinear: inputs and weight must have one data type, got {input1.dtype} and "
            f"{weight.dtype}; convert with .to()"
        )
    mixed = linear(input2, weight.reshape(outputs * width, weight.shape[2]))
    mixed = mixed.reshape(*input1.shape[:-1], outputs, width)
    result = (mixed @ input1.unsqueeze(-1)).squeeze(-1)
    return result if bias is None else result + _checked_bias(bias, weight)


def _checked_bias(bias: Tensor, weight: Tensor) -> Tensor:
    if bias.shape != weight.shape[:1]:
        raise ValueError(
            f"bilinear: a weight of shape {weight.shape} needs a bias of shape {weight.shape[:1]}, "
            f"got {bias.shape}"
        )
    return bias
