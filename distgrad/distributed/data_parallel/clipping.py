"""Clipping of the mean gradient, by norm and by value: the same bits wherever its slices lie."""

from collections.abc import Iterator
from itertools import chain

from distgrad.distributed.data_parallel.replica import Replica
from distgrad.nn import utils
from distgrad.tensor import Tensor

__all__ = ["clip_grad_norm_", "clip_grad_value_"]


def clip_grad_norm_(replica: Replica, max_norm: float, norm_type: float) -> float:
    """Scale the gradients so that their norm is at most ``max_norm``; return the norm before.

    The partial sums are those of blocks of the flat array, at whose multiples slices begin.
    """
    kept = list(_kept(replica))
    arrays = [gradient.data for _, gradient, _ in kept]
    sums = utils.power_sums(arrays, norm_type, [offset for _, _, offset in kept])
    if replica.shard:
        replica.meet("clip_grad_norm_")
        sums = list(chain.from_iterable(replica.comm.all_gather_object(sums)))
    norm = utils.combine_power_sums(sums, norm_type)
    utils.clip_grads_with_norm_([tensor for tensor, _, _ in kept], max_norm, norm)
    return norm


def clip_grad_value_(replica: Replica, clip_value: float) -> None:
    """Limit each element of the gradients to +-``clip_value``.

    Raises:
        ValueError: If ``clip_value`` is not above 0.
    """
    if not clip_value > 0:
        raise ValueError(f"clip_value must be above 0, got {clip_value}")
    utils.clip_grad_value_([tensor for tensor, _, _ in _kept(replica)], clip_value)


def _kept(replica: Replica) -> Iterator[tuple[Tensor, Tensor, int]]:
    """Yield what this rank keeps: parameters or pieces, their gradients, their offsets."""
    if replica.shard:
        replica.shard.follow()
        pieces = replica.shard.pieces.values()
        tensors = [(piece.tensor, piece.part.start) for piece in pieces]
    else:
        offsets = [segment.offset for segment in replica.layout]
        tensors = list(zip(replica.parameters, offsets, strict=True))
    for tensor, offset in tensors:
        if tensor.grad is not None:
            yield tensor, tensor.grad, offset
