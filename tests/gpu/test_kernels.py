"""Every kernel in CUDA C against its reference, on the GPU."""

import numpy as np
import pytest
from helpers.kernel_cases import KernelCase, all_cases, arguments, compared

from distgrad.backend import to_device, to_host
from distgrad.backend.devices import namespace_of
from distgrad.backend.kernels.cuda import load_column


@pytest.mark.parametrize("case", list(all_cases()), ids=str)
def test_a_kernel_computes_what_its_reference_does(case: KernelCase) -> None:
    def moved(value):
        return to_device(value, "cuda:0") if isinstance(value, np.ndarray) else value

    given = arguments(case, "float32")
    attributes = {name: moved(value) for name, value in case.attributes.items()}
    there = tuple([moved(value) for value in given])
    result = load_column()[case.kernel.name](namespace_of("cuda:0"), *there, **attributes)
    with np.errstate(all="ignore"):
        wanted = compared(case, given, case.kernel.reference(np, *given, **case.attributes))
    for ours, theirs in zip(compared(case, there, result), map(np.asarray, wanted), strict=True):
        apart = np.linalg.norm((to_host(ours) - theirs).ravel())
        assert apart <= 1e-5 * max(np.linalg.norm(np.asarray(theirs).ravel()), 1e-3)
