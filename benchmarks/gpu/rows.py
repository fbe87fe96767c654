"""The table of times."""

from collections.abc import Callable
from importlib.util import find_spec
from time import monotonic
from typing import Any

from benchmarks.gpu import models
from benchmarks.gpu.facts import torch_with_cuda
from benchmarks.gpu.ranks import LeftOutError, a_killed_rank, between_two_ranks, nccl
from benchmarks.gpu.sizes import SIZES
from benchmarks.gpu.timing import median_us
from distgrad.backend import arrays_sha256, to_host

__all__ = ["measure_all"]

Values = dict[str, float]


def measure_all(end: float) -> dict[str, Any]:
    """Return the rows; one that fails says how, and hides no other."""
    rows = []
    for what, expected, measure in _ROWS:
        row: dict[str, Any] = {"what": what, "expected": expected}
        if monotonic() > end - 120:  # what the other sections need
            row["error"] = "left out: no time"
        else:
            try:
                row["values"] = measure()
            except LeftOutError as reason:
                row["left_out"] = str(reason)
            except Exception as error:
                row["error"] = f"{type(error).__name__}: {error}"[:300]
        rows.append(row)
    return {"ok": not any("error" in row for row in rows), "rows": rows}


def _copy() -> Values:
    import cupy

    source = cupy.random.random(SIZES.copy, dtype=cupy.float32)
    target = cupy.empty_like(source)
    us = median_us(lambda: cupy.copyto(target, source))
    return {"TB/s": 2 * source.nbytes / us / 1e6}


def _product() -> Values:
    import cupy

    n = SIZES.product
    a = cupy.random.standard_normal((n, n), dtype=cupy.float32).astype(cupy.float16)
    found = {"cupy fp16 TFLOP/s": 2 * n**3 / median_us(lambda: cupy.matmul(a, a)) / 1e6}
    torch = torch_with_cuda()
    if torch:
        b = torch.randn(n, n, device="cuda", dtype=torch.bfloat16)
        found["torch bf16 TFLOP/s"] = 2 * n**3 / _torch_us(torch, lambda: b @ b) / 1e6
    return found


def _torch_us(torch: Any, work: Callable[[], Any], inner: int = 1) -> float:
    """Return the median time of work that PyTorch does on the stream that `median_us` watches."""
    with torch.cuda.stream(torch.cuda.default_stream()):
        return median_us(work, inner=inner)


def _launches() -> Values:
    import cupy

    from distgrad.backend.kernels.cuda import load_column

    x = cupy.ones(1024, cupy.float32)
    gelu = load_column()["gelu"]
    kernel = cupy.RawKernel('extern "C" __global__ void nothing(float* x) {}', "nothing")
    found = {
        "ufunc us": median_us(lambda: cupy.add(x, x, out=x), inner=200),
        "RawKernel us": median_us(lambda: kernel((1,), (32,), (x,)), inner=200),
        "launcher us": median_us(lambda: gelu(cupy, x), inner=200),
        "graph node us": _graph_node(kernel, x),
    }
    torch = torch_with_cuda()
    if torch:
        y = torch.ones(1024, device="cuda")
        found["torch eager us"] = _torch_us(torch, lambda: y.add_(y), inner=200)
    return found


def _graph_node(kernel: Any, x: Any) -> float:
    import cupy

    stream = cupy.cuda.Stream(non_blocking=True)
    with stream:
        stream.begin_capture()
        for _ in range(100):
            kernel((1,), (32,), (x,))
        graph = stream.end_capture()
    return median_us(lambda: graph.launch(cupy.cuda.Stream.null)) / 100


def _adam() -> Values:
    import cupy

    from distgrad.backend.kernels.cuda import load_column

    arrays = [cupy.random.random(SIZES.parameters, dtype=cupy.float32) for _ in range(4)]
    rates = {"beta1": 0.9, "beta2": 0.999, "step_size": 1e-3, "eps": 1e-8, "shrink": 0.99}
    rates |= {"weight_decay": 0.0, "maximize": False}
    update = load_column()["adam_update"]
    us = median_us(lambda: update(cupy, None, None, *arrays, **rates))
    return {"ms": us / 1e3, "TB/s": 7 * arrays[0].nbytes / us / 1e6}


