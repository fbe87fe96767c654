"""Every kernel compiles for the GPUs that are served, by NVRTC, without one of them."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from helpers import nvrtc

from distgrad.backend.kernels.cuda.launching import FILES, HALF, SIZES, TYPES, options, source

ARCHITECTURES = ("sm_80", "sm_90", "sm_100")
TARGETS = [("float32", architecture) for architecture in ARCHITECTURES]
TARGETS += [("float64", "sm_90")]
TARGETS += [("float16", "sm_80"), *(("bfloat16", name) for name in ARCHITECTURES)]

pytestmark = pytest.mark.skipif(
    nvrtc.library() is None,
    reason="no NVRTC here; on Linux it comes with pip install 'distgrad[dev]'",
)


@pytest.mark.parametrize("file", FILES)
def test_a_file_compiles_for_every_architecture(file: str) -> None:
    def compiled(target: tuple[str, str]) -> bytes:
        dtype, architecture = target
        given = (*options(file, dtype, 32), f"--gpu-architecture={architecture}")
        return nvrtc.compile_cubin(source(file), given)

    halves = [target for target in TARGETS if target[0].endswith("16")]
    with ThreadPoolExecutor(2) as pool:
        cubins = list(pool.map(compiled, halves if file in HALF else TARGETS))
    assert {cubin[:4] for cubin in cubins} == {b"\x7fELF"}


def test_what_does_not_compile_is_told() -> None:
    with pytest.raises(ValueError, match='identifier "nonsense" is undefined'):
        nvrtc.compile_cubin("__global__ void f() { nonsense; }", ("--gpu-architecture=sm_90",))


def test_each_file_is_listed_and_needs_no_header() -> None:
    from importlib.resources import files

    folder = files("distgrad.backend.kernels.cuda") / "sources"
    assert {f"{name}.cu" for name in FILES} | {"prelude.cuh"} == {f.name for f in folder.iterdir()}
    assert not any("#include" in source(name) for name in FILES)
    assert set(SIZES) <= set(FILES)
    assert "float32" in TYPES
