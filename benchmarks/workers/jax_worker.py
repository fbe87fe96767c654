"""JAX: an optimizer step is one compiled function, with mpi4jax where there are ranks.

It goes through the micro-batches in a loop and gathers their rows itself; parameters and moments
are updated in place. With the argument ``--unroll`` the loop is written out: compiled convolutions
are many times faster outside of loops, and most other models are slower by it.

The dispatch is synchronous, which is faster where steps follow one another.
"""

import sys
from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.flatten_util
import jax.numpy as jnp
import numpy as np

from workers.mpi import connect, library, mean_over_ranks
from workers.stopwatch import Stopwatch
from workers.workload import BETAS, EPS, LEARNING_RATE, WEIGHT_DECAY, Workload

jax.config.update("jax_cpu_enable_async_dispatch", False)


def mean_loss(kind: str, scores: Any, targets: Any) -> Any:
    """Return the loss of a micro-batch."""
    if kind == "mean_squared_error":
        return ((scores - targets) ** 2).mean()
    chosen = jnp.take_along_axis(jax.nn.log_softmax(scores), targets[..., None], axis=-1)
    return -chosen.mean()


def adamw(parameters: Any, gradients: Any, first: Any, second: Any, step: Any) -> Any:
    """Return parameters and moments after a step."""
    tree = jax.tree_util.tree_map
    first = tree(lambda m, g: BETAS[0] * m + (1 - BETAS[0]) * g, first, gradients)
    second = tree(lambda v, g: BETAS[1] * v + (1 - BETAS[1]) * g * g, second, gradients)
    rate, scale = LEARNING_RATE / (1 - BETAS[0] ** step), (1 - BETAS[1] ** step) ** -0.5

    def updated(p: Any, m: Any, v: Any) -> Any:
        return p * (1 - LEARNING_RATE * WEIGHT_DECAY) - rate * m / (jnp.sqrt(v) * scale + EPS)

    return tree(updated, parameters, first, second), first, second


def compiled_step(workload: Workload, comm: Any, unroll: bool) -> Callable[..., Any]:
    """Return the function from state, data and indices to state and loss."""
    model = workload.function("jax")
    tree = jax.tree_util.tree_map

    def loss(parameters: Any, inputs: Any, targets: Any, rows: Any) -> Any:
        return mean_loss(workload.loss, model(parameters, inputs[rows]), targets[rows])

    def step(state: Any, inputs: Any, targets: Any, indices: Any) -> Any:
        parameters, first, second, number = state

        def accumulate(gradients: Any, rows: Any) -> Any:
            value, more = jax.value_and_grad(loss)(parameters, inputs, targets, rows)
            return tree(jnp.add, gradients, more), value

        parts = len(indices)
        gradients, losses = jax.lax.scan(
            accumulate, tree(jnp.zeros_like, parameters), indices, unroll=parts if unroll else 1
        )
        mean = tree(lambda g: g / (parts * workload.ranks), summed(gradients, comm))
        number = number + 1
        return (*adamw(parameters, mean, first, second, number), number), losses.mean()

    return jax.jit(step, donate_argnums=0)


def summed(gradients: Any, comm: Any) -> Any:
    """Return the sums over ranks, exchanged in one piece."""
    if comm is None:
        return gradients
    import mpi4jax
    from mpi4py import MPI

    flat, as_tree = jax.flatten_util.ravel_pytree(gradients)
    return as_tree(mpi4jax.allreduce(flat, op=MPI.SUM, comm=comm))


def training(workload: Workload, comm: Any, rank: int, unroll: bool) -> Iterator[Any]:
    """Train without end, and yield this rank's mean loss of each step."""
    step = compiled_step(workload, comm, unroll)
    inputs, targets = (jnp.asarray(array) for array in workload.arrays())
    parameters = {name: jnp.asarray(value) for name, value in workload.values().items()}
    zeros = [jax.tree_util.tree_map(jnp.zeros_like, parameters) for _ in range(2)]
    state = (parameters, *zeros, jnp.zeros((), jnp.float32))
    for indices in workload.indices(rank):
        state, loss = step(state, inputs, targets, indices.astype(np.int32))
        loss.block_until_ready()
        yield loss


def main() -> None:
    """Train, measure, report."""
    workload = Workload.from_argument()
    watch = Stopwatch(workload)
    comm, rank = connect(workload)
    steps = training(workload, comm, rank, "--unroll" in sys.argv[2:])
    losses = []
    while watch.running:
        losses.append(next(steps))
        watch.step_done()
    watch.report(
        rank, mean_over_ranks(comm, losses), {"jax": jax.__version__, "mpi": library(comm)}
    )


if __name__ == "__main__":
    main()
