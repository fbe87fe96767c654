"""Operations taken apart into the calls of NumPy that they make.

The function of an operation runs once more, on `Traced` arrays that note each call. What they
cannot follow, above all what depends on values, leaves the operation whole.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import RLock
from typing import Any

import numpy as np

from distgrad.backend import Array
from distgrad.backend.kernels.table import implementations, use
from distgrad.backend.quiet import quietly
from distgrad.tracing.steps import COMPUTED, FIXED, Slot, Step, mapped, memory_of, perform

__all__ = ["flattened"]

_METHODS = {"copy", "ravel", "reshape", "squeeze", "swapaxes", "transpose", "view"}
_FUNCTIONS = {
    np.broadcast_to,
    np.concatenate,
    np.empty_like,
    np.expand_dims,
    np.moveaxis,
    np.reshape,
    np.squeeze,
    np.stack,
    np.swapaxes,
    np.take,
    np.take_along_axis,
    np.transpose,
    np.zeros_like,
}
"""Functions the shape of whose results depends on shapes alone."""


_lock = RLock()


class _WholeError(Exception):
    """The operation cannot be taken apart."""


def _find_clip() -> Any:
    """Return the ufunc behind the arrays' method ``clip``, which takes a third of its time."""

    class Asked(np.ndarray):
        def __array_ufunc__(self, ufunc: Any, *_: Any, **__: Any) -> Any:
            return ufunc

    found: Any = np.zeros(1).view(Asked).clip(0, 1)
    return found if isinstance(found, np.ufunc) else None


_CLIP = _find_clip()


class Traced:
    """An array of which every use is noted."""

    __slots__ = ("array", "slot", "steps")

    def __init__(self, array: Any, slot: Slot, steps: list[Step]) -> None:
        self.array = array
        self.slot = slot
        self.steps = steps

    shape = property(lambda self: self.array.shape)
    ndim = property(lambda self: self.array.ndim)
    size = property(lambda self: self.array.size)
    dtype = property(lambda self: self.array.dtype)
    itemsize = property(lambda self: self.array.itemsize)
    nbytes = property(lambda self: self.array.nbytes)
    T = property(lambda self: self._noted("attribute", "T", (self,)))

    def _noted(self, kind: str, what: Any, args: Any, kwargs: Any = None) -> Any:
        """Do a step, note it, and return what it gives."""
        kwargs = kwargs or {}
        operands: list[tuple[Slot, Array]] = []

        def arrays(value: Any) -> Any:
            return value.array if isinstance(value, Traced) else value

        def slots(value: Any) -> Any:
            if isinstance(value, Traced):
                operands.append((value.slot, value.array))
                return value.slot
            if isinstance(value, np.ndarray | np.generic):
                return Slot(FIXED, value)
            return value

        result = perform(kind, what, mapped(args, arrays), mapped(kwargs, arrays))
        step = Step(kind, what, mapped(args, slots), mapped(kwargs, slots))
        self.steps.append(step)
        if kind == "set":
            return None
        if not isinstance(result, np.ndarray | np.generic):
            raise _WholeError
        step.target = Slot(COMPUTED, result, memory_of(result, operands))
        return Traced(result, step.target, self.steps)

    def _changed(self, kind: str, what: Any, args: tuple[Any, ...]) -> None:
        """Note a step that writes into this array, which the operation has made itself."""
        if not any(self.slot.root in step.targets() for step in self.steps):
            raise _WholeError
        self._noted(kind, what, args)
        self.steps[-1].changes, self.steps[-1].target = self.slot, None

    def __array_ufunc__(self, ufunc: Any, method: str, *args: Any, **kwargs: Any) -> Any:
        out = kwargs.pop("out", None)
        if ufunc.nout != 1 or kwargs.get("where", True) is not True:
            raise _WholeError
        if out is not None:
            (out,) = out
            if method != "__call__" or kwargs or not isinstance(out, Traced):
                raise _WholeError
            out._changed("call", ufunc, (*args, out))
            return out
        if method == "reduce":
            return self._reduced(ufunc, *args, **kwargs)
        if method != "__call__":
            raise _WholeError
        return self._noted("call", ufunc, args, kwargs)

    def _reduced(
        self,
        ufunc: Any,
        array: Any,
        axis: Any = 0,
        dtype: Any = None,
        keepdims: Any = False,
        **others: Any,
    ) -> Any:
        if others.keys() - {"initial"} or not isinstance(array, Traced):
            raise _WholeError
        if keepdims:
            others["keepdims"] = True
        return self._noted("call", ufunc.reduce, (array, axis, dtype), others)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if function in (np.sum, np.max):
            return self._reduction(np.add if function is np.sum else np.maximum, *args, **kwargs)
        if function is np.dot:
            return args[0].dot(args[1])
        if function is np.where and len(args) == 3 and not kwargs:
            return self._noted("call", np.where, args)
        if function not in _FUNCTIONS:
            raise _WholeError
        return self._noted("call", function, args, kwargs)

    def _reduction(
        self,
        ufunc: Any,
        array: Any,
        axis: Any = None,
        dtype: Any = None,
        keepdims: Any = False,
        **others: Any,
    ) -> Any:
        return self._reduced(ufunc, array, axis, dtype, keepdims, **others)

    def sum(self, axis: Any = None, dtype: Any = None, keepdims: bool = False) -> Any:
        """As that of an array, which calls the ufunc in turn."""
        return self._reduced(np.add, self, axis, dtype, keepdims)

    def max(self, axis: Any = None, keepdims: bool = False) -> Any:
        """As that of an array."""
        return self._reduced(np.maximum, self, axis, None, keepdims)

    def dot(self, other: Any) -> Any:
        """As that of an array."""
        return self._noted("method", "dot", (self, other))

    def astype(self, dtype: Any, copy: bool = True) -> Any:
        """As that of an array."""
        if not copy and self.array.dtype == dtype:
            return self
        return self._noted("method", "astype", (self, np.dtype(dtype)))

    def clip(self, low: Any, high: Any, out: Any = None) -> Any:
        """As that of an array."""
        if low is None or high is None or _CLIP is None:
            raise _WholeError
        if out is None:
            return self._noted("call", _CLIP, (self, low, high))
        out._changed("call", _CLIP, (self, low, high, out))
        return out

    def __getattr__(self, name: str) -> Any:
        if name not in _METHODS:
            raise AttributeError(name)
        return lambda *args, **kwargs: self._noted("method", name, (self, *args), kwargs)

    def __len__(self) -> int:
        return len(self.array)

    def __getitem__(self, index: Any) -> Any:
        _check_index(index)
        return self._noted("get", "", (self, index))

    def __setitem__(self, index: Any, value: Any) -> None:
        _check_index(index)
        self._changed("set", "", (self, index, value))

    def __pow__(self, exponent: Any) -> Any:
        raise _WholeError

    def __neg__(self) -> Any:
        return np.negative(self)

    def __invert__(self) -> Any:
        return np.invert(self)

    def __abs__(self) -> Any:
        return np.absolute(self)

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise _WholeError

    __bool__ = __int__ = __float__ = __index__ = __iter__ = __array__
    __hash__ = object.__hash__


