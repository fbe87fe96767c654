"""Timers around the ops of distgrad, their gradient rules, and the other parts of a step."""

from dataclasses import replace
from importlib import import_module

from timers import Timers

from distgrad import ops
from distgrad.backend.kernels import Kernel
from distgrad.data import Window
from distgrad.distributed.data_parallel.replica import Replica
from distgrad.distributed.gradient_buffer import GradientBuffer, HeldGradients
from distgrad.distributed.reduction import ShardedReduction, TreeReduction
from distgrad.ops.op import Op
from distgrad.optim.flat_optimizer import FlatOptimizer

# The package has a function of that name.
backward = import_module("distgrad.autograd.backward")

PARTS = (
    (Window, "micro_batch", "samples of a micro-batch"),
    (backward, "sum_to_shape", "sums that undo broadcasting"),
    (backward.BackwardPass, "run", "backward pass outside the rules"),
    (GradientBuffer, "write", "gradients into their buffer"),
    (HeldGradients, "write", "gradients into their buffer"),
    (ShardedReduction, "close", "sum over micro-batches"),
    (TreeReduction, "finish", "sum over ranks, division"),
    (Replica, "gather_records", "record of the step"),
    (Replica, "publish", "search for values not finite"),
    (FlatOptimizer, "step", "optimizer"),
)
"""Where a part of a step is found, and what it is called."""


def instrument(timers: Timers) -> None:
    """Put timers into every op and part for the rest of the process, before any op has run.

    An op or rule that runs inside another one counts as part of it.
    """
    for op in {value for value in vars(ops).values() if isinstance(value, Op)}:
        function = op.forward
        op.forward = timers.around(op.name, function, whole=True)
        if isinstance(function, Kernel):
            op.forward.stands_in = function.stands_in
        for name, rule in op.rules.items():
            label = f"{op.name}, gradient of {name}"
            timed = timers.around(label, rule.function, whole=True)
            op.rules[name] = replace(rule, function=timed)
    for owner, name, label in PARTS:
        setattr(owner, name, timers.around(label, getattr(owner, name)))
