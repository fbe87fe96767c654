"""Copies in the memory of another device."""

from distgrad.backend import devices
from distgrad.ops.op import op


@op(moves=True)
def to_device(xp, x, /, device, origin):
    """A copy of ``x``, which lies on ``origin``, in the memory of a device."""
    moved = devices.to_device(x, device)
    return moved.copy() if moved is x else moved


@to_device.rule("x")
def _(xp, g, device, origin):
    return to_device(xp, g, device=origin, origin=device)
