"""Parameters in a list or by name."""

from collections.abc import Iterable, Iterator, KeysView
from typing import Any, Self, overload

from distgrad.nn.module import Module
from distgrad.nn.pairs import pairs_of
from distgrad.nn.parameter import Parameter
from distgrad.tensor import Tensor

__all__ = ["ParameterDict", "ParameterList"]


class _Parameters(Module):
    """What both have: values of any kind, of which Tensors become Parameters."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ARG002
        raise RuntimeError(
            f"a {type(self).__name__} computes nothing; call the module that holds it"
        )

    def _put(self, name: str, value: Any) -> None:
        if isinstance(value, Tensor) and not isinstance(value, Parameter):
            value = Parameter(value)
        setattr(self, name, value)

    def _named(self) -> Iterable[tuple[Any, Any]]:
        raise NotImplementedError

    def extra_repr(self) -> str:
        """Return a line for each value: its kind, data type and shape."""
        return "\n".join(f"  ({name}): {_described(value)}" for name, value in self._named())


def _described(value: Any) -> str:
    if not isinstance(value, Tensor):
        return f"Object of type: {type(value).__name__}"
    kind = "Parameter" if isinstance(value, Parameter) else "Tensor"
    return f"{kind} containing: [{value.dtype} of size {'x'.join(map(str, value.shape))}]"


class ParameterList(_Parameters):
    """Parameters in a list, which are named "0", "1", ...; Tensors become Parameters.

    Other values may be in it, too.

    Args:
        values: The parameters at first. Default: none.

    Example:
        >>> import distgrad as dg
        >>> parameters = dg.nn.ParameterList([dg.ones(2), dg.zeros(3, 1)])
        >>> parameters
        ParameterList(
            (0): Parameter containing: [float32 of size 2]
            (1): Parameter containing: [float32 of size 3x1]
        )
        >>> list(parameters.state_dict())
        ['0', '1']
    """

    def __init__(self, values: Iterable[Any] | None = None) -> None:
        super().__init__()
        self._size = 0
        if values is not None:
            self.extend(values)

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[Any]:
        return (self[place] for place in range(len(self)))

    @overload
    def __getitem__(self, index: slice) -> Self: ...

    @overload
    def __getitem__(self, index: int) -> Any: ...

    def __getitem__(self, index: int | slice) -> Any:
        """Return one parameter, or for a slice a list that shares these parameters."""
        if isinstance(index, slice):
            return type(self)(list(self)[index])
        return getattr(self, self._name(index))

    def __setitem__(self, index: int, value: Any) -> None:
        self._put(self._name(index), value)

    def _name(self, index: int) -> str:
        if not -len(self) <= index < len(self):
            raise IndexError(f"index {index} is out of range for {len(self)} parameters")
        return str(index % len(self))

    def _named(self) -> Iterable[tuple[Any, Any]]:
        return enumerate(self)

    def append(self, value: Any) -> Self:
        """Add a parameter at the end."""
        self._put(str(self._size), value)
        self._size += 1
        return self

    def extend(self, values: Iterable[Any]) -> Self:
        """Add parameters at the end, in their order.

        Raises:
            TypeError: If it is a single one.
        """
        if isinstance(values, Tensor) or not isinstance(values, Iterable):
            raise TypeError(
                f"ParameterList.extend() takes several parameters, got {type(values).__name__}; "
                "append() takes one"
            )
        for value in list(values):
            self.append(value)
        return self

    def __iadd__(self, values: Iterable[Any]) -> Self:
        return self.extend(values)


class ParameterDict(_Parameters):
    """Parameters by name, in the order in which they came; Tensors become Parameters.

    Other values may be in it, too.

    Args:
        parameters: The parameters at first: a mapping, or pairs of a name and a parameter. Default:
            none.

    Example:
        >>> import distgrad as dg
        >>> parameters = dg.nn.ParameterDict({"left": dg.ones(2), "right": dg.zeros(2)})
        >>> parameters["left"].tolist(), list(parameters)
        ([1.0, 1.0], ['left', 'right'])
    """

    def __init__(self, parameters: Any = None) -> None:
        super().__init__()
        self._keys: dict[str, None] = {}
        if parameters is not None:
            self.update(parameters)

    def __len__(self) -> int:
        return len(self._keys)

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def __reversed__(self) -> Iterator[str]:
        return reversed(self._keys)

    def __contains__(self, key: str) -> bool:
        return key in self._keys

    def __getitem__(self, key: str) -> Any:
        return getattr(self, _checked(key))

    def __setitem__(self, key: str, value: Any) -> None:
        self._put(_checked(key), value)
        self._keys[key] = None

    def __delitem__(self, key: str) -> None:
        del self._keys[key]
        delattr(self, key)

    def _named(self) -> Iterable[tuple[Any, Any]]:
        return self.items()

    def keys(self) -> KeysView[str]:
        """Return the names."""
        return self._keys.keys()

    def items(self) -> Iterable[tuple[str, Any]]:
        """Return the names with their parameters."""
        return ((key, self[key]) for key in self._keys)

    def values(self) -> Iterable[Any]:
        """Return the parameters."""
        return (self[key] for key in self._keys)

    def get(self, key: str, default: Any = None) -> Any:
        """Return the parameter of a name, or ``default``."""
        return self[key] if key in self._keys else default

    def setdefault(self, key: str, default: Any = None) -> Any:
        """Return the parameter of a name, which gets ``default`` if it has none."""
        if key not in self:
            self[key] = default
        return self[key]

    def pop(self, key: str) -> Any:
        """Remove a parameter, and return it."""
        value = self[key]
        del self[key]
        return value

    def popitem(self) -> tuple[str, Any]:
        """Remove the last parameter, and return its name and it."""
        key = next(reversed(self))
        return key, self.pop(key)

    def clear(self) -> None:
        """Remove all parameters."""
        for key in list(self):
            del self[key]

    def copy(self) -> "ParameterDict":
        """Return a container of the same parameters."""
        return ParameterDict(self.items())

    def fromkeys(self, keys: Iterable[str], default: Any = None) -> "ParameterDict":
        """Return a container of one value under several names."""
        return ParameterDict((key, default) for key in keys)

    def update(self, parameters: Any) -> None:
        """Add parameters, in place of those of the same names.

        Raises:
            TypeError: If they are neither in a mapping nor in pairs.
            ValueError: If something else than a pair is among the pairs.
        """
        for key, value in pairs_of("ParameterDict", parameters):
            self[key] = value

    def __or__(self, other: "ParameterDict") -> "ParameterDict":
        result = self.copy()
        result.update(other)
        return result

    def __ior__(self, other: "ParameterDict") -> Self:
        self.update(other)
        return self


def _checked(key: Any) -> str:
    if not isinstance(key, str):
        raise TypeError(f"a ParameterDict is indexed by a name, got {type(key).__name__} {key!r}")
    return key
