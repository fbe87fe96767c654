"""Calls of every kernel that is written in CUDA C, to be compared with the references."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any

import numpy as np

from distgrad import ops, optim
from distgrad.backend.dtypes import data_type
from distgrad.backend.kernels import Kernel
from distgrad.backend.random import random_bits
from distgrad.distributed.tree import divided
from distgrad.distributed.tree_addition import tree_mean
from distgrad.flat import BLOCK
from distgrad.nn.functional.dropout import kept_elements
from distgrad.nn.utils.clip_grad import block_power_sums
from distgrad.ops.einstein import contraction
from distgrad.ops.fused_attention import attention_x
from distgrad.ops.linalg import product
from distgrad.ops.products import column_sum, product_into
from distgrad.ops.window import Window

__all__ = ["KernelCase", "all_cases", "arguments", "compared", "types_of"]


@dataclass(frozen=True)
class KernelCase:
    """One call.

    Attributes:
        kernel: What is called.
        make: From a generator to the arguments behind ``xp``; floats are float64.
        attributes: Named arguments.
        changed: The arguments that the kernel changes in place, instead of returning something.
        types: The data types that it is called with.
        exact: Whether the bits are those of the reference in float32 and float64.
        label: Tells calls of one kernel apart.
    """

    kernel: Kernel
    make: Callable[[np.random.Generator], tuple[Any, ...]]
    attributes: dict[str, Any] = field(default_factory=dict)
    changed: tuple[int, ...] = ()
    types: tuple[str, ...] = ("float32", "float64", "float16")
    exact: bool = False
    label: str = ""

    def __str__(self) -> str:
        return f"{self.kernel.name} {self.label}".strip()


def arguments(case: KernelCase, dtype: str) -> tuple[Any, ...]:
    """Return fresh arguments, with floating-point arrays of a data type."""
    made = case.make(np.random.default_rng(len(str(case))))
    return tuple([_converted(argument, data_type(dtype)) for argument in made])


def types_of(case: KernelCase) -> tuple[str, ...]:
    """Return the data types to call it with: where float16 is among them, bfloat16 too."""
    both = "float16" in case.types and find_spec("ml_dtypes")
    return (*case.types, "bfloat16") if both else case.types


def compared(case: KernelCase, given: tuple[Any, ...], result: Any) -> list[Any]:
    """Return what a call computed: its result, or the arguments that it changed."""
    return [given[place] for place in case.changed] or [result]


def _converted(argument: Any, dtype: Any) -> Any:
    if isinstance(argument, np.ndarray | np.floating) and argument.dtype == np.float64:
        return argument.astype(dtype)
    return argument


def _arrays(*shapes: tuple[int, ...] | None) -> Callable[[np.random.Generator], tuple[Any, ...]]:
    return lambda g: tuple([None if shape is None else g.normal(size=shape) for shape in shapes])


def all_cases(large: bool = False) -> Iterator[KernelCase]:
    """Yield the calls; large ones fill a GPU, the others cover edges."""
    times = 32 if large else 1
    yield from _products(times)
    yield from _contractions(9 * times)
    yield from _sums(times)
    yield from _normalization(times)
    yield from _elementwise(times)
    yield from _losses(times)
    yield from _attention(times)
    yield from _embedding(times)
    yield from _images(times)
    yield from _optimizers(times)
    yield from _trees(times)


def _products(times: int) -> Iterator[KernelCase]:
    rows = 33 * times
    for label, shapes in (
        ("matrices", ((rows, 20), (20, 17))),
        ("batches", ((3, rows, 20), (3, 20, 17))),
        ("one for all", ((3, rows, 20), (20, 17))),
    ):
        yield KernelCase(ops.matmul.forward, _arrays(*shapes), label=label)
    yield KernelCase(product, _arrays((rows, 20), (20, 17)))
    for label, bias in (("plain", None), ("bias", (17,))):
        make = _arrays((2, rows, 20), (17, 20), bias)
        yield KernelCase(ops.linear.forward, make, label=label)
        yield KernelCase(ops.linear_relu.forward, make, label=label)


def _contractions(rows: int) -> Iterator[KernelCase]:
    for letters, shapes in (
        (("bhqd", "bhkd", "bhqk"), ((2, 3, rows, 8), (2, 3, 5, 8))),
        (("ij", "kj", "ki"), ((rows, 7), (4, 7))),
        (("nij", "ijn", "n"), ((3, rows, 5), (rows, 5, 3))),
        (("abc", "cab", ""), ((2, rows, 3), (3, 2, rows))),
    ):
        names = dict(zip(("left", "right", "output"), letters, strict=True))
        yield KernelCase(contraction, _arrays(*shapes), names, label=",".join(letters))


def _sums(times: int) -> Iterator[KernelCase]:
    for rows, width in ((5, 77), (600, 33), (1, 1)):
        label = f"{rows}x{width}"
        yield KernelCase(column_sum, _arrays((rows * times, width)), label=label)
        image = _arrays((2 * times, width, rows, 2))
        yield KernelCase(ops.channel_sum.forward, image, label=label)
    into = _with_room_behind((33, 20), (20, 16))
    yield KernelCase(product_into, into, changed=(2,), label="in place")
    into = _with_room_behind((33, 20), (20, 17), within=3)
    yield KernelCase(product_into, into, changed=(2,), label="within another")


def _with_room_behind(
    a: tuple[int, int], b: tuple[int, int], within: int = 0
) -> Callable[[np.random.Generator], tuple[Any, ...]]:
    def make(g: np.random.Generator) -> tuple[Any, ...]:
        room = np.zeros((a[0], b[1] + within))
        return g.normal(size=a), g.normal(size=b), room[:, : b[1]]

    return make


def _normalization(times: int) -> Iterator[KernelCase]:
    for rows, width in ((5, 77), (300, 128), (3, 2001)):
        shape, label = (rows * times, width), f"{rows}x{width}"
        given = {"axes": (1,), "eps": 1e-5}
        for weight in ((width,), None):
            name = f"{label}{'' if weight else ' plain'}"
            make = _arrays(shape, weight, weight)
            yield KernelCase(ops.normalize.forward, make, given, label=name)
            make = _arrays(shape, shape, weight)
            yield KernelCase(ops.normalize_input.forward, make, given, label=name)
        both = _arrays(shape, shape)
        yield KernelCase(ops.normalize_weight.forward, both, given, label=label)
        yield KernelCase(ops.rms_normalize.forward, _arrays(shape), given, label=label)
        yield KernelCase(ops.rms_normalize_input.forward, both, given, label=label)


def _elementwise(times: int) -> Iterator[KernelCase]:
    size = (1003 * times,)
    for approximate in ("none", "tanh"):
        given = {"approximate": approximate}
        yield KernelCase(ops.gelu.forward, _arrays(size), given, label=approximate)
        yield KernelCase(ops.gelu_x.forward, _arrays(size, size), given, label=approximate)
    counter = (7, 2**40, 2**63 + 5)
    draw = {"seed": 2**64 - 1, "stream": 0, "counter": counter}
    for count in (8 * times, 1003 * times):
        label = str(count)
        make = _constant((count,))
        yield KernelCase(random_bits, make, draw, types=("float32",), exact=True, label=label)

        how = {**draw, "least": round(0.3 * 2**32)}
        yield KernelCase(kept_elements, make, how, types=("float32",), exact=True, label=label)
    yield from _dropped(size)
    yield from _rectified(33 * times)


def _dropped(size: tuple[int, ...]) -> Iterator[KernelCase]:
    for dtype in ("float32", "float64", "float16"):
        given: Any = {"scale": np.dtype(dtype).type(1 / 0.7)}
        kinds: Any = {"types": (dtype,), "exact": True, "label": dtype}
        yield KernelCase(ops.dropout.forward, _with_kept(1, size), given, **kinds)
        yield KernelCase(ops.dropout_add.forward, _with_kept(2, size), given, **kinds)


def _with_kept(count: int, size: tuple[int, ...]) -> Callable[..., tuple[Any, ...]]:
    def make(g: np.random.Generator) -> tuple[Any, ...]:
        return (*(g.normal(size=size) for _ in range(count)), g.random(size) < 0.7)

    return make


def _rectified(rows: int) -> Iterator[KernelCase]:
    for width in (7, 48):
        x, label = (3, rows, width), f"{width}"

        def rectified(g: np.random.Generator, x: Any = x) -> tuple[Any, ...]:
            return g.normal(size=x), np.maximum(g.normal(size=x), 0)

        yield KernelCase(ops.relu_x.forward, rectified, exact=True, label=label)

        def images(g: np.random.Generator, x: Any = x) -> tuple[Any, ...]:
            return tuple([values.transpose(0, 2, 1) for values in rectified(g, x)])

        yield KernelCase(ops.relu_x.forward, images, exact=True, label=f"{label} turned")


def _constant(*values: Any) -> Callable[[np.random.Generator], tuple[Any, ...]]:
    return lambda generator: values


def _losses(times: int) -> Iterator[KernelCase]:
    for rows, classes in ((9, 5), (33, 1500)):
        for reduction in ("mean", "sum", "none"):
            for weighted in (False, True):
                label = f"{rows}x{classes} {reduction}{' weighted' if weighted else ''}"
                yield from _loss(rows * times, classes, reduction, weighted, label)
    yield from _loss(4 * times, 6, "mean", True, "over images", (3, 5))


def _loss(
    rows: int, classes: int, reduction: str, weighted: bool, label: str, rest: tuple[int, ...] = ()
) -> Iterator[KernelCase]:
    generator = np.random.default_rng(classes)
    target = generator.integers(classes, size=(rows, *rest))
    target[::4] = -100

    def make(gradient: bool) -> Callable[[np.random.Generator], tuple[Any, ...]]:
        def arrays(g: np.random.Generator) -> tuple[Any, ...]:
            above = g.normal(size=target.shape if reduction == "none" else ())
            scores = g.normal(size=(rows, classes, *rest)) * 4
            weight = g.uniform(0.5, 2, classes) if weighted else None
            how = target, 1, reduction, -100, weight
            return (np.asarray(above), scores, *how) if gradient else (scores, *how)

        return arrays

    yield KernelCase(ops.cross_entropy.forward, make(False), label=label)
    yield KernelCase(ops.cross_entropy_x.forward, make(True), label=label)


def _attention(times: int) -> Iterator[KernelCase]:
    for shape, causal in (
        ((2, 3, 70, 20), True),
        ((1, 2, 33, 64), False),
        ((2, 40, 96), True),
        ((1, 1, 1, 1), True),
    ):
        length = shape[-2]
        triangle = np.where(np.tri(length, dtype=bool), 0.0, -np.inf) if causal else None
        shape = (shape[0] * times, *shape[1:])
        types = ("float32", "float64", "float16") if shape[-1] <= 32 else ("float32", "float16")
        label = "x".join(map(str, shape))
        given = {"scale": 0.3, "causal": triangle}
        make, whole = _arrays((3, *shape)), _with_output((3, *shape), given)
        yield KernelCase(ops.attention.forward, make, given, types=types, label=label)
        yield KernelCase(attention_x, whole, given, types=types, label=label)


def _with_output(shape: Any, given: Any) -> Callable[[np.random.Generator], tuple[Any, ...]]:
    def make(g: np.random.Generator) -> tuple[Any, ...]:
        x = g.normal(size=shape)
        y = ops.attention.forward.reference(np, x, **given)
        return g.normal(size=y.shape), x, y

    return make


def _embedding(times: int) -> Iterator[KernelCase]:
    for padding, by_frequency in ((None, False), (3, True)):
        given = {"padding": padding, "rows": 50, "by_frequency": by_frequency}

        def make(g: np.random.Generator) -> tuple[Any, ...]:
            indices = np.minimum(g.geometric(0.1, size=(30 * times, 10)), 49)
            return g.normal(size=(*indices.shape, 33)), indices

        label = f"padding {padding}"
        kernel = ops.embedding_table.forward
        yield KernelCase(kernel, make, given, types=("float32", "float64"), label=label)


_WINDOWS = (
    Window((2, 2), (2, 2), (1, 1), (0, 0), (4, 4)),
    Window((3, 2), (1, 2), (2, 1), (1, 1), (6, 5)),
    Window((3, 3), (2, 2), (1, 1), (1, 1), (4, 5)),
)


def _images(times: int) -> Iterator[KernelCase]:
    size, count = (8, 9), 3 * times
    for number, window in enumerate(_WINDOWS):
        kinds = {"types": ("float32", "float64"), "label": f"window {number}"}
        image, seen = (count, 4, *size), (count, 4, *window.output)
        make = _whole_numbers(image)
        yield KernelCase(ops.max_pool2d.forward, make, {"window": window}, exact=True, **kinds)
        make = _pooled(image, seen, window)
        yield KernelCase(ops.max_pool2d_x.forward, make, {"window": window}, **kinds)
        counts = (np.arange(1, window.output[0] + 1), np.arange(2, window.output[1] + 2))
        pool = {"window": window, "counts": counts}
        yield KernelCase(ops.avg_pool2d.forward, _arrays(image), pool, **kinds)
        back = {**pool, "size": size}
        yield KernelCase(ops.avg_pool2d_input.forward, _arrays(seen), back, **kinds)
        yield from _convolutions(count, size, window, kinds)


def _whole_numbers(shape: Any) -> Callable[[np.random.Generator], tuple[Any, ...]]:
    return lambda g: (np.round(g.normal(size=shape)),)


def _pooled(image: Any, seen: Any, window: Window) -> Callable[..., tuple[Any, ...]]:
    def make(g: np.random.Generator) -> tuple[Any, ...]:
        x = np.round(g.normal(size=image))
        return g.normal(size=seen), x, ops.max_pool2d.forward.reference(np, x, window)

    return make


def _convolutions(count: int, size: Any, window: Window, kinds: Any) -> Iterator[KernelCase]:
    for groups in (1, 2):
        given = {"window": window, "groups": groups}
        kinds = {**kinds, "label": f"{kinds['label'][:8]} groups {groups}"}
        weight = (6, 4 // groups, *window.kernel)
        image, seen = (count, 4, *size), (count, 6, *window.output)
        for bias in (True, False):
            make = _arrays(image, weight, (6,) if bias else None)
            yield KernelCase(ops.conv2d.forward, make, given, **kinds)
            make = _arrays(seen, weight, (4,) if bias else None)
            back = {**given, "size": size}
            yield KernelCase(ops.conv_transpose2d.forward, make, back, **kinds)
        yield KernelCase(ops.conv2d_weight.forward, _arrays(image, seen), given, **kinds)


def _optimizers(times: int) -> Iterator[KernelCase]:
    size = 1003 * times
    exact = {"types": ("float32", "float64"), "exact": True}
    room = np.zeros(size)
    rates = {"lr": 0.03, "momentum": 0.9, "nesterov": False, "maximize": False}
    for label, momentum, more in (
        ("plain", False, {"gain": 1.0, "weight_decay": 0.0}),
        ("momentum", True, {"gain": 0.9, "weight_decay": 0.01}),
        ("nesterov", True, {"gain": 1.0, "weight_decay": 0.0, "nesterov": True, "maximize": True}),
    ):
        make = _with_room(room, [(size,)] * (3 if momentum else 2))
        changed = (2, 4) if momentum else (2,)
        given = {**rates, **more}
        yield KernelCase(optim.sgd.sgd_update, make, given, changed, label=label, **exact)
    step = {"beta1": 0.9, "beta2": 0.999, "step_size": 1e-3, "eps": 1e-8}
    for label, largest, more in (
        ("plain", False, {"shrink": 1.0, "weight_decay": 0.0, "maximize": False}),
        ("decoupled", False, {"shrink": 0.99, "weight_decay": 0.0, "maximize": True}),
        ("amsgrad", True, {"shrink": 1.0, "weight_decay": 0.1, "maximize": False}),
    ):

        def make(g: np.random.Generator, largest: bool = largest) -> tuple[Any, ...]:
            param, grad, mean, square, top = (g.normal(size=size) for _ in range(5))
            state = mean, np.abs(square), *([np.abs(top)] if largest else [])
            return room.copy(), room.copy(), param, grad, *state

        changed = (2, 4, 5, 6) if largest else (2, 4, 5)
        given = {**step, **more}
        yield KernelCase(optim.adam.adam_update, make, given, changed, label=label, **exact)
    scales = {"scale": 0.3, "eps": 1e-8}
    for label, more in (("plain", 0.0), ("decay", 0.1)):

        def arrays(g: np.random.Generator) -> tuple[Any, ...]:
            param, grad, mean, square = (g.normal(size=size) for _ in range(4))
            return room.copy(), room.copy(), param, grad, mean, np.abs(square)

        given = {**scales, "weight_decay": more}
        betas = {"beta1": 0.9, "beta2": 0.999, "maximize": more > 0}
        measure, update = optim.lamb.lamb_measure, optim.lamb.lamb_update
        yield KernelCase(measure, arrays, {**given, **betas}, (0, 4, 5), label=label, **exact)
        yield KernelCase(update, arrays, {**given, "rate": 0.02}, (2,), label=label, **exact)
    for norm, first in ((2.0, BLOCK), (2.0, 7), (1.0, 99), (3.0, BLOCK), (math.inf, 5)):
        given = {"norm_type": norm, "first": first}
        kinds = {"types": ("float32", "float64"), "label": f"{norm} {first}"}
        yield KernelCase(block_power_sums, _blocks(2 * BLOCK + 9), given, **kinds)


def _blocks(size: int) -> Callable[[np.random.Generator], tuple[Any, ...]]:
    return lambda g: (g.normal(size=size), np.empty(BLOCK))


def _with_room(room: np.ndarray, shapes: Any) -> Callable[[np.random.Generator], tuple[Any, ...]]:
    return lambda g: (room.copy(), room.copy(), *_arrays(*shapes)(g))


def _trees(times: int) -> Iterator[KernelCase]:
    for label, ends in (
        ("alone", (5,)),
        ("of 3 ranks", (2, 5, 8)),
        ("aligned", range(1, 9)),
        ("deepest", (127, 128)),
    ):
        starts = (0, *ends)
        leaves = tuple([range(a, b) for a, b in zip(starts, ends, strict=False)])
        additions = divided(ends[-1], leaves).across
        given = {"additions": additions, "divisor": 37.0}
        size = (1003 * times,)
        copy = None if label == "alone" else size
        make = _arrays(size, copy, *[size] * len(additions))
        changed = (0,) if copy is None else (0, 1)
        kinds: Any = {"types": ("float32", "float64"), "exact": True, "label": label}
        yield KernelCase(tree_mean, make, given, changed, **kinds)
