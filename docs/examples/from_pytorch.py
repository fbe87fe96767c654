"""Train a digit classifier on as many ranks as mpirun starts: what became of pytorch_ddp.py.

Run it with ``mpirun -n 2 python from_pytorch.py``, or on any other number of ranks: the numbers
are the same.
"""

import argparse
import pickle
from pathlib import Path

from sklearn.datasets import load_digits

import distgrad as dg
import distgrad.nn.functional as F
from distgrad import nn

parser = argparse.ArgumentParser()
parser.add_argument("--epochs", type=int, default=8)
parser.add_argument("--dropout", type=float, default=0.2)
parser.add_argument("--checkpoint", type=Path, default=Path("digits.pickle"))
args = parser.parse_args()

comm = dg.distributed.connect()
dg.manual_seed(0)  # the same on all ranks


class Net(nn.Module):
    def __init__(self, dropout):
        super().__init__()
        self.conv = nn.Conv2d(1, 16, 3, padding=1)
        self.norm = nn.BatchNorm2d(16)
        self.drop = nn.Dropout(dropout)
        self.head = nn.Linear(16 * 4 * 4, 10)

    def forward(self, x):
        x = F.relu(self.norm(self.conv(x)))
        x = F.max_pool2d(x, 2).flatten(1)
        return self.head(self.drop(x))


MICRO = 16
BATCH = 64  # of all ranks

x, y = load_digits(return_X_y=True)
x = dg.tensor(x, dtype=dg.float32)
x = x.reshape(-1, 1, 8, 8) / 16
y = dg.tensor(y)
train = dg.data.TensorDataset(x=x[:1408], y=y[:1408])
test = dg.data.TensorDataset(x=x[1408:], y=y[1408:])
windows = dg.data.GlobalBatches(train, BATCH, MICRO, seed=0)

net = Net(args.dropout)
model = dg.distributed.DataParallel(net, comm)
optimizer = dg.optim.SGD(
    model.parameters(),
    lr=0.1,
    momentum=0.9,
    weight_decay=1e-4,
)
scheduler = dg.optim.lr_scheduler.CosineAnnealingWarmRestarts(
    optimizer,
    T_0=4 * len(windows),
)

if args.checkpoint.exists():
    state = pickle.loads(args.checkpoint.read_bytes())
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
