"""A strict double of a GPU: CuPy's interface, computed by NumPy.

It stands in for the library of `distgrad.backend.arrays.Provider`. Its arrays hide one of NumPy,
and its module has the names and parameters of CuPy (`helpers.cupy_api`) and no others. It refuses
what is an error on a GPU, and also what CuPy would do silently and wait for:

- NumPy's arrays as operands, and its arrays as operands of NumPy's functions;
- ``float()``, ``int()``, ``bool()``, ``item()``, ``tolist()``, elements one by one: values are read
  through `distgrad.backend.to_host` alone, which ``reads`` counts;
- what a GPU leaves undefined: an index beyond the end, two writes to one element;
- to compute in bfloat16: CuPy has no loops of some functions for it, and it rounds at each step;
- sums by atomic operations (``ufunc.at``), whose order changes.
"""

import mmap
import os
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType, SimpleNamespace
from typing import Any
from weakref import WeakValueDictionary, finalize

import numpy as np
from helpers import cupy_api

__all__ = ["NotOnDevice", "StrictDevice", "device_array", "double", "strict_device"]

API = cupy_api.read()


class NotOnDevice(AssertionError):  # noqa: N818 (what is wrong, not how it is called)
    """Something that is wrong on a GPU, or that nobody meant to wait for."""


def _refusing(what: str) -> Callable[..., Any]:
    def refuse(self: Any, *args: Any, **kwargs: Any) -> Any:
        raise NotOnDevice(f"{what} of an array on the device; read it through to_host()")

    return refuse


_owners: WeakValueDictionary[int, "device_array"] = WeakValueDictionary()
"""The array that owns the memory of others, by what it hides: their ``base`` is this very one."""


class device_array:  # noqa: N801 (named as NumPy and CuPy name theirs)
    """An array on the double."""

    __slots__ = ("__weakref__", "_host", "_index")
    __array_ufunc__ = None
    __array_priority__ = 100

    def __new__(cls, host: np.ndarray, index: int | None = None) -> "device_array":
        array = super().__new__(cls)
        array._host = host
        array._index = double.current() if index is None else index
        if host.base is None:
            _owners.setdefault(id(host), array)
        return array

    # What is read without the values

    @property
    def data(self) -> SimpleNamespace:
        address = self._host.__array_interface__["data"][0]
        return SimpleNamespace(device_id=self._index, ptr=address)

    @property
    def device(self) -> SimpleNamespace:
        return SimpleNamespace(id=self._index)

    @property
    def base(self) -> Any:
        base = self._host.base
        while base is not None and not isinstance(base, np.ndarray):  # of as_strided()
            base = getattr(base, "base", None)
        if not isinstance(base, np.ndarray):
            return None
        owner = _owners.get(id(base))
        if owner is None:
            owner = _owners[id(base)] = device_array(base, self._index)
        return owner

    @property
    def shape(self) -> tuple[int, ...]:
        return self._host.shape

    @shape.setter
    def shape(self, shape: tuple[int, ...]) -> None:
        self._host.shape = shape

    @property
    def flags(self) -> SimpleNamespace:
        own = self._host.flags
        names = ("c_contiguous", "f_contiguous", "owndata")
        return SimpleNamespace(**{name: getattr(own, name) for name in names})

    def __len__(self) -> int:
        return len(self._host)

    def __repr__(self) -> str:
        return f"device_array({self._host!r})"

    # Indexing

    def __getitem__(self, index: Any) -> "device_array":
        place = _unwrapped_index(index)
        with _in_bounds(place):
            found = self._host[place]
        if isinstance(found, np.generic) and not _is_advanced(place):
            found = self._host[(*place, ...) if isinstance(place, tuple) else (place, ...)]
        return _done(lambda: self._host[place], _wrapped(found), self._host)  # one element: a view

    def __setitem__(self, index: Any, value: Any) -> None:
        place, host = _unwrapped_index(index), _unwrapped(value)
        with _in_bounds(place):
            if _is_advanced(place):
                places = np.arange(self._host.size).reshape(self.shape)[place]
                if np.unique(places).size < places.size:
                    raise NotOnDevice("two writes to one element: which one stays is undefined")
            self._host[place] = host
        _done(lambda: self._host.__setitem__(place, host), None)

    def __iter__(self) -> Iterator["device_array"]:
        if self.ndim < 2:  # those of more axes are views
            raise NotOnDevice("elements of an array on the device, one by one")
        return map(_wrapped, self._host)

    # Copies

    def __copy__(self) -> "device_array":
        return _done(self._host.copy, _wrapped(self._host.copy()))

    def __deepcopy__(self, memo: Any) -> "device_array":
        return _wrapped(self._host.copy())

    def __reduce__(self) -> Any:
        return _restored, (self._host, self._index)

    def __dlpack__(self, **kwargs: Any) -> Any:
        raise BufferError("the double's memory is none of a GPU")

    def __dlpack_device__(self) -> tuple[int, int]:
        return (2, self._index)

    # What is refused

    __array__ = _refusing("__array__()")
    __array_function__ = _refusing("a function of NumPy's")
    __bool__ = _refusing("bool()")
    __float__ = _refusing("float()")
    __int__ = _refusing("int()")
    __complex__ = _refusing("complex()")
    __index__ = _refusing("an index")
    __contains__ = _refusing("`in`")
    item = _refusing("item()")
    tolist = _refusing("tolist()")
    get = _refusing("get()")
    tobytes = _refusing("tobytes()")
    __hash__ = None


