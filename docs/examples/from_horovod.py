"""Train a classifier of tumours on as many ranks as mpirun starts: what became of horovod_torch.py.

Run it with ``mpirun -n 2 python from_horovod.py``, or on any other number of ranks: the numbers
are the same.
"""

import argparse
import pickle
from pathlib import Path

from sklearn.datasets import load_breast_cancer

import distgrad as dg
import distgrad.nn.functional as F
from distgrad import nn

parser = argparse.ArgumentParser()
parser.add_argument("--epochs", type=int, default=8)
parser.add_argument("--dropout", type=float, default=0.2)
parser.add_argument("--checkpoint", type=Path, default=Path("tumours.pickle"))
args = parser.parse_args()

comm = dg.distributed.connect()
dg.manual_seed(0)  # the same on all ranks


class Net(nn.Sequential):
    def __init__(self, dropout):
        super().__init__(
            nn.Linear(30, 64),
            nn.BatchNorm1d(64),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(64, 2),
        )


MICRO = 16
BATCH = 64  # for each step, on all ranks together

x, y = load_breast_cancer(return_X_y=True)
x = (x - x[:448].mean(0)) / x[:448].std(0)
x = dg.tensor(x, dtype=dg.float32)
y = dg.tensor(y)
train = dg.data.TensorDataset(x=x[:448], y=y[:448])
test = dg.data.TensorDataset(x=x[448:], y=y[448:])
windows = dg.data.GlobalBatches(train, BATCH, MICRO, seed=0)

net = Net(args.dropout)
model = dg.distributed.DataParallel(net, comm)
optimizer = dg.optim.SGD(
    model.parameters(),
    lr=0.05,
    momentum=0.9,
)
scheduler = dg.optim.lr_scheduler.StepLR(
    optimizer,
    step_size=3 * len(windows),
    gamma=0.5,
)

state = None
if comm.rank == 0 and args.checkpoint.exists():
    state = pickle.loads(args.checkpoint.read_bytes())
state = comm.all_gather_object(state)[0]
if state:
    net.load_state_dict(state["model"])
    optimizer.load_state_dict(state["optimizer"])
    scheduler.load_state_dict(state["scheduler"])
    windows.set_epoch(state["epoch"])


def loss(batch):  # of one micro-batch: its sum, and what it counts
    scores = model(batch.x)
    return F.cross_entropy(scores, batch.y, reduction="sum"), len(batch.y)


def measure(batch):
    hits = (model(batch.x).argmax(1) == batch.y).sum()
    return {"accuracy": (hits, len(batch.y))}


for epoch in range(windows.epoch, args.epochs):
    total = count = 0
    for window in windows:
        result = model.accumulate(loss, window)
        if result.finite:
            model.clip_grad_norm_(1.0)
            optimizer.step()
        scheduler.step()
        total += result.loss_sum
        count += result.count
    accuracy = model.evaluate(measure, test, 64)["accuracy"]
    if comm.rank == 0:
        print(f"epoch {epoch}: loss {total / count:.6f}, accuracy {accuracy:.4f}")
        state = {
            "model": net.state_dict(),
            "optimizer": optimizer.state_dict(),
            "scheduler": scheduler.state_dict(),
            "epoch": epoch + 1,
        }
        args.checkpoint.write_bytes(pickle.dumps(state))
