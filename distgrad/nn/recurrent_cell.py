"""Single steps of recurrent layers."""

import math
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from distgrad import ops
from distgrad.backend import array_namespace
from distgrad.backend.listening import constant
from distgrad.functional import relu, tanh
from distgrad.nn import functional, init
from distgrad.nn.module import Module
from distgrad.nn.parameter import Parameter
from distgrad.nn.recurrent_pass import check_pair
from distgrad.tensor import Tensor, apply

__all__ = ["GRUCell", "LSTMCell", "RNNCell", "RNNCellBase"]


class RNNCellBase(Module):
    """What `RNNCell`, `LSTMCell` and `GRUCell` share.

    Args:
        input_size: Features of the input.
        hidden_size: Features of the state.
        bias: Whether there are biases.
        num_chunks: How many times as many rows as ``hidden_size`` the weights have.
        dtype: Data type of the parameters. Default: float32.
    """

    bias_ih: Parameter | None
    bias_hh: Parameter | None

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool,
        num_chunks: int,
        dtype: DTypeLike = np.float32,
    ) -> None:
        super().__init__()
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.bias = bias
        rows = num_chunks * hidden_size
        self.weight_ih = Parameter(np.empty((rows, input_size), dtype))
        self.weight_hh = Parameter(np.empty((rows, hidden_size), dtype))
        self.bias_ih = Parameter(np.empty(rows, dtype)) if bias else None
        self.bias_hh = Parameter(np.empty(rows, dtype)) if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new initial values, uniform in +-1/sqrt(hidden_size), as in PyTorch."""
        bound = 1.0 / math.sqrt(self.hidden_size) if self.hidden_size else 0.0
        for parameter in self.parameters():
            init.uniform_(parameter, -bound, bound)

    def extra_repr(self) -> str:
        """Return the arguments that are not the default ones."""
        return f"{self.input_size}, {self.hidden_size}" + ("" if self.bias else ", bias=False")

    def _rows(self, input: Tensor, states: Any, names: str) -> tuple[Tensor, list[Tensor]]:
        """Return input and first states with an axis of samples, or refuse them."""
        cell = type(self).__name__
        if input.ndim not in (1, 2) or input.shape[-1] != self.input_size:
            error = ValueError if input.ndim not in (1, 2) else RuntimeError
            raise error(
                f"{cell}: the input must have shape (N, {self.input_size}) or "
                f"({self.input_size},), got {input.shape}"
            )
        x = input if input.ndim == 2 else input.unsqueeze(0)
        if states is None:
            zeros = array_namespace(x.data).zeros((len(x), self.hidden_size), x.dtype)
            return x, [Tensor(constant(zeros)) for _ in names]
        expected = (*input.shape[:-1], self.hidden_size)
        for name, state in zip(names, states, strict=True):
            if state.shape != expected:
                error = ValueError if state.ndim not in (1, 2) else RuntimeError
                raise error(
                    f"{cell}: {name} must have shape {expected} for an input of shape "
                    f"{input.shape}, got {state.shape}"
                )
            if state.dtype != x.dtype:
                raise RuntimeError(
                    f"{cell}: {name} has data type {state.dtype} and the input {x.dtype}; convert "
                    "with .to()"
                )
        return x, [state if input.ndim == 2 else state.unsqueeze(0) for state in states]

    def _sums(self, x: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        """Return what the input and the state add to the gates."""
        of_x = functional.linear(x, self.weight_ih, self.bias_ih)
        return of_x, functional.linear(h, self.weight_hh, self.bias_hh)


class RNNCell(RNNCellBase):
    """One step of `RNN`: ``h' = tanh(W_ih x + b_ih + W_hh h + b_hh)``, or relu.

    Args:
        input_size: Features of the input.
        hidden_size: Features of the state.
        bias: Whether there are biases. Default: True.
        nonlinearity: "tanh", the default, or "relu".
        dtype: Data type of the parameters. Default: float32.

    Shapes:
        With H = hidden_size: weight_ih [H, input_size], weight_hh [H, H], bias_ih and bias_hh [H];
        input [N, input_size] or [input_size], state and output [N, H] or [H].

    Raises:
        ValueError: For another nonlinearity; in a call, for an input that has not 1 or 2 axes.
        RuntimeError: In a call, if other shapes or the data types do not fit.

    Example:
        >>> import distgrad as dg
        >>> dg.nn.RNNCell(3, 5)(dg.randn(4, 3)).shape
        (4, 5)
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: str = "tanh",
        dtype: DTypeLike = np.float32,
    ) -> None:
        if nonlinearity not in ("tanh", "relu"):
            raise ValueError(f"nonlinearity must be 'tanh' or 'relu', got {nonlinearity!r}")
        super().__init__(input_size, hidden_size, bias, 1, dtype)
        self.nonlinearity = nonlinearity

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        """Return the state behind the step; ``hx`` is that before it, by default zeros."""
        x, (h,) = self._rows(input, None if hx is None else [hx], "h")
        of_x, of_h = self._sums(x, h)
        state = tanh(of_x + of_h) if self.nonlinearity == "tanh" else relu(of_x + of_h)
        return state if input.ndim == 2 else state.squeeze(0)

    def extra_repr(self) -> str:
        """Return the arguments that are not the default ones."""
        other = "" if self.nonlinearity == "tanh" else f", nonlinearity={self.nonlinearity}"
        return super().extra_repr() + other


