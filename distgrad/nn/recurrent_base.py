"""`RNNBase`: parameters, inputs and states of recurrent layers over whole sequences."""

import math
import warnings
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from distgrad.backend import array_namespace
from distgrad.backend.listening import constant
from distgrad.functional import cat, stack
from distgrad.nn import functional, init
from distgrad.nn.module import Module
from distgrad.nn.parameter import Parameter
from distgrad.nn.recurrent_pass import PASSES, last_rows, spans_of
from distgrad.nn.utils.rnn import PackedSequence
from distgrad.tensor import Tensor

__all__ = ["RNNBase"]

_GATES = {"RNN_TANH": 1, "RNN_RELU": 1, "LSTM": 4, "GRU": 3}


class _Rows(NamedTuple):
    """An input as the rows of its steps, one below the other, and how many each step has."""

    x: Tensor
    batch_sizes: list[int]


class RNNBase(Module):
    """What `RNN`, `LSTM` and `GRU` share.

    Args:
        mode: "RNN_TANH", "RNN_RELU", "LSTM" or "GRU".
        input_size: Features of the input.
        hidden_size: Features of the state.
        num_layers: Layers, each of which takes what the one before returns. Default: 1.
        bias: Whether there are biases. Default: True.
        batch_first: Whether input and output are (N, L, ...) and not (L, N, ...). Default: False.
        dropout: Probability with which, in training, a feature between two layers is set to 0.
        bidirectional: Whether a second pass goes from the last step to the first, and its output
            stands behind that of the first. Default: False.
        proj_size: For an LSTM, the features that the state h is projected to; 0 for none.
        dtype: Data type of the parameters. Default: float32.
    """

    def __init__(
        self,
        mode: str,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        dtype: DTypeLike = np.float32,
    ) -> None:
        super().__init__()
        if mode not in _GATES:
            raise ValueError(f"mode must be one of {', '.join(_GATES)}, got {mode!r}")
        _check_types(bias=(bias, bool), batch_first=(batch_first, bool))
        _check_sizes(input_size, hidden_size, num_layers, proj_size)
        _check_dropout(dropout, num_layers)
        self.mode = mode
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.bias = bias
        self.batch_first = batch_first
        self.dropout = float(dropout)
        self.bidirectional = bidirectional
        self.proj_size = proj_size
        for layer, suffix in self._passes():
            for name, shape in self._shapes(layer).items():
                setattr(self, f"{name}{suffix}", Parameter(np.empty(shape, dtype)))
        self.reset_parameters()

    def _passes(self) -> Iterator[tuple[int, str]]:
        """Yield the layer of each pass, and how the names of its parameters end."""
        for layer in range(self.num_layers):
            for direction in ("", "_reverse")[: self._directions]:
                yield layer, f"_l{layer}{direction}"

    @property
    def _directions(self) -> int:
        return 2 if self.bidirectional else 1

    @property
    def _width(self) -> int:
        """Features of h."""
        return self.proj_size or self.hidden_size

    def _shapes(self, layer: int) -> dict[str, tuple[int, ...]]:
        gates = _GATES[self.mode] * self.hidden_size
        features = self._directions * self._width if layer else self.input_size
        shapes: dict[str, tuple[int, ...]] = {
            "weight_ih": (gates, features),
            "weight_hh": (gates, self._width),
        }
        if self.bias:
            shapes |= {"bias_ih": (gates,), "bias_hh": (gates,)}
        if self.proj_size:
            shapes["weight_hr"] = (self.proj_size, self.hidden_size)
        return shapes

    def reset_parameters(self) -> None:
        """Draw new initial values, uniform in +-1/sqrt(hidden_size), as in PyTorch."""
        bound = 1.0 / math.sqrt(self.hidden_size)
        for parameter in self.parameters():
            init.uniform_(parameter, -bound, bound)

    def flatten_parameters(self) -> None:
        """Do nothing: PyTorch's way to lay parameters out for a GPU's library is not needed."""

    @property
    def all_weights(self) -> list[list[Parameter]]:
        """The parameters of each pass, a list for each layer and direction."""
        return [
            [getattr(self, name + suffix) for name in self._shapes(layer)]
            for layer, suffix in self._passes()
        ]

    def extra_repr(self) -> str:
        """Return the arguments that are not the default ones."""
        defaults = {
            "proj_size": 0,
            "num_layers": 1,
            "bias": True,
            "batch_first": False,
            "dropout": 0,
            "bidirectional": False,
        }
        given = (f"{n}={getattr(self, n)}" for n, d in defaults.items() if getattr(self, n) != d)
        return ", ".join([str(self.input_size), str(self.hidden_size), *given])

    # From an input to rows, and back

    def _run(
        self, input: Tensor | PackedSequence, states: Sequence[Tensor] | None
    ) -> tuple[Any, list[Tensor]]:
        """Return the output, and the last of each kind of state, in the forms of the inputs."""
        if isinstance(input, PackedSequence):
            return self._run_packed(input, states)
        rows, batched = self._padded_rows(input), input.ndim == 3
        x, lasts = self._layers(rows, self._firsts(states, rows, batched))
        if not batched:
            return x, [last.squeeze(1) for last in lasts]
        x = x.reshape(len(rows.batch_sizes), rows.batch_sizes[0], x.shape[1])
        return x.transpose(0, 1) if self.batch_first else x, lasts

    def _run_packed(
        self, packed: PackedSequence, states: Sequence[Tensor] | None
    ) -> tuple[PackedSequence, list[Tensor]]:
        rows = self._packed_rows(packed)
        firsts = self._firsts(states, rows, batched=True)
        order, back = packed.sorted_indices, packed.unsorted_indices
        if order is not None and back is not None:
            firsts = [first.index_select(1, order) for first in firsts]
        x, lasts = self._layers(rows, firsts)
        if order is not None and back is not None:
            lasts = [last.index_select(1, back) for last in lasts]
        return packed._replace(data=x), lasts

    def _padded_rows(self, input: Tensor) -> _Rows:
        name = type(self).__name__
        if input.ndim not in (2, 3):
            raise ValueError(
                f"{name}: the input must have shape (L, N, {self.input_size}), or "
                f"(N, L, {self.input_size}) with batch_first=True, or (L, {self.input_size}), got "
                f"{input.shape}"
            )
        self._check_input(input)
        if input.ndim == 2:
            length, count = len(input), 1
        else:
            input = input.transpose(0, 1) if self.batch_first else input
            length, count = input.shape[:2]
        if not length:
            raise RuntimeError(
                f"{name}: a sequence must have at least one step, got an input of shape "
                f"{input.shape}"
            )
        return _Rows(input.reshape(length * count, self.input_size), [count] * length)

    def _packed_rows(self, packed: PackedSequence) -> _Rows:
        if packed.data.ndim != 2:
            raise RuntimeError(
                f"{type(self).__name__}: packed elements must have shape (rows, "
                f"{self.input_size}), got {packed.data.shape}"
            )
        self._check_input(packed.data)
        return _Rows(packed.data, packed.batch_sizes.tolist())

    def _check_input(self, input: Tensor) -> None:
        name, dtype = type(self).__name__, self.weight_ih_l0.dtype
        if input.dtype != dtype:
            raise ValueError(
                f"{name}: the input has data type {input.dtype} and the parameters {dtype}; "
                "convert with .to()"
            )
        if input.shape[-1] != self.input_size:
            raise RuntimeError(
                f"{name}: the last axis of the input must have length input_size "
                f"{self.input_size}, got an input of shape {input.shape}"
            )

    def _firsts(self, states: Sequence[Tensor] | None, rows: _Rows, batched: bool) -> list[Tensor]:
        """Return the states to begin with, (passes, sequences, features), or refuse them."""
        passes, count = self.num_layers * self._directions, rows.batch_sizes[0]
        if states is None:
            xp = array_namespace(rows.x.data)
            shapes = ((passes, count, width) for width in self._widths())
            return [Tensor(constant(xp.zeros(shape, rows.x.dtype))) for shape in shapes]
        for name, state, width in zip("hc", states, self._widths(), strict=False):
            expected = (passes, count, width) if batched else (passes, width)
            if state.shape != expected:
                raise RuntimeError(
                    f"{type(self).__name__}: the first {name} must have shape {expected}: layers "
                    f"times directions, {'sequences, ' if batched else ''}features; got "
                    f"{state.shape}"
                )
            if state.dtype != rows.x.dtype:
                raise RuntimeError(
                    f"{type(self).__name__}: the first {name} has data type {state.dtype} and the "
                    f"input {rows.x.dtype}; convert with .to()"
                )
        return [state if batched else state.unsqueeze(1) for state in states]

    def _widths(self) -> list[int]:
        """Return the features of each kind of state."""
        return [self._width, self.hidden_size][: 2 if self.mode == "LSTM" else 1]

    def _layers(self, rows: _Rows, firsts: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """Run all passes; return the rows of the last layer, and the last of each kind of state."""
        x, batch_sizes = rows
        lasts = []
        outputs: list[Tensor] = []
        for number, (layer, suffix) in enumerate(self._passes()):
            reverse = suffix.endswith("_reverse")
            if layer and not reverse:
                x = functional.dropout(self._joined(outputs), self.dropout, self.training)
                outputs = []
            spans = spans_of(batch_sizes, reverse)
            states = [first[number] for first in firsts]
            weights = {name: getattr(self, name + suffix) for name in self._shapes(layer)}
            made = PASSES[self.mode](x, states, weights, spans)
            outputs.append(made[0])
            index = last_rows(spans)
            lasts.append([state[index] for state in made])
        return self._joined(outputs), [stack(kind) for kind in zip(*lasts, strict=True)]

    @staticmethod
    def _joined(outputs: list[Tensor]) -> Tensor:
        return outputs[0] if len(outputs) == 1 else cat(outputs, 1)


def _check_types(**arguments: tuple[Any, type]) -> None:
    for name, (value, kind) in arguments.items():
        if not isinstance(value, kind):
            raise TypeError(
                f"{name} should be of type {kind.__name__}, got: {type(value).__name__}"
            )


def _check_sizes(input_size: int, hidden_size: int, num_layers: int, proj_size: int) -> None:
    _check_types(input_size=(input_size, int), hidden_size=(hidden_size, int))
    sizes = {"input_size": input_size, "hidden_size": hidden_size, "num_layers": num_layers}
    for name, size in sizes.items():
        if size <= 0:
            raise ValueError(f"{name} must be greater than zero, got {size}")
    if not 0 <= proj_size < hidden_size:
        raise ValueError(
            f"proj_size must be from 1 to hidden_size - 1, or 0 for no projection, got {proj_size} "
            f"for hidden_size {hidden_size}"
        )


def _check_dropout(dropout: float, num_layers: int) -> None:
    is_number = isinstance(dropout, int | float) and not isinstance(dropout, bool)
    if not is_number or not 0 <= dropout <= 1:
        raise ValueError(f"dropout must be a number from 0 to 1, got {dropout!r}")
    if dropout > 0 and num_layers == 1:
        warnings.warn(
            f"dropout={dropout} acts between the layers, of which there is one: it does nothing; "
            "use num_layers=2 or more, or a Dropout behind the layer",
            UserWarning,
            stacklevel=4,
        )
