"""The nodes of a `Function`: its call, its outputs."""

from collections.abc import Sequence
from typing import Any
from weakref import WeakValueDictionary, ref

from distgrad.autograd.backward import sum_to_shape
from distgrad.autograd.node import Node, Walk, next_number
from distgrad.autograd.op_node import UNCHANGED, SavingNode
from distgrad.backend import array_namespace

__all__ = ["FunctionNode", "RefusingNode"]


class _Parts(dict[int, Any]):
    """The gradients of some outputs of a function, by position."""

    shape = dtype = None

    def __add__(self, others: "_Parts") -> "_Parts":
        sums = _Parts(self)
        for position, gradient in others.items():
            sums[position] = sums[position] + gradient if position in sums else gradient
        return sums


class FunctionNode(SavingNode):
    """A recorded call of a `Function`, at which the gradients of its outputs come together."""

    __slots__ = ("_inputs", "_kinds", "_outputs", "_places", "context", "edges", "function")

    shape = dtype = None  # type: ignore[assignment]  # as of the parts

    def __init__(
        self,
        function: Any,
        ctx: Any,
        args: Sequence[Any],
        outputs: Sequence[Any],
    ) -> None:
        self.number = next_number()
        self.asked = None
        self.function = function
        self.context = ctx
        self._inputs = [
            (x.node, x.shape, x.dtype) if needed else None
            for x, needed in zip(args, ctx.needs_input_grad, strict=True)
        ]
        self.edges = tuple([given[0] for given in self._inputs if given is not None])
        self._kinds = [
            (type(x), array_namespace(x.data), x.shape, x.dtype) if hasattr(x, "node") else None
            for x in outputs
        ]
        self._outputs: WeakValueDictionary[int, OutputNode] = WeakValueDictionary()
        self._save(outputs)

    def _save(self, outputs: Sequence[Any]) -> None:
        """Take what the context saves, without a reference to the outputs' Tensors."""
        positions = {id(output): position for position, output in enumerate(outputs)}
        given, self.context._to_save = self.context._to_save, ()
        self.saved = tuple([None if x is None else x.data for x in given])
        self._places = [
            None if x is None else (type(x), positions.get(id(x)), x.node) for x in given
        ]
        counters = [UNCHANGED if x is None else x.version for x in given]
        self.versions = tuple([part for c in counters for part in (c, c.number)])
        self.context._node = ref(self)  # the node holds the context

    @property
    def name(self) -> str:
        """The name of the user's class."""
        return str(self.function.__name__)

    def name_of(self, place: int) -> str:
        """Return the name of a value by its place among the saved ones."""
        return f"saved_tensors[{place}]"

    def output(self, position: int, like: Any) -> "OutputNode":
        """Return the node of one output, which is like an array."""
        node = self._outputs.get(position)
        if node is None:
            node = self._outputs[position] = OutputNode(self, position, like)
        return node

    def saved_tensors(self) -> tuple[Any, ...]:
        """Return what the context saved, at its places in the graph."""
        tensors: list[Any] = []
        for value, place in zip(self.saved_values(), self._places, strict=True):
            if place is None:
                tensors.append(None)
            else:
                tensor_type, output, node = place
                tensors.append(
                    tensor_type.of(value, node if output is None else self.output(output, value))
                )
        self.share_versions(tensors)
        return tuple(tensors)

    def pass_on(self, parts: _Parts, walk: Walk) -> None:
        """Call the user's ``backward`` and send what it returns."""
        gradients = [
            self._given(parts.get(position), kind, walk.create_graph)
            for position, kind in enumerate(self._kinds)
        ]
        returned = self.function.backward(self.context, *gradients)
        returned = returned if isinstance(returned, tuple | list) else (returned,)
        wanted = len(self._inputs)
        if len(returned) < wanted or any(extra is not None for extra in returned[wanted:]):
            raise RuntimeError(
                f"{self.name}.backward returned {len(returned)} gradients, but apply() was called "
                f"with {wanted} arguments: return one for each, None where there is none"
            )
        for position, (gradient, given) in enumerate(zip(returned, self._inputs, strict=False)):
            if gradient is not None and given is not None:
                gradient = self._checked(gradient, position, given[1], given[2])
                if walk.needed is None or given[0] in walk.needed:
                    walk.send(given[0], gradient if walk.create_graph else gradient.data)
        if not walk.retain_graph and self.saved:
            self.free()

    def _given(self, gradient: Any, kind: Any, create_graph: bool) -> Any:
        """Return the gradient of an output as ``backward`` gets it."""
        if kind is None:
            return None
        tensor_type, xp, shape, dtype = kind
        if gradient is not None:
            return gradient if create_graph else tensor_type.of(gradient)
        return tensor_type.of(xp.zeros(shape, dtype)) if self.context._materialize else None

    def _checked(self, gradient: Any, position: int, shape: tuple[int, ...], dtype: Any) -> Any:
        """Return a gradient in the shape and data type of its input."""
        if not hasattr(gradient, "node"):
            raise TypeError(
                f"{self.name}.backward returned {type(gradient).__name__} for argument {position}; "
                "a gradient is a Tensor or None"
            )
        xp = gradient.__array_namespace__()
        if gradient.shape != shape:
            stretched = zip(gradient.shape[::-1], shape[::-1], strict=False)
            if gradient.ndim < len(shape) or any(m not in (1, n) for n, m in stretched):
                raise RuntimeError(
                    f"{self.name}.backward returned a gradient of shape {gradient.shape} for "
                    f"argument {position}, which has shape {shape}"
                )
            gradient = sum_to_shape(xp, gradient, shape)
        return gradient.to(dtype)


class OutputNode(Node):
    """One output of a `Function`."""

    __slots__ = ("_position", "dtype", "edges", "shape")

    def __init__(self, call: Node, position: int, like: Any) -> None:
        self.shape = like.shape
        self.dtype = like.dtype
        self.number = next_number()
        self.asked = None
        self.edges = (call,)
        self._position = position

    @property
    def name(self) -> str:
        """The name of the user's class."""
        return self.edges[0].name

    def pass_on(self, gradient: Any, walk: Walk) -> None:
        """Send the gradient to the call."""
        walk.send(self.edges[0], _Parts({self._position: gradient}))


class RefusingNode(Node):
    """Stands where a gradient ends with an error."""

    __slots__ = ("_message", "_name", "dtype", "edges", "shape")

    def __init__(self, edges: tuple[Node, ...], like: Any, name: str, message: str) -> None:
        self._name = name
        self._message = message
        self.shape = like.shape
        self.dtype = like.dtype
        self.number = next_number()
        self.asked = None
        self.edges = edges

    @property
    def name(self) -> str:
        """Why it is there, in a word."""
        return self._name

    def pass_on(self, gradient: Any, walk: Walk) -> None:  # noqa: ARG002 (of every node)
        """Refuse."""
        raise RuntimeError(self._message)