device_array.__name__ = device_array.__qualname__ = "ndarray"


def _wrapped(value: Any) -> Any:
    if isinstance(value, np.ndarray | np.generic):
        return device_array(np.asarray(value))
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*map(_wrapped, value))
    return type(value)(map(_wrapped, value)) if isinstance(value, tuple | list) else value


def _restored(host: np.ndarray, index: int) -> device_array:
    return device_array(host, index)


def _unwrapped(value: Any) -> Any:
    if isinstance(value, device_array):
        return value._host
    if isinstance(value, np.ndarray):
        raise TypeError(f"Unsupported type {type(value)}")
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*map(_unwrapped, value))
    return type(value)(map(_unwrapped, value)) if isinstance(value, tuple | list) else value


def _unwrapped_index(index: Any) -> Any:
    return tuple(map(_unwrapped, index)) if isinstance(index, tuple) else _unwrapped(index)


def _is_advanced(place: Any) -> bool:
    parts = place if isinstance(place, tuple) else (place,)
    return any(isinstance(part, np.ndarray | list) and np.asarray(part).size for part in parts)


@contextmanager
def _in_bounds(place: Any) -> Iterator[None]:
    try:
        yield
    except IndexError as error:
        if "out of bounds" in str(error) and _is_advanced(place):
            raise NotOnDevice(f"{error}: nobody notices that on a GPU") from error
        raise


# Graphs


def _done(again: Callable[[], Any], made: Any, *given: Any) -> Any:
    """Return what was made; while a graph is recorded, note how it is made again, where it lies.

    Of a view of what was given nothing is to be made.
    """
    if double.recorded is not None:
        places = [_root(array) for array in given if isinstance(array, np.ndarray)]
        for part in made if isinstance(made, tuple | list) else (made,):
            is_view = isinstance(part, device_array) and any(_root(part._host) is p for p in places)
            if not is_view or part._host is given[0]:
                double.recorded.append(lambda: _make_again(again, made))
                break
    return made


def _make_again(again: Callable[[], Any], made: Any) -> None:
    with np.errstate(all="ignore"):
        results = again()
    if not isinstance(made, tuple | list):
        made, results = (made,), (results,)
    for part, result in zip(made, results, strict=True):
        if isinstance(part, device_array) and part._host is not result:
            part._host[...] = result


def _root(array: np.ndarray) -> Any:
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array if array.base is None else array.base


# Methods and operators of arrays

_OF_EVERY_TYPE = {
    *("__add__", "__iadd__", "add", "argsort", "array", "array_equal", "asarray"),
    *("ascontiguousarray", "astype", "broadcast_to", "concatenate", "copy", "copyto", "empty"),
    *("empty_like", "expand_dims", "fill", "flip", "full", "full_like", "isfinite"),
    *("may_share_memory", "moveaxis", "ones", "ones_like", "ravel", "reshape", "roll", "squeeze"),
    *("stack", "swapaxes", "take", "transpose", "view", "zeros", "zeros_like", "as_strided"),
}


