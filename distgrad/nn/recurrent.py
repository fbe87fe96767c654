"""Recurrent layers over whole sequences."""

import numpy as np
from numpy.typing import DTypeLike

from distgrad.nn.recurrent_base import RNNBase
from distgrad.nn.recurrent_pass import check_pair
from distgrad.nn.utils.rnn import PackedSequence
from distgrad.tensor import Tensor

__all__ = ["GRU", "LSTM", "RNN"]


class RNN(RNNBase):
    """Plain recurrent layers: ``h' = tanh(W_ih x + b_ih + W_hh h + b_hh)``, or relu.

    Parameters begin uniform in +-1/sqrt(hidden_size), as in PyTorch.

    Args:
        input_size: Features of the input.
        hidden_size: Features of the state.
        num_layers: Layers, each of which takes what the one before returns. Default: 1.
        nonlinearity: "tanh", the default, or "relu".
        bias: Whether there are biases. Default: True.
        batch_first: Whether input and output are (N, L, ...) and not (L, N, ...). Default: False.
        dropout: Probability with which, in training, a feature between two layers is set to 0.
            Default: 0.
        bidirectional: Whether a second pass goes from the last step to the first, and its output
            stands behind that of the first. Default: False.
        dtype: Data type of the parameters. Default: float32.

    Shapes:
        With D directions, layer k and H = hidden_size: weight_ih_lk [H, input_size], or
        [H, D * H] for k > 0; weight_hh_lk [H, H]; bias_ih_lk and bias_hh_lk [H]; those of the
        second direction end in ``_reverse``;
        input [L, N, input_size], [L, input_size] for one sequence, or a
        `distgrad.nn.utils.rnn.PackedSequence`;
        output in the same form with D * H features, and the last states [num_layers * D, N, H].

    Raises:
        TypeError, ValueError: If an argument is not what it should be.
        ValueError, RuntimeError: In a call, if shapes or data types do not fit.

    Warns:
        UserWarning: For dropout between the layers where there is only one.

    Example:
        >>> import distgrad as dg
        >>> output, h_n = dg.nn.RNN(3, 5, num_layers=2)(dg.randn(7, 4, 3))
        >>> output.shape, h_n.shape
        ((7, 4, 5), (2, 4, 5))

    Reference:
        J. L. Elman, "Finding structure in time", Cognitive Science 14 (1990).
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: str = "tanh",
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        dtype: DTypeLike = np.float32,
    ) -> None:
        if nonlinearity not in ("tanh", "relu"):
            raise ValueError(f"nonlinearity must be 'tanh' or 'relu', got {nonlinearity!r}")
        super().__init__(
            f"RNN_{nonlinearity.upper()}",
            input_size,
            hidden_size,
            num_layers,
            bias,
            batch_first,
            dropout,
            bidirectional,
            dtype=dtype,
        )
        self.nonlinearity = nonlinearity

    def forward(
        self, input: Tensor | PackedSequence, hx: Tensor | None = None
    ) -> tuple[Tensor | PackedSequence, Tensor]:
        """Return the states behind all steps, and those behind the last one.

        Args:
            input: See the class.
            hx: The states to begin with, of the shape of the last ones. Default: zeros.
        """
        output, (last,) = self._run(input, None if hx is None else [hx])
        return output, last


class LSTM(RNNBase):
    """Long short-term memory.

    A step is::

        i, f, o = sigmoid(W_ih x + b_ih + W_hh h + b_hh)    g = tanh(the same)
        c' = f c + i g                                      h' = o tanh(c')

    with rows of the weights for i, f, g and o in this order. Parameters begin uniform in
    +-1/sqrt(hidden_size), as in PyTorch.

    Args:
        input_size: Features of the input.
        hidden_size: Features of the state c, and of h unless it is projected.
        num_layers: Layers, each of which takes what the one before returns. Default: 1.
        bias: Whether there are biases. Default: True.
        batch_first: Whether input and output are (N, L, ...) and not (L, N, ...). Default: False.
        dropout: Probability with which, in training, a feature between two layers is set to 0.
            Default: 0.
        bidirectional: Whether a second pass goes from the last step to the first, and its output
            stands behind that of the first. Default: False.
        proj_size: Features that h is projected to, less than ``hidden_size``; 0, the default, for
            no projection.
        dtype: Data type of the parameters. Default: float32.

    Shapes:
        With D directions, layer k, H = hidden_size and R the features of h: weight_ih_lk
        [4 * H, input_size], or [4 * H, D * R] for k > 0; weight_hh_lk [4 * H, R]; bias_ih_lk and
        bias_hh_lk [4 * H]; weight_hr_lk [R, H] where h is projected; those of the second direction
        end in ``_reverse``;
        input [L, N, input_size], [L, input_size] for one sequence, or a
        `distgrad.nn.utils.rnn.PackedSequence`;
        output in the same form with D * R features, and the last states h [num_layers * D, N, R]
        and c [num_layers * D, N, H].

    Raises:
        TypeError, ValueError: If an argument is not what it should be.
        ValueError, RuntimeError: In a call, if shapes or data types do not fit.

    Warns:
        UserWarning: For dropout between the layers where there is only one.

    Example:
        >>> import distgrad as dg
        >>> layer = dg.nn.LSTM(3, 5, batch_first=True, bidirectional=True)
        >>> output, (h_n, c_n) = layer(dg.randn(4, 7, 3))
        >>> output.shape, h_n.shape, c_n.shape
        ((4, 7, 10), (2, 4, 5), (2, 4, 5))

    Reference:
        S. Hochreiter and J. Schmidhuber, "Long short-term memory", Neural Computation 9 (1997).
    """

    def __init__(
        self,
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
        super().__init__(
            "LSTM",
            input_size,
            hidden_size,
            num_layers,
            bias,
            batch_first,
            dropout,
            bidirectional,
            proj_size,
            dtype,
        )

    def forward(
        self, input: Tensor | PackedSequence, hx: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Tensor | PackedSequence, tuple[Tensor, Tensor]]:
        """Return the states h behind all steps, and (h, c) behind the last one.

        Args:
            input: See the class.
            hx: The states (h, c) to begin with, of the shapes of the last ones. Default: zeros.
        """
        check_pair("LSTM", hx)
        output, (h, c) = self._run(input, hx)
        return output, (h, c)


class GRU(RNNBase):
    """Gated recurrent units.

    A step is::

        r, z = sigmoid(W_ih x + b_ih + W_hh h + b_hh)
        n = tanh(W_in x + b_in + r (W_hn h + b_hn))         h' = (1 - z) n + z h

    with rows of the weights for r, z and n in this order. Parameters begin uniform in
    +-1/sqrt(hidden_size), as in PyTorch.

    Args:
        input_size: Features of the input.
        hidden_size: Features of the state.
        num_layers: Layers, each of which takes what the one before returns. Default: 1.
        bias: Whether there are biases. Default: True.
        batch_first: Whether input and output are (N, L, ...) and not (L, N, ...). Default: False.
        dropout: Probability with which, in training, a feature between two layers is set to 0.
            Default: 0.
        bidirectional: Whether a second pass goes from the last step to the first, and its output
            stands behind that of the first. Default: False.
        dtype: Data type of the parameters. Default: float32.

    Shapes:
        With D directions, layer k and H = hidden_size: weight_ih_lk [3 * H, input_size], or
        [3 * H, D * H] for k > 0; weight_hh_lk [3 * H, H]; bias_ih_lk and bias_hh_lk [3 * H]; those
        of the second direction end in ``_reverse``;
        input [L, N, input_size], [L, input_size] for one sequence, or a
        `distgrad.nn.utils.rnn.PackedSequence`;
        output in the same form with D * H features, and the last states [num_layers * D, N, H].

    Raises:
        TypeError, ValueError: If an argument is not what it should be.
        ValueError, RuntimeError: In a call, if shapes or data types do not fit.

    Warns:
        UserWarning: For dropout between the layers where there is only one.

    Example:
        >>> import distgrad as dg
        >>> output, h_n = dg.nn.GRU(3, 5)(dg.randn(7, 3))
        >>> output.shape, h_n.shape
        ((7, 5), (1, 5))

    Reference:
        K. Cho et al., "Learning phrase representations using RNN encoder-decoder for statistical
        machine translation", EMNLP 2014.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        dtype: DTypeLike = np.float32,
    ) -> None:
        super().__init__(
            "GRU",
            input_size,
            hidden_size,
            num_layers,
            bias,
            batch_first,
            dropout,
            bidirectional,
            dtype=dtype,
        )

    def forward(
        self, input: Tensor | PackedSequence, hx: Tensor | None = None
    ) -> tuple[Tensor | PackedSequence, Tensor]:
        """Return the states behind all steps, and those behind the last one.

        Args:
            input: See the class.
            hx: The states to begin with, of the shape of the last ones. Default: zeros.
        """
        output, (last,) = self._run(input, None if hx is None else [hx])
        return output, last
