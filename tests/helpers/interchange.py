"""Layers whose weights go from PyTorch to distgrad and back, and the stored files of PyTorch's.

Run as a program, where torch is installed, it writes the files anew::

    python tests/helpers/interchange.py
"""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

STORED = Path(__file__).parents[1] / "nn" / "stored_weights"
"""A file for each row, as PyTorch has written it, and ``outputs.safetensors``."""


def numbers(*shape: int) -> np.ndarray:
    """Unequal numbers of both signs, of about 1, the same everywhere."""
    count = int(np.prod(shape))
    return (((np.arange(count) * 37) % 64 - 31.5) / 16).astype(np.float32).reshape(shape)


def indices(*shape: int, below: int) -> np.ndarray:
    """Integers from 0 on, the same everywhere."""
    return (np.arange(int(np.prod(shape))) * 7 % below).reshape(shape)


class Row(NamedTuple):
    """A layer, built the same way of each library's ``nn``, and what it is called with."""

    build: Callable[[Any], Any]
    inputs: tuple[np.ndarray, ...]


def tied(nn: Any) -> Any:
    """An output layer that has the weight of the embedding, as in language models."""
    model = nn.Sequential(nn.Embedding(5, 4), nn.Tanh(), nn.Linear(4, 5, bias=False))
    model[2].weight = model[0].weight
    return model


def transformer(nn: Any) -> Any:
    """All of it, as small as can be."""
    return nn.Transformer(4, 2, 1, 1, 8, batch_first=True)


sequence = numbers(3, 2, 4)

ROWS = {
    "Linear": Row(lambda nn: nn.Linear(3, 4), (numbers(2, 3),)),
    "Linear-no-bias": Row(lambda nn: nn.Linear(3, 4, bias=False), (numbers(2, 3),)),
    "Bilinear": Row(lambda nn: nn.Bilinear(3, 2, 4), (numbers(5, 3), numbers(5, 2))),
    "Embedding": Row(lambda nn: nn.Embedding(7, 3, padding_idx=1), (indices(2, 3, below=7),)),
    "EmbeddingBag": Row(lambda nn: nn.EmbeddingBag(7, 3), (indices(2, 3, below=7),)),
    "Conv1d": Row(lambda nn: nn.Conv1d(2, 4, 3, padding=1, groups=2), (numbers(2, 2, 6),)),
    "Conv2d": Row(lambda nn: nn.Conv2d(2, 3, (3, 2), stride=2), (numbers(2, 2, 6, 5),)),
    "ConvTranspose1d": Row(lambda nn: nn.ConvTranspose1d(2, 3, 3, stride=2), (numbers(2, 2, 4),)),
    "ConvTranspose2d": Row(
        lambda nn: nn.ConvTranspose2d(2, 4, 3, stride=2, groups=2), (numbers(1, 2, 3, 4),)
    ),
    "BatchNorm1d": Row(lambda nn: nn.BatchNorm1d(3), (numbers(4, 3),)),
    "BatchNorm2d": Row(lambda nn: nn.BatchNorm2d(3), (numbers(2, 3, 2, 2),)),
    "BatchNorm3d": Row(lambda nn: nn.BatchNorm3d(2), (numbers(2, 2, 2, 2, 2),)),
    "BatchNorm1d-plain": Row(
        lambda nn: nn.BatchNorm1d(3, affine=False, track_running_stats=False), (numbers(4, 3),)
    ),
    "InstanceNorm1d": Row(
        lambda nn: nn.InstanceNorm1d(3, affine=True, track_running_stats=True), (numbers(2, 3, 4),)
    ),
    "InstanceNorm2d": Row(lambda nn: nn.InstanceNorm2d(3, affine=True), (numbers(2, 3, 2, 2),)),
    "InstanceNorm3d": Row(lambda nn: nn.InstanceNorm3d(2, affine=True), (numbers(1, 2, 2, 2, 2),)),
    "LayerNorm": Row(lambda nn: nn.LayerNorm((2, 3)), (numbers(4, 2, 3),)),
    "GroupNorm": Row(lambda nn: nn.GroupNorm(2, 4), (numbers(2, 4, 3),)),
    "RMSNorm": Row(lambda nn: nn.RMSNorm(3, eps=1e-5), (numbers(4, 3),)),
    "PReLU": Row(lambda nn: nn.PReLU(3), (numbers(2, 3, 4),)),
    "RNN": Row(lambda nn: nn.RNN(4, 3, nonlinearity="relu"), (sequence,)),
    "LSTM": Row(lambda nn: nn.LSTM(4, 3, 2, bidirectional=True, batch_first=True), (sequence,)),
    "LSTM-projected": Row(lambda nn: nn.LSTM(4, 3, proj_size=2), (sequence,)),
    "GRU": Row(lambda nn: nn.GRU(4, 3, 2, bias=False), (sequence,)),
    "RNNCell": Row(lambda nn: nn.RNNCell(4, 3), (numbers(2, 4),)),
    "LSTMCell": Row(lambda nn: nn.LSTMCell(4, 3), (numbers(2, 4),)),
    "GRUCell": Row(lambda nn: nn.GRUCell(4, 3), (numbers(2, 4),)),
    "MultiheadAttention": Row(lambda nn: nn.MultiheadAttention(4, 2), (sequence,) * 3),
    "MultiheadAttention-other-keys": Row(
        lambda nn: nn.MultiheadAttention(4, 2, add_bias_kv=True, kdim=2, vdim=3),
        (sequence, numbers(5, 2, 2), numbers(5, 2, 3)),
    ),
    "TransformerEncoderLayer": Row(
        lambda nn: nn.TransformerEncoderLayer(4, 2, 8, batch_first=True), (sequence,)
    ),
    "TransformerDecoderLayer": Row(
        lambda nn: nn.TransformerDecoderLayer(4, 2, 8, norm_first=True),
        (sequence, numbers(5, 2, 4)),
    ),
    "TransformerEncoder": Row(
        lambda nn: nn.TransformerEncoder(
            nn.TransformerEncoderLayer(4, 2, 8, activation="gelu", batch_first=True),
            2,
            nn.LayerNorm(4),
        ),
        (sequence,),
    ),
    "TransformerDecoder": Row(
        lambda nn: nn.TransformerDecoder(nn.TransformerDecoderLayer(4, 2, 8), 1),
        (sequence, numbers(5, 2, 4)),
    ),
    "Transformer": Row(transformer, (sequence, numbers(3, 5, 4))),
    "Sequential": Row(
        lambda nn: nn.Sequential(
            nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.ReLU(), nn.Flatten(), nn.Linear(8, 3)
        ),
        (numbers(2, 1, 4, 4),),
    ),
    "ModuleList": Row(lambda nn: nn.ModuleList([nn.Linear(2, 3), nn.Linear(3, 2)]), ()),
    "ModuleDict": Row(lambda nn: nn.ModuleDict({"a": nn.Linear(2, 3), "b": nn.PReLU()}), ()),
    "ParameterList": Row(
        lambda nn: nn.ParameterList([nn.Linear(2, 3).weight, nn.Linear(2, 3).bias]), ()
    ),
    "ParameterDict": Row(lambda nn: nn.ParameterDict({"a": nn.Linear(2, 3).weight}), ()),
    "tied": Row(tied, (indices(2, 3, below=5),)),
    "CrossEntropyLoss": Row(
        lambda nn: nn.CrossEntropyLoss(nn.Linear(3, 1).weight[0].detach()),
        (numbers(4, 3), indices(4, below=3)),
    ),
    "NLLLoss": Row(
        lambda nn: nn.NLLLoss(nn.Linear(3, 1).weight[0].detach()),
        (numbers(4, 3), indices(4, below=3)),
    ),
    "MultiMarginLoss": Row(
        lambda nn: nn.MultiMarginLoss(weight=nn.Linear(3, 1).weight[0].detach()),
        (numbers(4, 3), indices(4, below=3)),
    ),
    "MultiLabelSoftMarginLoss": Row(
        lambda nn: nn.MultiLabelSoftMarginLoss(nn.Linear(3, 1).weight[0].detach()),
        (numbers(4, 3), np.eye(4, 3, dtype=np.float32)),
    ),
    "BCELoss": Row(
        lambda nn: nn.BCELoss(nn.Linear(3, 1).weight[0].detach()),
        (abs(numbers(4, 3)) / 2, np.eye(4, 3, dtype=np.float32)),
    ),
    "BCEWithLogitsLoss": Row(
        lambda nn: nn.BCEWithLogitsLoss(
            nn.Linear(3, 1).weight[0].detach(), pos_weight=nn.Linear(3, 1).weight[0].detach()
        ),
        (numbers(4, 3), np.eye(4, 3, dtype=np.float32)),
    ),
}