def _mlp() -> Values:
    found = {"plain loop us": median_us(models.own_step(*models.mlp()), inner=20)}
    for name, capture in (("accumulate us", False), ("captured us", True)):
        _, step = models.accumulated_step(*models.mlp(), capture=capture)
        found[name] = median_us(step, inner=20)
    torch = torch_with_cuda()
    if torch:
        for name, compiled in (("torch eager us", False), ("torch.compile us", True)):
            step = models.torch_step(torch, *models.torch_mlp(torch), compiled=compiled)
            found[name] = _torch_us(torch, step, inner=20)
    return found


def _gpt(precision: str) -> Values:
    if precision == "bf16" and not find_spec("ml_dtypes"):
        raise LeftOutError("pip install 'distgrad[bf16]'")
    found = {}
    for name, capture in (("ms", False), ("captured ms", True)):
        _, step = models.accumulated_step(*models.gpt(), capture=capture, precision=precision)
        found[name] = median_us(step, repeats=10) / 1e3
    tokens, parameters = 16 * 1024, 124e6
    found["TFLOP/s"] = 6 * tokens * parameters / found["captured ms"] / 1e9
    return found


def _gpt_bf16() -> Values:
    return _gpt("bf16")


def _gpt_fp16() -> Values:
    return _gpt("fp16")


def _torch_gpt() -> Values:
    found = {}
    torch = torch_with_cuda()
    if torch:
        for name, compiled in (("torch eager ms", False), ("torch.compile ms", True)):
            step = models.torch_step(torch, *models.torch_gpt(torch), compiled=compiled)
            found[name] = _torch_us(torch, step) / 1e3
    if not found:
        raise LeftOutError("PyTorch with CUDA is not installed")
    return found


def _prefetch() -> Values:
    ways = ("resident", "prefetched", "copied")
    found = {f"{way} us": median_us(models.carried_step(way), repeats=10) for way in ways}
    exposed = found["prefetched us"] / found["resident us"] - 1
    return {**found, "exposed %": 100 * exposed}


def _updates() -> Values:
    found = {}
    for name, capture in (("150 launches us", False), ("captured us", True)):
        optimizer = models.apart_optimizer(min(150, SIZES.most_times), capture)
        found[name] = median_us(optimizer.step)
    return found


def _same_bits() -> Values:
    """Compare the parameters after 25 steps, with other work between them."""
    hashes = []
    for capture in (False, True):
        model, step = models.accumulated_step(*models.mlp(), capture=capture)
        other = models.own_step(*models.mlp())
        for number in range(min(25, SIZES.most_steps)):
            step()
            if number % 5 == 4:
                other()
        named = [(name, to_host(p.data)) for name, p in model.named_parameters()]
        hashes.append(arrays_sha256(named))
    if hashes[0] != hashes[1]:
        raise AssertionError(f"captured {hashes[1]}, eager {hashes[0]}")
    return {"steps alike": min(25, SIZES.most_steps)}


_ROWS: tuple[tuple[str, str, Callable[[], Values]], ...] = (
    ("copy from device to device", "4.3 TB/s on an H200", _copy),
    ("product of 8192^3", "790 TFLOP/s on an H200", _product),
    ("cost of a launch", "5-12, 3-6, -, 1-2, 4-8 us", _launches),
    ("flat Adam, 124M parameters", "0.9-1.0 ms", _adam),
    ("MLP 3x1024, batch 256, float32", "captured 60-90 us, half of PyTorch eager", _mlp),
    ("captured and eager steps, bit for bit", "all alike", _same_bits),
    ("AdamW, 150 parameters apart", "captured 1-2 us a launch", _updates),
    ("batches of the MLP from the machine's memory", "exposed < 5 %", _prefetch),
    ("2 ranks on the GPU, 124M parameters", "ipc / limit < 2; staged 50-100 ms", between_two_ranks),
    ("one of 2 ranks on the GPU is killed", "the job ends", a_killed_rank),
    ("NCCL with one rank, and its abort", "clean", nccl),
    ("GPT 124M, 16x1024 tokens, bf16", "under 36 ms, not slower than torch.compile", _gpt_bf16),
    ("the same in fp16", "as bf16", _gpt_fp16),
    ("the same by PyTorch", "-", _torch_gpt),
)