@contextmanager
def _kernels_as_a_whole() -> Iterator[None]:
    """Let kernels in use be noted as one call each; what they do not serve is looked into.

    They stand in for all threads, and do as ever with what is not traced.
    """
    with _lock:
        before = implementations(np)
        use(np, {name: _as_a_whole(kernel) for name, kernel in before.items()})
        try:
            yield
        finally:
            use(np, before)


def _as_a_whole(kernel: Callable[..., Any]) -> Callable[..., Any]:
    def noted(xp: Any, *args: Any, **attributes: Any) -> Any:
        traced: list[Traced] = []

        def array(value: Any) -> Any:
            if isinstance(value, Traced):
                traced.append(value)
                return value.array
            return value

        given, named = mapped(args, array), mapped(attributes, array)
        result = kernel(xp, *given, **named)
        if not traced or result is NotImplemented:
            return result
        return traced[0]._noted("kernel", kernel, (xp, *args), attributes)

    return noted


def _check_index(index: Any) -> None:
    """Refuse an index of truth values: how many elements it names depends on these."""

    def check(part: Any) -> None:
        if isinstance(part, bool | np.bool_) or getattr(part, "dtype", None) == np.bool_:
            raise _WholeError

    mapped(index, check)


def _operator(ufunc: Any) -> tuple[Any, Any, Any]:
    """Return the methods of an operator: forwards, from the right, in place."""

    def forwards(self: Traced, other: Any) -> Any:
        return self._noted("call", ufunc, (self, other))

    def backwards(self: Traced, other: Any) -> Any:
        return self._noted("call", ufunc, (other, self))

    def in_place(self: Traced, other: Any) -> Any:
        self._changed("call", ufunc, (self, other, self))
        return self

    return forwards, backwards, in_place


for _name, _ufunc in {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "truediv": np.true_divide,
    "floordiv": np.floor_divide,
    "mod": np.remainder,
    "matmul": np.matmul,
    "and": np.bitwise_and,
    "or": np.bitwise_or,
    "xor": np.bitwise_xor,
    "lshift": np.left_shift,
    "rshift": np.right_shift,
}.items():
    for _prefix, _method in zip(("", "r", "i"), _operator(_ufunc), strict=True):
        setattr(Traced, f"__{_prefix}{_name}__", _method)
for _name, _ufunc in {
    "eq": np.equal,
    "ne": np.not_equal,
    "lt": np.less,
    "le": np.less_equal,
    "gt": np.greater,
    "ge": np.greater_equal,
}.items():
    setattr(Traced, f"__{_name}__", _operator(_ufunc)[0])


def flattened(
    function: Callable[..., Any],
    args: tuple[Any, ...],
    attributes: dict[str, Any],
    slot_of: Callable[[Any], Any],
    result: Array,
) -> tuple[list[Step], Slot] | None:
    """Return the steps of a call of an operation, and which slot its result comes to.

    Args:
        function: The operation, or a gradient rule.
        args: What it was called with, arrays among it.
        attributes: The same by name.
        slot_of: Returns the slot of an array.
        result: What it returned; what its steps give must be the same.

    Returns:
        None if it is to be called as a whole.
    """
    steps: list[Step] = []

    def traced(value: Any) -> Any:
        return Traced(value, slot_of(value), steps) if isinstance(value, np.ndarray) else value

    try:
        with quietly(), _kernels_as_a_whole():
            again = function(*mapped(args, traced), **mapped(attributes, traced))
    except Exception:
        return None
    if not isinstance(again, Traced):
        return None
    steps_of = again.slot
    if isinstance(again.array, np.generic):  # as the operation's caller has it
        again = again._noted("call", np.asarray, (again,))
        steps_of = again.slot
    alike = again.array.strides == result.strides and again.array.dtype == result.dtype
    if not alike or again.array.tobytes() != result.tobytes() or again.shape != result.shape:
        return None
    return steps, steps_of
