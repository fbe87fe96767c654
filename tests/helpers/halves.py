"""The floating-point types of 16 bits: float16, and bfloat16 where its package is installed."""

from importlib.util import find_spec

import numpy as np
import pytest

from distgrad.backend.dtypes import data_type

__all__ = ["NEEDS_BFLOAT16", "PRECISIONS", "half"]

NEEDS_BFLOAT16 = pytest.mark.skipif(
    find_spec("ml_dtypes") is None,
    reason="bfloat16 comes from ml_dtypes: pip install 'distgrad[bf16]'",
)

PRECISIONS = ["fp16", pytest.param("bf16", marks=NEEDS_BFLOAT16)]
"""For tests of each."""


def half(precision: str) -> np.dtype:
    """Return the data type of a precision."""
    return data_type({"fp16": "float16", "bf16": "bfloat16"}[precision])
