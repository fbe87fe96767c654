"""Train a classifier of tumours with Horovod.

Run it with ``horovodrun -np 2 python horovod_torch.py``. What distgrad makes of it stands in
from_horovod.py.
"""

import argparse
from pathlib import Path

import horovod.torch as hvd
import torch
import torch.nn.functional as F
from sklearn.datasets import load_breast_cancer
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from torch.utils.data.distributed import DistributedSampler

parser = argparse.ArgumentParser()
parser.add_argument("--epochs", type=int, default=8)
parser.add_argument("--dropout", type=float, default=0.2)
parser.add_argument("--checkpoint", type=Path, default=Path("tumours.pt"))
args = parser.parse_args()

hvd.init()
torch.manual_seed(hvd.rank())  # else all ranks drop the same


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
PASSES = 2  # for each step, on each rank

x, y = load_breast_cancer(return_X_y=True)
x = (x - x[:448].mean(0)) / x[:448].std(0)
x = torch.tensor(x, dtype=torch.float32)
y = torch.tensor(y)
train = TensorDataset(x[:448], y[:448])
test = TensorDataset(x[448:], y[448:])
sampler = DistributedSampler(
    train,
    num_replicas=hvd.size(),
    rank=hvd.rank(),
    seed=0,
)
loader = DataLoader(train, MICRO * PASSES, sampler=sampler, drop_last=True)
test_sampler = DistributedSampler(
    test,
    num_replicas=hvd.size(),
    rank=hvd.rank(),
    shuffle=False,
)
test_loader = DataLoader(test, 64, sampler=test_sampler)

net = Net(args.dropout)
hvd.broadcast_parameters(net.state_dict(), root_rank=0)
optimizer = torch.optim.SGD(
    net.parameters(),
    lr=0.025 * hvd.size(),
    momentum=0.9,
)
optimizer = hvd.DistributedOptimizer(
    optimizer,
    named_parameters=net.named_parameters(),
    backward_passes_per_step=PASSES,
)
scheduler = torch.optim.lr_scheduler.StepLR(
    optimizer,
    step_size=3 * len(loader),
    gamma=0.5,
)

state = None
if hvd.rank() == 0 and args.checkpoint.exists():
    state = torch.load(args.checkpoint)
state = hvd.broadcast_object(state, root_rank=0, name="state")
if state:
    net.load_state_dict(state["model"])
    optimizer.load_state_dict(state["optimizer"])
    scheduler.load_state_dict(state["scheduler"])


def train_step(inputs, labels):
    mean = 0.0
    optimizer.zero_grad()
    for x, y in zip(inputs.split(MICRO), labels.split(MICRO), strict=True):
        loss = F.cross_entropy(net(x), y) / PASSES
        loss.backward()
        mean += loss.item()
    optimizer.synchronize()
    nn.utils.clip_grad_norm_(net.parameters(), 1.0)
    with optimizer.skip_synchronize():
        optimizer.step()
    scheduler.step()
    return mean


@torch.no_grad()
def evaluate():
    net.eval()
    total = torch.zeros(2)
    for x, y in test_loader:
        hits = (net(x).argmax(1) == y).sum()
        total += torch.tensor([hits, len(y)])
    total = hvd.allreduce(total, name="hits", op=hvd.Sum)
    net.train()
    return (total[0] / total[1]).item()


for epoch in range(state["epoch"] if state else 0, args.epochs):
    sampler.set_epoch(epoch)
    total = torch.zeros(2)
    for inputs, labels in loader:
        mean = train_step(inputs, labels)
        total += torch.tensor([mean * len(labels), len(labels)])
    total = hvd.allreduce(total, name="loss", op=hvd.Sum)
    loss, accuracy = (total[0] / total[1]).item(), evaluate()
    if hvd.rank() == 0:
        print(f"epoch {epoch}: loss {loss:.6f}, accuracy {accuracy:.4f}")
        state = {
            "model": net.state_dict(),
            "optimizer": optimizer.state_dict(),
            "scheduler": scheduler.state_dict(),
            "epoch": epoch + 1,
        }
        torch.save(state, args.checkpoint)
