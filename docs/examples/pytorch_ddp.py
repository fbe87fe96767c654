"""Train a digit classifier with PyTorch's DistributedDataParallel.

Run it with ``torchrun --nproc-per-node 2 pytorch_ddp.py``. What distgrad makes of it stands in
from_pytorch.py.
"""

import argparse
from contextlib import nullcontext
from pathlib import Path

import torch
import torch.distributed as dist
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import DataLoader, TensorDataset
from torch.utils.data.distributed import DistributedSampler

parser = argparse.ArgumentParser()
parser.add_argument("--epochs", type=int, default=8)
parser.add_argument("--dropout", type=float, default=0.2)
parser.add_argument("--checkpoint", type=Path, default=Path("digits.pt"))
args = parser.parse_args()

dist.init_process_group("gloo")
rank, size = dist.get_rank(), dist.get_world_size()
torch.manual_seed(rank)  # else all ranks drop the same


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
BATCH = 64 // size  # of this rank

x, y = load_digits(return_X_y=True)
x = torch.tensor(x, dtype=torch.float32)
x = x.reshape(-1, 1, 8, 8) / 16
y = torch.tensor(y)
train = TensorDataset(x[:1408], y[:1408])
test = TensorDataset(x[1408:], y[1408:])
sampler = DistributedSampler(train, seed=0)
loader = DataLoader(train, BATCH, sampler=sampler, drop_last=True)
test_sampler = DistributedSampler(test, shuffle=False)
test_loader = DataLoader(test, 64, sampler=test_sampler)

net = Net(args.dropout)
model = DistributedDataParallel(net)
optimizer = torch.optim.SGD(
    model.parameters(),
    lr=0.1,
    momentum=0.9,
    weight_decay=1e-4,
)
scheduler = torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(
    optimizer,
    T_0=4 * len(loader),
)

start = 0
if args.checkpoint.exists():
    state = torch.load(args.checkpoint)
    net.load_state_dict(state["model"])
    optimizer.load_state_dict(state["optimizer"])
    scheduler.load_state_dict(state["scheduler"])
    start = state["epoch"]


def train_step(inputs, labels):
    micro = list(zip(inputs.split(MICRO), labels.split(MICRO), strict=True))
    mean = 0.0
    for i, (x, y) in enumerate(micro, 1):
        is_last = i == len(micro)
        with nullcontext() if is_last else model.no_sync():
            loss = F.cross_entropy(model(x), y) / len(micro)
            loss.backward()
        mean += loss.item()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    scheduler.step()
    optimizer.zero_grad()
    return mean


@torch.no_grad()
def evaluate():
    model.eval()
    total = torch.zeros(2)
    for x, y in test_loader:
        hits = (model(x).argmax(1) == y).sum()
        total += torch.tensor([hits, len(y)])
    dist.all_reduce(total)
    model.train()
    return (total[0] / total[1]).item()


for epoch in range(start, args.epochs):
    sampler.set_epoch(epoch)
    total = torch.zeros(2)
    for inputs, labels in loader:
        mean = train_step(inputs, labels)
        total += torch.tensor([mean * len(labels), len(labels)])
    dist.all_reduce(total)
    loss, accuracy = (total[0] / total[1]).item(), evaluate()
    if rank == 0:
        print(f"epoch {epoch}: loss {loss:.6f}, accuracy {accuracy:.4f}")
        state = {
            "model": net.state_dict(),
            "optimizer": optimizer.state_dict(),
            "scheduler": scheduler.state_dict(),
            "epoch": epoch + 1,
        }
        torch.save(state, args.checkpoint)

dist.destroy_process_group()