def _check_types(name: str, *values: Any) -> None:
    """Refuse to compute in bfloat16, but for the sum of two gradients."""
    types = [getattr(value, "dtype", None) for value in values]
    if name == "einsum" and len(values) == 2:  # of one array: a view
        return
    if name.rpartition(".")[2] not in _OF_EVERY_TYPE and "bfloat16" in map(str, types):
        raise NotOnDevice(f"{name} of bfloat16: it is computed in float32, or by a kernel")


def _check_call(name: str, named: tuple[str, ...], args: Any, kwargs: Any) -> None:
    unknown = sorted(kwargs.keys() - {*named})
    if unknown and not any(x.startswith("**") for x in named):
        raise TypeError(f"cupy.{name}() got an unexpected keyword argument {unknown[0]!r}")
    if len(args) > len(named) and not any(x.startswith("*") for x in named):
        raise TypeError(f"cupy.{name}() takes {len(named)} arguments, got {len(args)}")


def _forwarding(name: str) -> Callable[..., Any]:
    named = API[f"ndarray.{name}"]

    def method(self: device_array, *args: Any, **kwargs: Any) -> Any:
        _check_call(f"ndarray.{name}", named, args, kwargs)
        _check_types(name, self, *args)
        taken = {key: _unwrapped(value) for key, value in kwargs.items()}
        hosts = _unwrapped(list(args))
        compute = lambda: getattr(self._host, name)(*hosts, **taken)  # noqa: E731
        with np.errstate(all="ignore"):
            result = compute()
        made = self if result is self._host else _wrapped(result)
        return _done(compute, made, self._host)

    return method


def _operator(name: str) -> Callable[..., Any]:
    def operate(self: device_array, *others: Any) -> Any:
        if any(hasattr(other, "node") for other in others):
            return NotImplemented
        _check_types(name, self, *others)
        hosts = _unwrapped(list(others))
        compute = lambda: getattr(self._host, name)(*hosts)  # noqa: E731
        with np.errstate(all="ignore"):
            result = compute()
        if result is NotImplemented:
            return result
        return _done(compute, self if result is self._host else _wrapped(result), self._host)

    return operate


_PAIRS = "add sub mul truediv floordiv mod pow and or xor lshift rshift matmul divmod"
_OPERATORS = [f"__{prefix}{name}__" for prefix in ("", "r", "i") for name in _PAIRS.split()]
_OPERATORS += [
    f"__{name}__" for name in ["lt", "le", "gt", "ge", "eq", "ne", "neg", "pos", "abs", "invert"]
]
_FORWARDED_ATTRIBUTES = ["dtype", "ndim", "size", "strides", "nbytes", "itemsize"]


def _attribute(name: str) -> property:
    return property(lambda self: _wrapped(getattr(self._host, name)))


for _name in _OPERATORS:
    if hasattr(np.ndarray, _name) and _name not in ("__idivmod__", "__imatmul__"):
        setattr(device_array, _name, _operator(_name))
for _name in [*_FORWARDED_ATTRIBUTES, "T", "mT", "real", "imag", "flat"]:
    setattr(device_array, _name, _attribute(_name))
for _line in API:
    _kind, _, _name = _line.partition(".")
    if _kind == "ndarray" and hasattr(np.ndarray, _name) and not hasattr(device_array, _name):
        setattr(device_array, _name, _forwarding(_name))


# The module

_OF_HOST_ARRAYS = {"array", "asarray"}
_NOT_IN_IT = {"asnumpy", "from_dlpack", "frombuffer", "fromfile", "load", "save", "savez"}
_OF_UFUNCS = ("*arrays", "out", "where", "dtype", "casting")
_TRUTH_AS_ARRAY = {"allclose", "array_equal", "array_equiv"}


def _function(name: str, compute: Callable[..., Any]) -> Callable[..., Any]:
    parameters = API[name]
    named = _OF_UFUNCS if parameters == ("ufunc",) else parameters

    def call(*args: Any, **kwargs: Any) -> Any:
        _check_call(name, named, args, kwargs)
        _check_types(name, *args)
        double.calls[name] += 1
        kwargs.pop("blocking", None)
        if name in _OF_HOST_ARRAYS and isinstance(args[0], np.ndarray):
            args = (device_array(args[0].copy(order="K")), *args[1:])
        taken = {key: _unwrapped(value) for key, value in kwargs.items()}
        places = args if name == "take" else ()
        hosts = _unwrapped(list(args))
        again = lambda: compute(*hosts, **taken)  # noqa: E731
        with np.errstate(all="ignore"), _in_bounds(tuple(map(_unwrapped, places))):
            result = again()
        if name in _TRUTH_AS_ARRAY:
            result = np.bool_(result)
        for given in (*args, *kwargs.values()):
            if isinstance(given, device_array) and given._host is result:
                return _done(again, given, result)
        return _done(again, _wrapped(result), *hosts)

    call.__name__ = call.__qualname__ = name
    return call


