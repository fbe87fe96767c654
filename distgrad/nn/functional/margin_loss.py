"""Losses that ask for a margin between what belongs together and what does not."""

from collections.abc import Callable

from distgrad import ops
from distgrad.nn.functional.reduction import reduced
from distgrad.nn.functional.similarity import pairwise_distance
from distgrad.tensor import Tensor, apply

__all__ = [
    "cosine_embedding_loss",
    "hinge_embedding_loss",
    "margin_ranking_loss",
    "soft_margin_loss",
    "triplet_margin_loss",
    "triplet_margin_with_distance_loss",
]

_EPS = 1e-12
"""PyTorch's addition to the squared lengths of `cosine_embedding_loss`."""


def hinge_embedding_loss(
    input: Tensor, target: Tensor, margin: float = 1.0, *, reduction: str = "mean"
) -> Tensor:
    """Return distances where the target is 1, and what they lack of a margin where it is -1.

    Args:
        input: Distances.
        target: 1 or -1; shapes broadcast.
        margin: What distances of the second kind should exceed.
        reduction: "mean" over all elements, "sum", or "none".

    Raises:
        ValueError: If the reduction is unknown.

    Example:
        >>> import distgrad as dg
        >>> hinge_embedding_loss(dg.tensor([0.25, 0.25]), dg.tensor([1, -1]), reduction="none")
        tensor([0.2500, 0.7500])
    """
    lacking = apply(ops.where, target != 1, (margin - input).clamp_min(0), 0.0)
    terms = lacking + apply(ops.where, target != -1, input, 0.0)
    return reduced("hinge_embedding_loss", terms, reduction)


def margin_ranking_loss(
    input1: Tensor, input2: Tensor, target: Tensor, margin: float = 0.0, *, reduction: str = "mean"
) -> Tensor:
    """Return ``max(0, -target * (input1 - input2) + margin)``.

    Args:
        input1: Scores.
        input2: Other scores; shapes broadcast, but all have the same number of axes.
        target: 1 where the first should be higher, -1 where the second should.
        margin: By how much.
        reduction: "mean" over all elements, "sum", or "none".

    Raises:
        ValueError: If the reduction is unknown.
        RuntimeError: If the numbers of axes differ.

    Example:
        >>> import distgrad as dg
        >>> margin_ranking_loss(dg.tensor([3.0]), dg.tensor([1.0]), dg.tensor([-1]), margin=0.5)
        tensor(2.5000)
    """
    if not input1.ndim == input2.ndim == target.ndim:
        raise RuntimeError(
            "margin_ranking_loss: inputs and target must have the same number of axes, got shapes "
            f"{input1.shape}, {input2.shape} and {target.shape}"
        )
    terms = (-target * (input1 - input2) + margin).clamp_min(0)
    return reduced("margin_ranking_loss", terms, reduction)


def cosine_embedding_loss(
    input1: Tensor, input2: Tensor, target: Tensor, margin: float = 0.0, *, reduction: str = "mean"
) -> Tensor:
    """Return what the cosine of two vectors lacks of 1, or exceeds a margin by.

    Args:
        input1: Vectors, (N, D) or (D,).
        input2: Others; shapes broadcast.
        target: (N,) or (): 1 for vectors that should be alike, -1 for others.
        margin: What the cosines of the latter should not exceed.
        reduction: "mean" over all pairs, "sum", or "none".

    Raises:
        ValueError: If the reduction is unknown.
        RuntimeError: If the shapes do not fit.

    Example:
        >>> import distgrad as dg
        >>> a, b = dg.tensor([[1.0, 0.0]]), dg.tensor([[0.0, 2.0]])
        >>> cosine_embedding_loss(a, b, dg.tensor([1]))
        tensor(1.)
    """
    fits = target.ndim in (0, 1) and input1.ndim == input2.ndim == target.ndim + 1
    if not fits:
        raise RuntimeError(
            "cosine_embedding_loss: inputs (N, D) need a target (N,), and inputs (D,) one of shape "
            f"(), got {input1.shape}, {input2.shape} and {target.shape}"
        )
    product = (input1 * input2).sum(-1)
    lengths = ((input1 * input1).sum(-1) + _EPS) * ((input2 * input2).sum(-1) + _EPS)
    cosine = product / lengths.sqrt()
    terms = apply(ops.where, target == 1, 1 - cosine, 0.0)
    terms = terms + apply(ops.where, target == -1, (cosine - margin).clamp_min(0), 0.0)
    return reduced("cosine_embedding_loss", terms, reduction)


