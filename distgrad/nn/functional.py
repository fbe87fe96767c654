"""The functions of neural networks, with PyTorch's names and arguments; by custom ``F``."""

from typing import Any

from distgrad import ops
from distgrad.autograd import next_generator
from distgrad.backend.dtypes import is_floating
from distgrad.creation import as_tensor
from distgrad.functional import relu, tanh
from distgrad.tensor import Tensor, apply

__all__ = ["cross_entropy", "dropout", "linear", "log_softmax", "mse_loss", "relu", "tanh"]

_REDUCTIONS = ("none", "mean", "sum")


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


def log_softmax(input: Tensor, dim: int) -> Tensor:
    """Return the logarithms of the softmax along ``dim``, computed without overflow.

    Raises:
        TypeError: If ``input`` is not of floating-point type.

    Example:
        >>> import distgrad as dg
        >>> log_softmax(dg.tensor([0.0, 1000.0]), dim=0)
        tensor([-1000.,     0.])
    """
    _check_floating("log_softmax", input)
    return apply(ops.log_softmax, input, axis=dim)


def cross_entropy(
    input: Tensor, target: Tensor, *, reduction: str = "mean", ignore_index: int = -100
) -> Tensor:
    """Return the cross-entropy between the softmax of scores and integer classes.

    Args:
        input: Scores, (classes,), (N, classes) or (N, classes, ...).
        target: Classes from 0 to classes - 1, of integer type: (), (N,) or (N, ...).
        reduction: "mean" over the targets that are not ignored, "sum", or "none".
        ignore_index: A target that is left out.

    Raises:
        ValueError: If shapes or the reduction do not fit.
        TypeError: If the targets are not integers, or the scores not floating-point numbers.
        IndexError: If a target is not a class.

    Example:
        >>> import distgrad as dg
        >>> cross_entropy(dg.zeros(2, 4), dg.tensor([0, 3]), reduction="sum")
        tensor(2.7726)
    """
    _check_reduction("cross_entropy", reduction)
    _check_floating("cross_entropy", input)
    target = as_tensor(target)
    axis = 0 if input.ndim == 1 else 1
    expected = input.shape[:axis] + input.shape[axis + 1 :]
    if target.shape != expected:
        raise ValueError(
            f"cross_entropy: scores of shape {input.shape} need targets of shape {expected}, "
            f"got {target.shape}"
        )
    if target.dtype.kind not in "iu":
        raise TypeError(f"cross_entropy: targets must be integers, not {target.dtype}")
    return apply(
        ops.cross_entropy,
        input,
        target=target.data.copy(),  # the backward pass reads it again: nobody may change it
        axis=axis,
        reduction=reduction,
        ignore_index=ignore_index,
    )


def mse_loss(input: Tensor, target: Tensor, *, reduction: str = "mean") -> Tensor:
    """Return the squared difference of two tensors of one shape.

    Args:
        input: Predictions.
        target: What they should be.
        reduction: "mean" over all elements, "sum", or "none".

    Raises:
        ValueError: If the shapes differ, or the reduction is unknown.
        TypeError: If ``input`` is not of floating-point type.

    Example:
        >>> import distgrad as dg
        >>> mse_loss(dg.tensor([1.0, 3.0]), dg.zeros(2))
        tensor(5.)
    """
    _check_reduction("mse_loss", reduction)
    _check_floating("mse_loss", input)
    if input.shape != target.shape:
        raise ValueError(
            f"mse_loss: input and target must have one shape, got {input.shape} and "
            f"{target.shape}; reshape() one of them"
        )
    return apply(ops.mse_loss, input, target, reduction=reduction)


def dropout(input: Tensor, p: float = 0.5, training: bool = True) -> Tensor:
    """Set each element to 0 with probability ``p`` and scale the others by 1 / (1 - p).

    The bits are a call of the current random scope, 32 for an element: inside
    `DataParallel.accumulate` they depend on (seed, step, micro-batch, call), never on the rank.

    Args:
        input: Any shape.
        p: From 0 to 1; 0.5 by default.
        training: Outside training the input is returned.

    Raises:
        ValueError: If ``p`` is not a probability.
        TypeError: If ``input`` is not of floating-point type.

    Example:
        >>> import distgrad as dg
        >>> dropout(dg.ones(3), p=1.0)
        tensor([0., 0., 0.])

    Reference:
        N. Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting",
        JMLR 15 (2014).
    """
    if not 0 <= p <= 1:
        raise ValueError(f"dropout: p must be from 0 to 1, got {p}")
    _check_floating("dropout", input)
    if not training or p == 0:
        return input
    return apply(ops.dropout, input, _dropout_mask(input, p))


def _dropout_mask(input: Tensor, p: float) -> Any:
    count = input.numel()
    words = next_generator().bit_generator.random_raw(-(-count // 2))
    bits = words.astype("<u8", copy=False).view("<u4")[:count]
    kept = bits >= round(p * 2**32)
    scale = input.dtype.type(1 / (1 - p) if p < 1 else 0)
    return (kept * scale).reshape(input.shape)


def _check_floating(name: str, input: Tensor) -> None:
    if not is_floating(input.dtype):
        raise TypeError(f"{name}: the input must be of floating-point type, not {input.dtype}")


def _check_reduction(name: str, reduction: str) -> None:
    if reduction not in _REDUCTIONS:
        raise ValueError(f"{name}: reduction must be one of {_REDUCTIONS}, got {reduction!r}")
