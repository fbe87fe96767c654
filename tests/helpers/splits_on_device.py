"""Small runs on a GPU or its strict double, as a program: each prints the hash of its weights.

    mpirun -n 3 python splits_on_device.py double even fp32 auto

The first argument is "cpu", "double" or "cuda", the second as for `helpers.splits`, then come the
precision and the transport.
"""

import json
import sys

from helpers.resuming import CNN, variant
from helpers.splits import DIVISIONS, with_optimizer
from helpers.strict_device import double

from distgrad.backend.arrays import provide
from distgrad.distributed import Communicator, choose_device, connect
from distgrad.distributed.data_parallel import accumulation
from distgrad.training import Trainer
from distgrad.training.weights import weights_sha256

CONFIGURED = {
    "perceptron": ["training.clip_grad_norm=0.5", "training.ema={decay = 0.6}"],
    "convolution": [*CNN, "data.augment=[{name = 'random_horizontal_flip'}]"],
}


def hashes(comm: Communicator, device: str, precision: str, transport: str) -> dict[str, str]:
    """The hash of each run with each reduction that promises its bits."""
    found = {}
    own = choose_device(comm, device)
    for reduction in ("tree", "sharded"):
        for name, assignments in CONFIGURED.items():
            changes = [
                *assignments,
                f"distributed.reduction={reduction}",
                f"run.device={device}",
                f"training.precision={precision}",
                f"distributed.transport={transport}",
            ]
            trainer = Trainer(variant("adamw", *changes), comm)
            for _ in trainer.steps():
                pass
            found[f"{name} {reduction}"] = weights_sha256(trainer.model.module)
            found[f"{name} evaluated, {reduction}"] = repr(trainer.evaluate())
        for kind in ("adam", "lamb", "rmsprop", "sgd") if precision == "fp32" else ():
            found[f"{kind} {reduction}"] = with_optimizer(comm, reduction, kind, own)
    return found


if __name__ == "__main__":
    where, division, digits, way = sys.argv[1:]
    if where == "double":
        provide(double)
        where = "cuda"
    accumulation.contiguous_ranges = DIVISIONS[division]
    communicator = connect()
    own = hashes(communicator, where, digits, way)
    everyone = communicator.all_gather_object(own)
    if communicator.rank == 0:
        assert everyone == [own] * communicator.size, "the ranks differ"
        print(json.dumps(own))
