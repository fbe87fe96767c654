"""Parts of few gradients, as far as one process can tell."""

from types import SimpleNamespace

import numpy as np
import pytest

from distgrad.distributed import SingleProcess
from distgrad.distributed.few_parts import FewParts
from distgrad.flat import FlatLayout


def test_the_buffers_take_turns_where_a_step_fails_too():
    """The other ranks, where it did not fail, use the other ones in their next step."""

    def run(arrays, divisor):
        raise FloatingPointError

    layout = FlatLayout.of([("p", (3,))], np.float32)
    parts = FewParts(layout, SingleProcess(), gathers=True)
    first = parts.buffers
    for of_step in parts._sets:
        of_step.addition = SimpleNamespace(run=run)
    with pytest.raises(FloatingPointError):
        parts.finish(1.0, layout.zeros(), None)
    assert parts.buffers is not first
    with pytest.raises(FloatingPointError):
        parts.finish(1.0, layout.zeros(), None)
    assert parts.buffers is first