def triplet_margin_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    margin: float = 1.0,
    p: float = 2.0,
    eps: float = 1e-6,
    swap: bool = False,
    *,
    reduction: str = "mean",
) -> Tensor:
    """Return ``max(0, d(anchor, positive) - d(anchor, negative) + margin)``.

    Args:
        anchor: Vectors, (N, D) or (D,).
        positive: Vectors that should be near; shapes broadcast.
        negative: Vectors that should be farther away.
        margin: By how much.
        p: The order of the norm that is the distance.
        eps: As in `pairwise_distance`.
        swap: Take the distance from the positive to the negative where it is smaller.
        reduction: "mean" over all triplets, "sum", or "none".

    Raises:
        ValueError: If the reduction is unknown, or the margin is not positive.
        RuntimeError: If the numbers of axes differ.

    Example:
        >>> import distgrad as dg
        >>> far = dg.tensor([[3.0, 4.0]])
        >>> triplet_margin_loss(dg.zeros(1, 2), far, dg.zeros(1, 2), margin=2.0)
        tensor(7.0000)

    Reference:
        V. Balntas et al., "Learning local feature descriptors with triplets and shallow
        convolutional neural networks", BMVC 2016.
    """
    return triplet_margin_with_distance_loss(
        anchor,
        positive,
        negative,
        distance_function=lambda a, b: pairwise_distance(a, b, p, eps),
        margin=margin,
        swap=swap,
        reduction=reduction,
    )


def triplet_margin_with_distance_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    *,
    distance_function: Callable[[Tensor, Tensor], Tensor] | None = None,
    margin: float = 1.0,
    swap: bool = False,
    reduction: str = "mean",
) -> Tensor:
    """Return `triplet_margin_loss` for any distance.

    Args:
        anchor: Vectors, or what the distance takes.
        positive: What should be near.
        negative: What should be farther away.
        distance_function: The distance of each pair. Default: `pairwise_distance`.
        margin: By how much.
        swap: Take the distance from the positive to the negative where it is smaller.
        reduction: "mean" over all triplets, "sum", or "none".

    Raises:
        ValueError: If the reduction is unknown, or the margin is not positive.
        RuntimeError: If the numbers of axes differ.

    Example:
        >>> import distgrad as dg
        >>> near, far = dg.tensor([1.0]), dg.tensor([3.0])
        >>> distance = lambda a, b: (a - b).abs()
        >>> triplet_margin_with_distance_loss(near, far, near, distance_function=distance)
        tensor(3.)
    """
    if not anchor.ndim == positive.ndim == negative.ndim:
        raise RuntimeError(
            "triplet_margin_loss: all three must have the same number of axes, got shapes "
            f"{anchor.shape}, {positive.shape} and {negative.shape}"
        )
    if margin <= 0:
        raise ValueError(f"triplet_margin_loss: margin must be positive, got {margin}")
    distance = distance_function or pairwise_distance
    near, far = distance(anchor, positive), distance(anchor, negative)
    if swap:
        far = far.minimum(distance(positive, negative))
    return reduced("triplet_margin_loss", (margin + near - far).clamp_min(0), reduction)


def soft_margin_loss(input: Tensor, target: Tensor, *, reduction: str = "mean") -> Tensor:
    """Return ``log(1 + exp(-target * input))``.

    Args:
        input: Scores.
        target: 1 or -1; shapes broadcast.
        reduction: "mean" over all elements, "sum", or "none".

    Raises:
        ValueError: If the reduction is unknown.

    Example:
        >>> import distgrad as dg
        >>> soft_margin_loss(dg.tensor([0.0, 5.0]), dg.tensor([1, -1]), reduction="none")
        tensor([0.6931, 5.0067])
    """
    return reduced("soft_margin_loss", (-target * input).exp().log1p(), reduction)