class LSTMCell(RNNCellBase):
    """One step of `LSTM`.

    Args:
        input_size: Features of the input.
        hidden_size: Features of the states h and c.
        bias: Whether there are biases. Default: True.
        dtype: Data type of the parameters. Default: float32.

    Shapes:
        With H = hidden_size: weight_ih [4 * H, input_size], weight_hh [4 * H, H], bias_ih and
        bias_hh [4 * H];
        input [N, input_size] or [input_size], each state [N, H] or [H].

    Raises:
        ValueError: In a call, for an input or a state that has not 1 or 2 axes.
        RuntimeError: In a call, if other shapes or the data types do not fit.

    Example:
        >>> import distgrad as dg
        >>> h, c = dg.nn.LSTMCell(3, 5)(dg.randn(4, 3))
        >>> h.shape, c.shape
        ((4, 5), (4, 5))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        dtype: DTypeLike = np.float32,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 4, dtype)

    def forward(
        self, input: Tensor, hx: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Tensor, Tensor]:
        """Return the states (h, c) behind the step; ``hx`` are those before it, or zeros."""
        check_pair("LSTMCell", hx)
        x, (h, c) = self._rows(input, hx, "hc")
        of_x, of_h = self._sums(x, h)
        made = apply(ops.lstm_cell, of_x + of_h, c)
        h, c = made[0], made[1]
        return (h, c) if input.ndim == 2 else (h.squeeze(0), c.squeeze(0))


class GRUCell(RNNCellBase):
    """One step of `GRU`.

    Args:
        input_size: Features of the input.
        hidden_size: Features of the state.
        bias: Whether there are biases. Default: True.
        dtype: Data type of the parameters. Default: float32.

    Shapes:
        With H = hidden_size: weight_ih [3 * H, input_size], weight_hh [3 * H, H], bias_ih and
        bias_hh [3 * H];
        input [N, input_size] or [input_size], state and output [N, H] or [H].

    Raises:
        ValueError: In a call, for an input or a state that has not 1 or 2 axes.
        RuntimeError: In a call, if other shapes or the data types do not fit.

    Example:
        >>> import distgrad as dg
        >>> dg.nn.GRUCell(3, 5)(dg.randn(3)).shape
        (5,)
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        dtype: DTypeLike = np.float32,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 3, dtype)

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        """Return the state behind the step; ``hx`` is that before it, by default zeros."""
        x, (h,) = self._rows(input, None if hx is None else [hx], "h")
        of_x, of_h = self._sums(x, h)
        state = apply(ops.gru_cell, of_x, of_h, h)[0]
        return state if input.ndim == 2 else state.squeeze(0)
