"""Raw MPI: a perceptron's training step written out by hand in NumPy, and one allreduce.

No tape, no modules, and nothing that could be left out: what a step of the models in
`workers.models.mlp` and `workers.models.regression` takes at least from NumPy. Parameters,
gradients and moments are flat arrays, every result has its array from the start, and the optimizer
goes block by block.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workers.mpi import connect, library, mean_over_ranks
from workers.stopwatch import Stopwatch
from workers.workload import BETAS, EPS, LEARNING_RATE, WEIGHT_DECAY, Workload

Array = NDArray[np.float32]

BLOCK = 1 << 16


class Perceptron:
    """Weights (inputs, outputs) and biases as views of one array, and gradients likewise."""

    def __init__(self, workload: Workload) -> None:
        widths: Sequence[int] = workload.sizes["layers"]
        self.sizes = list(pairwise(widths))
        size = sum(inputs * outputs + outputs for inputs, outputs in self.sizes)
        self.flat, self.flat_gradient, scratch = (np.zeros(size, np.float32) for _ in range(3))
        self.layers, self.gradients, self._scratch = (
            self._views(flat) for flat in (self.flat, self.flat_gradient, scratch)
        )
        values = workload.values()
        for number, (weight, bias) in enumerate(self.layers):
            weight[...] = values[f"{2 * number}.weight"].T
            bias[...] = values[f"{2 * number}.bias"]
        rows = workload.micro_batch
        self._outputs = [np.empty((rows, width), np.float32) for width in widths[1:]]
        self._backward = [np.empty((rows, width), np.float32) for width in widths[1:-1]]
        self._masks = [np.empty((rows, width), bool) for width in widths[1:-1]]
        self._ones = np.ones(rows, np.float32)

    def _views(self, flat: Array) -> list[tuple[Array, Array]]:
        views, start = [], 0
        for inputs, outputs in self.sizes:
            middle = start + inputs * outputs
            views.append((flat[start:middle].reshape(inputs, outputs), flat[middle:][:outputs]))
            start = middle + outputs
        return views

    def forward(self, x: Array) -> Array:
        """Return the scores of a micro-batch."""
        self._inputs = [x, *self._outputs[:-1]]
        for number, (weight, bias) in enumerate(self.layers):
            output = np.matmul(self._inputs[number], weight, out=self._outputs[number])
            output += bias
            if number < len(self._masks):
                np.maximum(output, 0, out=output)
        return self._outputs[-1]

    def backward(self, gradient: Array, first: bool) -> None:
        """Write the gradients of the first micro-batch of a step, and add those of the others."""
        targets = self.gradients if first else self._scratch
        for number in range(len(self.layers) - 1, -1, -1):
            of_weight, of_bias = targets[number]
            np.matmul(self._inputs[number].T, gradient, out=of_weight)
            np.matmul(self._ones, gradient, out=of_bias)
            if not first:
                for total, part in zip(self.gradients[number], targets[number], strict=True):
                    total += part
            if number:
                mask = np.greater(self._inputs[number], 0, out=self._masks[number - 1])
                into = self._backward[number - 1]
                gradient = np.matmul(gradient, self.layers[number][0].T, out=into)
                gradient *= mask


class AdamW:
    """The optimizer on a flat array."""

    def __init__(self, flat: Array, gradient: Array) -> None:
        self._arrays = flat, gradient, np.zeros_like(flat), np.zeros_like(flat)
        self._scratch = np.empty((2, min(BLOCK, flat.size)), np.float32)
        self._step = 0

    def step(self) -> None:
        """Change the parameters."""
        self._step += 1
        correction, second_correction = (1 - beta**self._step for beta in BETAS)
        rate, scale = LEARNING_RATE / correction, second_correction**-0.5
        for start in range(0, self._arrays[0].size, BLOCK):
            p, g, m, v = (array[start : start + BLOCK] for array in self._arrays)
            a, b = self._scratch[:, : p.size]
            m *= BETAS[0]
            m += np.multiply(g, 1 - BETAS[0], out=a)
            v *= BETAS[1]
            v += np.multiply(np.multiply(g, g, out=a), 1 - BETAS[1], out=a)
            np.sqrt(v, out=a)
            a *= scale
            a += EPS
            np.divide(m, a, out=b)
            b *= rate
            p *= 1 - LEARNING_RATE * WEIGHT_DECAY
            p -= b


def cross_entropy(scores: Array, targets: NDArray[np.int64], share: float) -> tuple[Any, Array]:
    """Return the mean loss and, in place of the scores, its gradient times ``share``."""
    rows = np.arange(len(scores))
    scores -= scores.max(1, keepdims=True)
    chosen = scores[rows, targets]
    np.exp(scores, out=scores)
    totals = scores.sum(1, keepdims=True)
    loss = np.log(totals).mean() - chosen.mean()
    scores /= totals
    scores[rows, targets] -= 1
    scores *= share / len(scores)
    return loss, scores


def mean_squared_error(scores: Array, targets: Array, share: float) -> tuple[Any, Array]:
    """Return the mean loss and, in place of the scores, its gradient times ``share``."""
    scores -= targets
    flat = scores.ravel()
    loss = flat @ flat / flat.size
    scores *= 2 * share / scores.size
    return loss, scores


LOSSES = {"cross_entropy": cross_entropy, "mean_squared_error": mean_squared_error}


def training(workload: Workload, comm: Any, rank: int) -> Iterator[Any]:
    """Train without end, and yield this rank's mean loss of each step."""
    inputs, targets = workload.arrays()
    loss_of = LOSSES[workload.loss]
    model = Perceptron(workload)
    optimizer = AdamW(model.flat, model.flat_gradient)
    share = 1 / (workload.micro_batches * workload.ranks)
    for indices in workload.indices(rank):
        total = 0.0
        for number, rows in enumerate(indices):
            loss, gradient = loss_of(model.forward(inputs[rows]), targets[rows], share)
            model.backward(gradient, first=number == 0)
            total += loss
        if comm is not None:
            _sum_over_ranks(comm, model.flat_gradient)
        optimizer.step()
        yield total / len(indices)


def _sum_over_ranks(comm: Any, array: Array) -> None:
    from mpi4py import MPI

    comm.Allreduce(MPI.IN_PLACE, array)


def main() -> None:
    """Train, measure, report."""
    workload = Workload.from_argument()
    watch = Stopwatch(workload)
    comm, rank = connect(workload)
    steps = training(workload, comm, rank)
    losses = []
    while watch.running:
        losses.append(next(steps))
        watch.step_done()
    watch.report(rank, mean_over_ranks(comm, losses), {"mpi": library(comm)})


if __name__ == "__main__":
    main()
