"""Losses between scores and classes."""

import math

from distgrad import ops
from distgrad.backend.dtypes import is_floating
from distgrad.backend.listening import kept
from distgrad.creation import as_tensor
from distgrad.nn.functional.checks import check_floating, check_reduction
from distgrad.nn.functional.reduction import reduced
from distgrad.ops import Op
from distgrad.tensor import Tensor, apply

__all__ = ["cross_entropy", "nll_loss"]


def cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    *,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """Return the cross-entropy between the softmax of scores and classes, or probabilities of them.

    Args:
        input: Scores, (classes,), (N, classes) or (N, classes, ...).
        target: Classes from 0 to classes - 1, of integer type: (), (N,) or (N, ...). Or their
            probabilities, of the shape and the kind of ``input``.
        weight: (classes,), how much a target of each class counts, in the sum and in the mean.
            Default: 1 each.
        ignore_index: A target that is left out; not for probabilities.
        reduction: "mean" over the targets that are not ignored, "sum", or "none".
        label_smoothing: From 0 to 1: how much of each target is spread evenly over all classes.

    Raises:
        ValueError: If shapes, the reduction or ``label_smoothing`` do not fit.
        TypeError: If the scores are not floating-point numbers, or the targets neither those nor
            integers.
        IndexError: If a target is not a class.

    Example:
        >>> import distgrad as dg
        >>> cross_entropy(dg.zeros(2, 4), dg.tensor([0, 3]), reduction="sum")
        tensor(2.7726)
        >>> cross_entropy(dg.tensor([[0.0, 0.0]]), dg.tensor([[0.5, 0.5]]))
        tensor(0.6931)

    Reference:
        C. Szegedy et al., "Rethinking the Inception architecture for computer vision", CVPR 2016,
        for the smoothing of labels.
    """
    if not 0 <= label_smoothing <= 1:
        raise ValueError(
            f"cross_entropy: label_smoothing must be from 0 to 1, got {label_smoothing}"
        )
    target = as_tensor(target)
    if is_floating(target.dtype):
        return _of_probabilities(input, target, weight, ignore_index, reduction, label_smoothing)
    how = (target, weight, reduction, ignore_index)
    if label_smoothing == 0:
        return _of_classes(ops.cross_entropy, input, *how)
    check_floating("cross_entropy", input)
    log_p = input.log_softmax(_class_axis(input))
    exact = _of_classes(ops.nll_loss, log_p, *how, name="cross_entropy")
    spread = label_smoothing / input.shape[_class_axis(input)]
    return exact * (1 - label_smoothing) + _of_all_classes(log_p, *how) * spread


def _class_axis(input: Tensor) -> int:
    return 0 if input.ndim == 1 else 1


def _beside(weight: Tensor, input: Tensor) -> Tensor:
    """Return the weights of the classes, ready to broadcast with the scores."""
    return weight.reshape(-1, *(1,) * (input.ndim - 1 - _class_axis(input)))


def _of_all_classes(
    log_p: Tensor, target: Tensor, weight: Tensor | None, reduction: str, ignore_index: int
) -> Tensor:
    """The negative log likelihoods of all classes added up, for each target that counts."""
    terms = -(log_p if weight is None else log_p * _beside(weight, log_p)).sum(_class_axis(log_p))
    kept = target != ignore_index
    terms = terms.masked_fill(~kept, 0)
    if reduction != "mean":
        return reduced("cross_entropy", terms, reduction)
    count = kept.sum() if weight is None else weight[target[kept]].sum()
    return terms.sum() / count


def _of_probabilities(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None,
    ignore_index: int,
    reduction: str,
    label_smoothing: float,
) -> Tensor:
    check_reduction("cross_entropy", reduction)
    check_floating("cross_entropy", input)
    _check_weight("cross_entropy", input, weight)
    if target.shape != input.shape:
        raise ValueError(
            f"cross_entropy: probabilities must have the shape {input.shape} of the scores, got "
            f"{target.shape}; classes must be integers"
        )
    if ignore_index >= 0:
        raise RuntimeError(
            f"cross_entropy: ignore_index={ignore_index} leaves out a class number, but the "
            "targets are probabilities"
        )
    classes = input.shape[_class_axis(input)]
    if label_smoothing:
        target = target * (1 - label_smoothing) + label_smoothing / classes
    terms = input.log_softmax(_class_axis(input)) * target
    terms = -(terms if weight is None else terms * _beside(weight, input))
    if reduction == "none":
        return terms.sum(_class_axis(input))
    count = input.numel() / (classes or 1) or math.nan
    return terms.sum() / count if reduction == "mean" else terms.sum()


def nll_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    *,
    ignore_index: int = -100,
    reduction: str = "mean",
) -> Tensor:
    """Return the negative log likelihood of integer classes.

    Args:
        input: Log probabilities, such as `log_softmax` gives; shapes, the other arguments and
            errors are those of `cross_entropy`.
        target: Classes.
        weight: (classes,), how much a target of each class counts, in the sum and in the mean.
        ignore_index: A target that is left out.
        reduction: "mean" over the targets that are not ignored, "sum", or "none".

    Example:
        >>> import distgrad as dg
        >>> nll_loss(dg.tensor([[-0.5, -1.0]]), dg.tensor([1]))
        tensor(1.)
    """
    return _of_classes(ops.nll_loss, input, as_tensor(target), weight, reduction, ignore_index)


def _of_classes(
    op: Op,
    input: Tensor,
    target: Tensor,
    weight: Tensor | None,
    reduction: str,
    ignore_index: int,
    name: str | None = None,
) -> Tensor:
    name = name or op.name
    check_reduction(name, reduction)
    check_floating(name, input)
    if not input.ndim:
        raise ValueError(f"{name}: the scores must have an axis of classes, got shape ()")
    axis = _class_axis(input)
    expected = input.shape[:axis] + input.shape[axis + 1 :]
    if target.shape != expected:
        raise ValueError(
            f"{name}: scores of shape {input.shape} need targets of shape {expected}, got "
            f"{target.shape}"
        )
    if target.dtype.kind not in "iu":
        raise TypeError(f"{name}: targets must be integers, not {target.dtype}")
    _check_weight(name, input, weight)
    return apply(
        op,
        input,
        target=kept(target.data),
        axis=axis,
        reduction=reduction,
        ignore_index=ignore_index,
        weight=None if weight is None else kept(weight.data),
    )


def _check_weight(name: str, input: Tensor, weight: Tensor | None) -> None:
    if weight is None:
        return
    classes = input.shape[_class_axis(input)]
    if weight.shape != (classes,):
        raise RuntimeError(
            f"{name}: weight must have shape ({classes},), one for each class, got {weight.shape}"
        )
    if weight.dtype != input.dtype:
        raise RuntimeError(
            f"{name}: weight must have the data type {input.dtype} of the scores, got "
            f"{weight.dtype}; convert with .to()"
        )