# Where NumPy gives a scalar an axis.
_CUPYS_WAY = {"ascontiguousarray": lambda a, dtype=None: np.asarray(a, dtype, order="C")}


def _module(prefix: str, source: Any) -> ModuleType:
    module = ModuleType(f"strict_cupy.{prefix}".strip("."))
    for line in API:
        name = line.removeprefix(prefix)
        if line.startswith(prefix) and "." not in name and name not in _NOT_IN_IT:
            compute = _CUPYS_WAY.get(line) or getattr(source, name, None)
            if compute is not None:
                setattr(module, name, _function(line, compute))
    return module


def _make_module() -> ModuleType:
    xp = _module("", np)
    xp.linalg = _module("linalg.", np.linalg)
    xp.linalg.LinAlgError = np.linalg.LinAlgError
    xp.lib = SimpleNamespace(stride_tricks=_module("lib.stride_tricks.", np.lib.stride_tricks))
    for name in [
        "float16",
        "float32",
        "float64",
        "int8",
        "int16",
        "int32",
        "int64",
        "uint8",
        "uint16",
        "uint32",
        "uint64",
    ]:
        setattr(xp, name, getattr(np, name))
    for name in [
        "bool_",
        "dtype",
        "finfo",
        "iinfo",
        "integer",
        "floating",
        "generic",
        "nan",
        "inf",
        "pi",
        "e",
        "newaxis",
    ]:
        setattr(xp, name, getattr(np, name))
    xp.ndarray = device_array
    return xp


class StrictDevice:
    """The provider: two devices, of which each thread uses the first.

    Attributes:
        reads: How often values were read on the host.
        calls: How often each function of the module was called.
        recorded: While a graph is recorded, what a replay does; else None.
    """

    def __init__(self) -> None:
        self.xp = _make_module()
        self.index = 0
        self.reads = 0
        self.calls: Counter[str] = Counter()
        self.recorded: list[Callable[[], None]] | None = None

    def count(self) -> int:
        return 2

    def current(self) -> int:
        return self.index

    def make_current(self, index: int) -> None:
        self.index = index

    @contextmanager
    def using(self, index: int) -> Iterator[None]:
        before, self.index = self.index, index
        try:
            yield
        finally:
            self.index = before

    def index_of(self, array: device_array) -> int:
        return array._index

    def to_device(self, array: Any, index: int) -> device_array:
        if isinstance(array, device_array):
            return array if array._index == index else device_array(array._host.copy(), index)
        if self.recorded is not None:
            raise NotOnDevice("a copy from the host while a graph is recorded")
        return device_array(np.array(array, order="K"), index)

    def to_host(self, array: device_array) -> np.ndarray:
        if self.recorded is not None:
            raise NotOnDevice("a wait for a value while a graph is recorded")
        self.reads += 1
        return array._host.copy()

    def overwrite(self, array: device_array, values: np.ndarray) -> None:
        array._host[...] = values

    def synchronize(self, index: int) -> None:
        self.calls["synchronize"] += 1

    def export_window(self, nbytes: int, index: int) -> tuple[device_array, bytes]:
        with tempfile.NamedTemporaryFile(prefix="strict-device-", delete=False) as file:
            file.truncate(nbytes)
        finalize(self, os.unlink, file.name)
        return self.open_window(file.name.encode(), nbytes, index), file.name.encode()

    def open_window(self, handle: bytes, nbytes: int, index: int) -> device_array:
        with open(handle, "r+b") as file:
            return device_array(np.frombuffer(mmap.mmap(file.fileno(), nbytes), np.uint8), index)

    def describe(self, index: int) -> dict[str, str]:
        return {"name": "strict double", "NumPy": np.__version__, "bus": f"0000:0{index}:00.0"}


double = StrictDevice()


@contextmanager
def strict_device() -> Iterator[StrictDevice]:
    """Let ``cuda`` be the double, inside the block."""
    from distgrad.backend.arrays import provide

    before = provide(double)
    try:
        yield double
    finally:
        provide(before)
