"""Arguments of components that a configuration may leave to the run, which knows them."""

from collections.abc import Callable, Mapping, Sized
from inspect import Parameter
from typing import Any

from distgrad.training.samples import kept_arrays

__all__ = ["FromRun", "fact_of_data", "open_parameters"]


class FromRun:
    """Marks an argument that the run gives where the configuration does not.

    A model can so ask for what its data tells: ``classes``, the number of classes that the labels
    number; ``image``, the shape of one x of three axes; ``context``, the length of a text's
    sequences; ``vocabulary``, the number of its characters; or any other attribute of the `Split`
    that its source returns. A scheduler can ask for ``steps``, the steps of the run.

    Example:
        >>> from typing import Annotated
        >>> from distgrad.training.signature import parameters_of
        >>> def perceptron(hidden: int, classes: Annotated[int | None, FromRun] = None): ...
        >>> open_parameters(parameters_of(perceptron), {"hidden": 64})
        ['classes']
    """


def open_parameters(parameters: Mapping[str, Parameter], given: Mapping[str, Any]) -> list[str]:
    """Return the names of the parameters that are the run's to give."""
    return [
        name
        for name, parameter in parameters.items()
        if FromRun in getattr(parameter.annotation, "__metadata__", ()) and given.get(name) is None
    ]


def fact_of_data(split: Any, name: str) -> Any:
    """Return what ``split`` tells under a name that models ask for, or None.

    Example:
        >>> from distgrad.data import text
        >>> split = text(context=32)
        >>> fact_of_data(split, "context"), fact_of_data(split, "image")
        (32, None)
        >>> fact_of_data(split, "vocabulary") == len(split.vocabulary)
        True
    """
    told = _TOLD.get(name)
    return told(split) if told else getattr(split, name, None)


def _classes(split: Any) -> int | None:
    pairs = [kept_arrays(part) for part in split]
    labels = [pair[1] for pair in pairs if pair and pair[1].dtype.kind in "iub"]
    return 1 + max(int(array.max()) for array in labels) if len(labels) == len(pairs) else None


def _image(split: Any) -> tuple[int, ...] | None:
    pair = kept_arrays(split.train)
    shape: tuple[int, ...] = pair[0].shape[1:] if pair else ()
    return shape if len(shape) == 3 else None


def _context(split: Any) -> int | None:
    return getattr(split.train, "context", None)


def _vocabulary(split: Any) -> Any:
    vocabulary = getattr(split, "vocabulary", None)
    return len(vocabulary) if isinstance(vocabulary, Sized) else vocabulary


_TOLD: Mapping[str, Callable[[Any], Any]] = {
    "classes": _classes,
    "image": _image,
    "context": _context,
    "vocabulary": _vocabulary,
}
