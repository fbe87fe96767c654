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
        expected = compared(case, given, case.kernel.reference(np, *given, **case.attributes))
    for ours, theirs in zip(compared(case, there, result), expected, strict=True):
        found, wanted = (np.asarray(x, np.float64).ravel() for x in (to_host(ours), theirs))
        assert np.linalg.norm(found - wanted) <= 1e-5 * max(np.linalg.norm(wanted), 1e-3)


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_a_rectified_product_hides_nothing_that_is_no_number(dtype: str) -> None:
    """A kernel may make 0 of it; then a step that went wrong would look as one that did not."""
    x, weight, bias = (np.ones(shape, dtype) for shape in ((8, 16), (32, 16), 32))
    x[3, 5], x[4, 5] = np.nan, np.inf
    given = [to_device(array, "cuda:0") for array in (x, weight, bias)]
    y = to_host(load_column()["linear_relu"](namespace_of("cuda:0"), *given))
    assert np.isnan(y[3]).all()
    assert np.isinf(y[4]).all()
