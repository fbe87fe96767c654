"""Forward and backward passes on the CPU, recorded as NumPy's calls and written out as a function.

A `Trace` sees what a pass computes: the operations, the gradient rules, and what comes to the
parameters. `flattened` takes operations apart into calls of NumPy. Of these `Program` makes one
function of Python that does the same for other values, with the same bits.
"""

from distgrad.tracing.program import Program
from distgrad.tracing.trace import Trace
from distgrad.tracing.verification import same_bits

__all__ = ["Program", "Trace", "same_bits"]
