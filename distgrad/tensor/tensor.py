"""`Tensor`: an array, its gradient, and its place in the graph."""

import threading
from collections.abc import Callable, Iterator
from contextvars import Context
from functools import partial
from typing import Any, Self
from weakref import ref

import numpy as np

from distgrad import autograd, ops
from distgrad.autograd.modes import is_grad_enabled
from distgrad.autograd.node import Node, Version, record
from distgrad.backend import Array, array_namespace
from distgrad.backend.dtypes import is_floating
from distgrad.ops import Op
from distgrad.tensor.in_place import InPlace
from distgrad.tensor.methods import Methods
from distgrad.tensor.operands import raw

__all__ = ["Tensor", "apply"]


class Tensor(InPlace, Methods):
    """An array of numbers that can ask for a gradient.

    Args:
        data: The array, of NumPy or CuPy; it is wrapped, not copied. `distgrad.tensor` copies.
        requires_grad: Record what is computed from it, so that `backward` can fill ``.grad``.

    Attributes:
        data: The raw array. A change made to it directly is announced by `bump_version`.
        grad: The gradient, a Tensor, or None until a backward pass has written it.

    Raises:
        RuntimeError: If a gradient is asked for an array that is not of floating-point type.

    Example:
        >>> x = Tensor(np.arange(4.0), requires_grad=True)
        >>> (2 * x.dot(x)).backward()
        >>> x.grad.tolist()
        [0.0, 4.0, 8.0, 12.0]
    """

    __slots__ = ("__weakref__", "_leaf_requires_grad", "data", "grad", "node", "version")
    __array_ufunc__ = None  # so that array + Tensor asks the Tensor

    data: Array
    grad: "Tensor | None"
    node: Node | None
    version: Version

    def __init__(self, data: Array, requires_grad: bool = False) -> None:
        data = raw(data)
        self.data = data if type(data) is np.ndarray else array_namespace(data).asarray(data)
        self.grad = None
        self.node = None
        self.version = Version()
        self._leaf_requires_grad = False
        if requires_grad:
            self.requires_grad_(True)

    @staticmethod
    def of(data: Array, node: Node | None = None) -> "Tensor":
        """Wrap the result of an operation."""
        tensor = Tensor.__new__(Tensor)
        tensor.data = data if type(data) is np.ndarray else array_namespace(data).asarray(data)
        tensor.grad = None
        tensor.node = node
        tensor.version = Version()
        tensor._leaf_requires_grad = False
        return tensor

    @staticmethod
    def __array_namespace__() -> "_Namespace":
        return _NAMESPACE

    # The graph

    @property
    def requires_grad(self) -> bool:
        """Whether a gradient is wanted for it, or for something that it was computed from."""
        return self._leaf_requires_grad or self.node is not None

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        self.requires_grad_(value)

    @property
    def is_leaf(self) -> bool:
        """Whether it was made by the user and not by a recorded operation."""
        return self.node is None

    @property
    def grad_fn(self) -> Node | None:
        """The recorded operation that made it; its ``name`` says which."""
        return self.node

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Record from now on what is computed from this leaf, or stop doing so."""
        if self.node is not None and not requires_grad:
            raise RuntimeError("only a leaf can stop requiring a gradient; use detach()")
        if requires_grad and not is_floating(self.dtype):
            raise RuntimeError(f"only floating-point tensors have gradients, not {self.dtype}")
        self._leaf_requires_grad = requires_grad and self.node is None
        return self

    def backward(
        self,
        gradient: "Tensor | None" = None,
        retain_graph: bool | None = None,
        create_graph: bool = False,
    ) -> None:
        """Add gradients to the leaves; see `distgrad.autograd.backward`."""
        autograd.backward(self, gradient, retain_graph, create_graph)

    def retain_grad(self) -> None:
        """Keep the gradient of a tensor that is not a leaf in its ``.grad`` as well."""
        if not self.requires_grad:
            raise RuntimeError("retain_grad() needs a tensor that requires a gradient")
        if self.node is not None:
            self.node.retained_by = ref(self)

    def detach(self) -> "Tensor":
        """Return the same array outside the graph: no gradient flows through it."""
        result = Tensor.of(self.data)
        result.version = self.version
        return result

    def bump_version(self) -> None:
        """Announce that the array was changed in place, so that stale graphs are refused."""
        self.version.number += 1

    # As a container

    def __len__(self) -> int:
        if not self.ndim:
            raise TypeError("len() of a 0-d tensor")
        return self.shape[0]

    def __iter__(self) -> Iterator["Tensor"]:
        return (self[i] for i in range(len(self)))

    def __repr__(self) -> str:
        text = np.array2string(self.data, precision=4, separator=", ", prefix="tensor(")
        if self.dtype.name not in ("float32", "int64", "bool"):
            text += f", dtype={self.dtype}"
        if self.node is not None:
            text += f", grad_fn={self.node!r}"
        elif self.requires_grad:
            text += ", requires_grad=True"
        return f"tensor({text})"

    # Out of the engine

    def numpy(self) -> Array:
        """Return the array itself, not a copy.

        Raises:
            RuntimeError: If the tensor requires a gradient; `detach` it first.
        """
        if self.requires_grad:
            raise RuntimeError("this tensor requires a gradient; use tensor.detach().numpy()")
        return self.data

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return np.array(self.numpy(), dtype, copy=copy)

    def item(self) -> Any:
        """Return the only element as a Python number."""
        return self.data.item()

    def tolist(self) -> Any:
        """Return the elements as nested lists of Python numbers."""
        return self.data.tolist()

    def __float__(self) -> float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __index__(self) -> int:
        if self.dtype.kind not in "iu":
            raise TypeError(f"only an integer tensor can be an index, not {self.dtype}")
        return int(self.item())

    def __bool__(self) -> bool:
        if self.numel() != 1:
            raise RuntimeError(
                f"the truth of a tensor of {self.numel()} elements is ambiguous; "
                "use .any() or .all()"
            )
        return bool(self.item())

    def __format__(self, spec: str) -> str:
        return format(self.item() if self.numel() == 1 and self.ndim == 0 else repr(self), spec)


class _Quiet(threading.local):
    """Runs functions without NumPy's warnings: infinities and nan are results, as in PyTorch.

    NumPy looks for its warnings' setting in the current context. To enter a context that has it
    costs a tenth of `numpy.errstate`; a context serves one thread at a time.
    """

    def __init__(self) -> None:
        context = Context()
        context.run(np.seterr, all="ignore")
        self.run = context.run


_quiet = _Quiet()


def apply(op: Op, *args: Any, **attributes: Any) -> Tensor:
    """Run an op on Tensors, arrays and numbers, and record it where a gradient is wanted.

    Args:
        op: An op of `distgrad.ops`.
        *args: Its inputs; attributes may follow by position.
        **attributes: Its attributes by name.
    """
    if op.defaults:
        args, attributes = op.bind(args, attributes)
    arrays = [x.data if isinstance(x, Tensor) else x for x in args]
    xp = array_namespace(*arrays)
    result = Tensor.of(_quiet.run(op.forward, xp, *arrays, **attributes))
    if op.view and result.data.base is not None and _share_memory(result.data, arrays[0]):
        result.version = getattr(args[0], "version", result.version)  # an array has none
    wanted = tuple(
        [isinstance(x, Tensor) and (x.node is not None or x._leaf_requires_grad) for x in args]
    )
    if True in wanted and is_grad_enabled() and is_floating(result.data.dtype):
        result.node = record(op, args, wanted, arrays, attributes, result)
    return result


def _share_memory(a: Array, b: Array) -> bool:
    return bool(array_namespace(a, b).may_share_memory(a, b))


class _Namespace:
    """The namespace in which gradient rules run on Tensors: every op under its NumPy name."""

    apply_op = staticmethod(apply)

    def __getattr__(self, name: str) -> Callable[..., Tensor]:
        return partial(apply, getattr(ops, name))


_NAMESPACE = _Namespace()

Tensor._apply = staticmethod(apply)
