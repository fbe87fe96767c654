"""Losses."""

from distgrad import ops
from distgrad.creation import as_tensor
from distgrad.nn.functional.checks import check_floating, check_reduction
from distgrad.ops import Op
from distgrad.tensor import Tensor, apply

__all__ = ["cross_entropy", "mse_loss", "nll_loss"]


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
    return _of_classes(ops.cross_entropy, input, target, reduction, ignore_index)


def nll_loss(
    input: Tensor, target: Tensor, *, reduction: str = "mean", ignore_index: int = -100
) -> Tensor:
    """Return the negative log likelihood of integer classes.

    Args:
        input: Log probabilities, such as `log_softmax` gives; shapes, the other arguments and
            errors are those of `cross_entropy`.
        target: Classes.
        reduction: "mean" over the targets that are not ignored, "sum", or "none".
        ignore_index: A target that is left out.

    Example:
        >>> import distgrad as dg
        >>> nll_loss(dg.tensor([[-0.5, -1.0]]), dg.tensor([1]))
        tensor(1.)
    """
    return _of_classes(ops.nll_loss, input, target, reduction, ignore_index)


def _of_classes(op: Op, input: Tensor, target: Tensor, reduction: str, ignore_index: int) -> Tensor:
    name = op.name
    check_reduction(name, reduction)
    check_floating(name, input)
    target = as_tensor(target)
    axis = 0 if input.ndim == 1 else 1
    expected = input.shape[:axis] + input.shape[axis + 1 :]
    if target.shape != expected:
        raise ValueError(
            f"{name}: scores of shape {input.shape} need targets of shape {expected}, got "
            f"{target.shape}"
        )
    if target.dtype.kind not in "iu":
        raise TypeError(f"{name}: targets must be integers, not {target.dtype}")
    return apply(
        op,
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
    check_reduction("mse_loss", reduction)
    check_floating("mse_loss", input)
    if input.shape != target.shape:
        raise ValueError(
            f"mse_loss: input and target must have one shape, got {input.shape} and "
            f"{target.shape}; reshape() one of them"
        )
    return apply(ops.mse_loss, input, target, reduction=reduction)
