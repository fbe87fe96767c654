"""Memory of one forward and backward pass over what is there before: by distgrad, by PyTorch.

Both are counted where they are allocated, not by the process: NumPy tells tracemalloc, and PyTorch
its profiler. The gradients of the parameters exist already, so that what is counted is activations,
gradients on their way, and temporaries.
"""

import tracemalloc
from collections.abc import Callable
from typing import Any

from claims import CLAIMS
from workers.models import gpt

CLAIM = CLAIMS["gpt"]


def peak_of_distgrad() -> int:
    """Return the bytes at the peak."""
    import distgrad as dg
    import distgrad.nn.functional as F

    model = gpt.in_distgrad(**CLAIM.sizes)
    x, y = (dg.tensor(array) for array in _samples())

    def step() -> None:
        F.cross_entropy(model(x).flatten(0, 1), y.flatten()).backward()

    step()  # makes the gradients
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        step()
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()


def peak_of_torch() -> int:
    """Return the bytes at the peak."""
    import torch
    import torch.nn.functional as F
    from torch.profiler import ProfilerActivity, profile

    torch.set_num_threads(1)
    model = gpt.in_torch(**CLAIM.sizes)
    x, y = (torch.from_numpy(array) for array in _samples())

    def step() -> None:
        F.cross_entropy(model(x).flatten(0, 1), y.flatten()).backward()

    step()
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler:
        step()
    held = most = 0
    for event in profiler.profiler.kineto_results.events():
        if event.name() == "[memory]":
            held += event.nbytes()
            most = max(most, held)
    return most


def _samples() -> Any:
    import numpy as np

    return gpt.samples(np.random.default_rng(0), CLAIM.micro_batch, **CLAIM.sizes)


SIDES: dict[str, Callable[[], int]] = {"distgrad": peak_of_distgrad, "torch": peak_of_torch}