def new_state(state: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Values for a state: unequal numbers, positive variances and class weights, counts of 3."""
    values: dict[str, np.ndarray] = {}
    names: dict[int, str] = {}
    for position, (name, tensor) in enumerate(state.items()):
        first = names.setdefault(np.asarray(tensor).ctypes.data, name)
        if first != name:  # shared
            values[name] = values[first]
        elif name.endswith("num_batches_tracked"):
            values[name] = np.asarray(3)
        else:
            values[name] = (numbers(*tensor.shape) + position / 8) / 2
        if name.endswith(("running_var", "pos_weight")) or (name, tensor.ndim) == ("weight", 1):
            values[name] = abs(values[name]) + 1
    return values


def outputs_of(
    module: Any, inputs: tuple[np.ndarray, ...], tensor: Callable[..., Any]
) -> list[Any]:
    """The arrays that a module returns in evaluation mode; one that is no layer returns none."""
    if not inputs:
        return []
    found = module.eval()(*(tensor(array) for array in inputs))
    return [np.asarray(output.detach()) for output in _flat(found)]


def _flat(values: Any) -> Iterator[Any]:
    if isinstance(values, tuple | list):
        for value in values:
            yield from _flat(value)
    elif values is not None:
        yield values


def store() -> None:
    """Write all files."""
    import torch
    from safetensors.torch import save_file, save_model

    STORED.mkdir(exist_ok=True)
    outputs = {}
    for name, row in ROWS.items():
        module = row.build(torch.nn)
        state = new_state(module.state_dict())
        module.load_state_dict({key: torch.tensor(value) for key, value in state.items()})
        save_model(module, STORED / f"{name}.safetensors")
        for number, output in enumerate(outputs_of(module, row.inputs, torch.tensor)):
            outputs[f"{name}.{number}"] = torch.tensor(output).contiguous()
    for dtype in (torch.float64, torch.float16, torch.bfloat16):
        module = torch.nn.Linear(3, 4)
        state = new_state(module.state_dict())
        module.load_state_dict({key: torch.tensor(value) / 3 for key, value in state.items()})
        name = str(dtype).removeprefix("torch.")
        save_file(module.to(dtype).state_dict(), STORED / f"{name}.safetensors")
        outputs |= {f"{name}.{key}": value for key, value in module.float().state_dict().items()}
    save_file(outputs, STORED / "outputs.safetensors")


if __name__ == "__main__":
    store()
