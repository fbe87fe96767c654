"""`summary`: what the layers of a model return, hold and compute, as a table."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any
from weakref import ref

from distgrad.autograd import no_grad, random_scope
from distgrad.backend import array_namespace
from distgrad.nn.module import Module
from distgrad.nn.parameter import Parameter
from distgrad.ops.flops import count_flops
from distgrad.tensor import Tensor
from distgrad.tensor.watching import watching

__all__ = ["LayerSummary", "ModelSummary", "summary"]


@dataclass
class LayerSummary:
    """A module of a model: what is its own, and not of the modules below it.

    Attributes:
        name: Its dotted name; empty for the model itself.
        kind: The name of its class.
        calls: How often it was called.
        output: The shape of what it returned last: a tuple of lengths for a Tensor; tuples and
            dictionaries of them for those of Tensors; None where it was not called.
        parameters: Number of elements of its parameters; a shared one counts in the first module.
        trainable: Those of them that require a gradient.
        weight_bytes: Memory of its parameters and buffers.
        output_bytes: Memory that its calls took for what they returned; 0 for a view, and for what
            a module below it or its caller had made.
        flops: Floating-point operations of its calls; see `summary`.
    """

    name: str
    kind: str
    calls: int = 0
    output: Any = None
    parameters: int = 0
    trainable: int = 0
    weight_bytes: int = 0
    output_bytes: int = 0
    flops: int = 0


@dataclass(frozen=True)
class ModelSummary:
    """The layers of a model; ``print`` shows them as a table.

    Attributes:
        layers: The model itself and all modules below it, in the order of `Module.named_modules`.
    """

    layers: tuple[LayerSummary, ...]

    @property
    def parameters(self) -> int:
        """Number of elements of all parameters."""
        return sum(layer.parameters for layer in self.layers)

    @property
    def trainable(self) -> int:
        """Number of elements of the parameters that require a gradient."""
        return sum(layer.trainable for layer in self.layers)

    @property
    def weight_bytes(self) -> int:
        """Memory of parameters and buffers."""
        return sum(layer.weight_bytes for layer in self.layers)

    @property
    def output_bytes(self) -> int:
        """Memory of what the layers returned."""
        return sum(layer.output_bytes for layer in self.layers)

    @property
    def flops(self) -> int:
        """Floating-point operations of a forward pass; see `summary`."""
        return sum(layer.flops for layer in self.layers)

    def __str__(self) -> str:
        lines = [["layer", "output", "parameters", "weights", "outputs", "FLOPs"]]
        lines += [_cells(layer) for layer in self.layers]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        text = [_aligned(line, widths) for line in lines]
        rule = "-" * max(map(len, text))
        return "\n".join(
            [
                text[0],
                rule,
                *text[1:],
                rule,
                f"parameters  {self.parameters:,}, of which {self.trainable:,} are trained",
                f"memory      {_size(self.weight_bytes)} of weights, {_size(self.output_bytes)} of "
                "outputs",
                f"FLOPs       {self.flops:,} in a forward pass (products and convolutions)",
            ]
        )


def summary(model: Module, input: Any, *args: Any, **kwargs: Any) -> ModelSummary:
    """Run a model once and return what its layers return, hold and compute.

    It runs in evaluation mode and records nothing; modes, running statistics and random draws are
    as before afterwards.

    FLOPs are those of matrix products and convolutions that are run, wherever they are written: a
    multiplication with the addition of its result counts as two, as in PyTorch's
    ``torch.utils.flop_counter.FlopCounterMode``; papers that count multiply-adds have half of it.
    Bias, activation, normalisation, softmax, pooling and lookups in tables do not count: their time
    goes by the memory that they touch. A backward pass takes about twice as many.

    Args:
        model: The model.
        input: What it is called with.
        *args: What it is called with besides.
        **kwargs: The same, by name.

    Raises:
        TypeError: If ``model`` is no Module, or ``input`` is a shape.

    Example:
        >>> import distgrad as dg
        >>> model = dg.nn.Sequential(dg.nn.Linear(64, 32), dg.nn.ReLU(), dg.nn.Linear(32, 10))
        >>> table = dg.nn.summary(model, dg.zeros(8, 64))
        >>> print(table)
        layer         output    parameters   weights   outputs    FLOPs
        ---------------------------------------------------------------
        Sequential    (8, 10)            0       0 B       0 B        0
          0: Linear   (8, 32)        2,080   8.1 KiB   1.0 KiB   32,768
          1: ReLU     (8, 32)            0       0 B   1.0 KiB        0
          2: Linear   (8, 10)          330   1.3 KiB     320 B    5,120
        ---------------------------------------------------------------
        parameters  2,410, of which 2,410 are trained
        memory      9.4 KiB of weights, 2.3 KiB of outputs
        FLOPs       37,888 in a forward pass (products and convolutions)
        >>> table.flops == 2 * 8 * (64 * 32 + 32 * 10)
        True
    """
    if not isinstance(model, Module):
        raise TypeError(f"summary() takes a Module, got {type(model).__name__}")
    if isinstance(input, tuple | list) and input and all(isinstance(x, int) for x in input):
        raise TypeError(
            f"summary() runs the model on an input, and {input} looks like the shape of one; give "
            f"distgrad.zeros{tuple(input)}, or integers for an Embedding"
        )
    watch = _Watch(model)
    with watch.running():
        model(input, *args, **kwargs)
    return ModelSummary(tuple(watch.layers.values()))


@dataclass
class _Frame:
    """A call that goes on, and what the calls within it have returned."""

    layer: LayerSummary
    returned: "list[ref[Tensor]]" = field(default_factory=list)


class _Watch:
    """Follows the calls of a model's modules."""

    def __init__(self, model: Module) -> None:
        self.model = model
        self.layers: dict[int, LayerSummary] = {}  # by the module's id: it may have no hash
        self._frames: list[_Frame] = []
        seen: set[int] = set()
        for name, module in model.named_modules():
            self.layers[id(module)] = layer = LayerSummary(name, type(module).__name__)
            for tensor in (*module.parameters(recurse=False), *module.buffers(recurse=False)):
                if id(tensor) not in seen:
                    seen.add(id(tensor))
                    _add_weight(layer, tensor)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Watch what runs inside, in evaluation mode."""
        modes = [(module, module.training) for module in self.model.modules()]
        with ExitStack() as stack:
            for module, _ in modes:
                stack.enter_context(module.register_forward_pre_hook(self._enter, prepend=True))
                stack.enter_context(module.register_forward_hook(self._leave))
            stack.enter_context(no_grad())
            stack.enter_context(random_scope(0))
            stack.enter_context(watching(self._count))
            try:
                self.model.eval()
                yield
            finally:
                for module, training in modes:
                    module.training = training

    def _enter(self, module: Module, _args: tuple[Any, ...]) -> None:
        self._frames.append(_Frame(self.layers[id(module)]))

    def _leave(self, _module: Module, args: tuple[Any, ...], output: Any) -> None:
        frame = self._frames.pop()
        layer = frame.layer
        layer.calls += 1
        layer.output = _shapes(output)
        within = [tensor for r in frame.returned if (tensor := r()) is not None]
        others = [*_tensors(args), *within]
        for tensor in _tensors(output):
            layer.output_bytes += 0 if _shares(tensor, others) else tensor.data.nbytes
            others.append(tensor)
        if self._frames:
            self._frames[-1].returned += [ref(tensor) for tensor in _tensors(output)]

    def _count(self, forward: Any, arrays: tuple[Any, ...], attributes: Any, result: Any) -> None:
        if self._frames:
            self._frames[-1].layer.flops += count_flops(forward, arrays, attributes, result)


def _add_weight(layer: LayerSummary, tensor: Tensor) -> None:
    layer.weight_bytes += tensor.data.nbytes
    if isinstance(tensor, Parameter):
        layer.parameters += tensor.numel()
        layer.trainable += tensor.numel() if tensor.requires_grad else 0


def _shares(tensor: Tensor, others: list[Tensor]) -> bool:
    xp = array_namespace(tensor.data)
    return any(xp.may_share_memory(tensor.data, other.data) for other in others)


def _tensors(values: Any) -> Iterator[Tensor]:
    """Yield the Tensors in nested tuples, lists and dictionaries."""
    if isinstance(values, Tensor):
        yield values
    elif isinstance(values, tuple | list | Mapping):
        for value in values.values() if isinstance(values, Mapping) else values:
            yield from _tensors(value)


def _shapes(output: Any) -> Any:
    """Return the shapes of nested Tensors in the same order; of other values, their type."""
    if isinstance(output, Tensor):
        return output.shape
    if isinstance(output, tuple | list):
        return tuple(_shapes(value) for value in output)
    if isinstance(output, Mapping):
        return {name: _shapes(value) for name, value in output.items()}
    return type(output).__name__


def _cells(layer: LayerSummary) -> list[str]:
    name = layer.name
    if name:
        name = "  " * (name.count(".") + 1) + name.rpartition(".")[2] + ": "
    return [
        f"{name}{layer.kind}{f' x{layer.calls}' if layer.calls > 1 else ''}",
        str(layer.output) if layer.calls else "not called",
        f"{layer.parameters:,}",
        _size(layer.weight_bytes),
        _size(layer.output_bytes),
        f"{layer.flops:,}",
    ]


def _aligned(cells: list[str], widths: list[int]) -> str:
    """Return a line of the table: two columns of text, the others of numbers."""
    text = [cell.ljust(width) for cell, width in zip(cells[:2], widths, strict=False)]
    numbers = [cell.rjust(width) for cell, width in zip(cells[2:], widths[2:], strict=True)]
    return "   ".join(text + numbers)


def _size(count: int) -> str:
    size = float(count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024 or unit == "GiB":
            break
        size /= 1024
    return f"{size:.0f} B" if unit == "B" else f"{size:,.1f} {unit}"
