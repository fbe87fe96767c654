import ctypes
from types import ModuleType

import pytest
from helpers import emulator
from helpers.fake_cublaslt import FakeCublasLt

from distgrad.backend import cublaslt
from distgrad.backend.kernels.cuda import products


@pytest.fixture(scope="session")
def numpy_with_kernels() -> ModuleType:
    """NumPy with kernels in CUDA C, one for all tests: launchers keep what is compiled for it."""
    return emulator.numpy_with_kernels()


@pytest.fixture
def xp(numpy_with_kernels: ModuleType, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """NumPy with kernels, and with a double of cublasLt for its products."""
    library = FakeCublasLt()
    monkeypatch.setattr(products, "library", lambda: library)
    for module in (products, cublaslt):
        monkeypatch.setattr(module, "pointer", lambda x: ctypes.c_void_p(x.ctypes.data))
    return numpy_with_kernels
