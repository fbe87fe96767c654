"""`Recurrent`: what comes behind a sequence, by a recurrent network."""

from typing import Annotated, Any, Literal

from pydantic import Field, PositiveInt

from distgrad import nn
from distgrad.tensor import Tensor

__all__ = ["Recurrent"]

_CELLS: dict[str, Any] = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}


class Recurrent(nn.Module):
    """Recurrent layers over a sequence, and a linear layer behind the last step.

    Args:
        cell: The kind of layer: "lstm", "gru" or "rnn".
        features: Features of each step of the input.
        hidden: Features of the state.
        layers: Number of recurrent layers.
        dropout: Probability with which, in training, a feature between two recurrent layers or in
            front of the linear one is set to 0.
        outputs: Number of outputs.

    Shapes:
        input [N, T, features]; output [N, outputs].

    Example:
        >>> import distgrad as dg
        >>> Recurrent("gru", hidden=8)
        Recurrent(
          (layers): GRU(1, 8, batch_first=True)
          (dropout): Dropout(p=0.0, inplace=False)
          (output): Linear(in_features=8, out_features=1, bias=True)
        )
        >>> Recurrent("lstm", features=3, outputs=2)(dg.randn(4, 9, 3)).shape
        (4, 2)
    """

    def __init__(
        self,
        cell: Literal["lstm", "gru", "rnn"] = "lstm",
        features: PositiveInt = 1,
        hidden: PositiveInt = 64,
        layers: PositiveInt = 1,
        dropout: Annotated[float, Field(ge=0, le=1)] = 0.0,
        outputs: PositiveInt = 1,
    ) -> None:
        super().__init__()
        between = dropout if layers > 1 else 0.0
        self.layers = _CELLS[cell](features, hidden, layers, batch_first=True, dropout=between)
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(hidden, outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Return the outputs for sequences of any one length."""
        states, _ = self.layers(x)
        output: Tensor = self.output(self.dropout(states[:, -1]))
        return output
