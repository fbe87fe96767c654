"""Steps of torch's optimizers, kept in a file for where torch is not installed.

python tests/helpers/torch_states.py     # with torch: writes the file anew
"""

import json
from pathlib import Path

import numpy as np

FILE = Path(__file__).parents[1] / "optim" / "torch_states.json"
SHAPES = [(2, 3), (4,), ()]
STEPS = 6
SAVED_AFTER = 3

CASES = {
    "Adadelta": {"lr": 0.5, "weight_decay": 0.1},
    "Adagrad": {"lr": 0.1, "lr_decay": 0.1, "initial_accumulator_value": 0.1},
    "Adam": {"lr": 0.1, "weight_decay": 0.1, "amsgrad": True},
    "AdamW": {"lr": 0.1, "betas": [0.8, 0.95]},
    "Adamax": {"lr": 0.1},
    "NAdam": {"lr": 0.1, "momentum_decay": 0.1},
    "RAdam": {"lr": 0.1, "betas": [0.8, 0.95], "weight_decay": 0.1, "decoupled_weight_decay": True},
    "RMSprop": {"lr": 0.1, "centered": True, "momentum": 0.5},
    "SGD": {"lr": 0.1, "momentum": 0.9, "dampening": 0.1},
}


def groups_of(parameters):
    """Two groups, the second with a learning rate of its own."""
    return [{"params": parameters[:1]}, {"params": parameters[1:], "lr": 0.05}]


def plain(value):
    """What JSON can hold of a state, exactly."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if hasattr(value, "detach"):
        return value.detach().tolist()
    return value


def problem():
    """Parameters and gradients: in the second and fifth step one of them has none."""
    generator = np.random.default_rng(0)
    start = [generator.standard_normal(shape).tolist() for shape in SHAPES]
    grads = [[generator.standard_normal(s).tolist() for s in SHAPES] for _ in range(STEPS)]
    grads[1][0] = grads[4][1] = None
    return start, grads


def steps_of_torch(torch, name):
    """What the file has of one optimizer."""
    start, grads = problem()
    parameters = [torch.nn.Parameter(torch.tensor(p, dtype=torch.float64)) for p in start]
    optimizer = getattr(torch.optim, name)(groups_of(parameters), **CASES[name])
    found = {}
    for step, of_step in enumerate(grads, start=1):
        for parameter, gradient in zip(parameters, of_step, strict=True):
            wanted = gradient is not None
            parameter.grad = torch.tensor(gradient, dtype=torch.float64) if wanted else None
        optimizer.step()
        if step == SAVED_AFTER:
            found = {"saved": plain(parameters), "state": plain(optimizer.state_dict())}
    return {**found, "end": plain(parameters)}


if __name__ == "__main__":
    import torch

    start, grads = problem()
    optimizers = {name: steps_of_torch(torch, name) for name in CASES}
    document = {"start": start, "grads": grads, "optimizers": optimizers}
    FILE.write_text(json.dumps(document) + "\n", encoding="utf-8")
