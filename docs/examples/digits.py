"""Train a digit classifier with the library, on as many ranks as mpirun starts.

Run it with ``python docs/examples/digits.py`` or
``mpirun -n 4 python docs/examples/digits.py``: the hash of the weights is the same.
"""

import hashlib

import distgrad as dg
import distgrad.nn.functional as F

comm = dg.distributed.connect()
dg.manual_seed(0)
net = dg.nn.Sequential(
    dg.nn.Linear(64, 256), dg.nn.ReLU(), dg.nn.Dropout(0.1), dg.nn.Linear(256, 10)
)
model = dg.distributed.DataParallel(net, comm)
opt = dg.optim.AdamW(model.parameters(), lr=3e-3)
schedule = dg.optim.lr_scheduler.CosineAnnealingLR(opt, T_max=450)
train, test = dg.data.digits()
windows = dg.data.GlobalBatches(train, global_batch_size=100, micro_batch_size=16, seed=0)


def loss(batch):
    logits = model(batch.x)
    return F.cross_entropy(logits, batch.y, reduction="sum"), len(batch.y)


def measure(batch):
    logits = model(batch.x)
    return {
        "loss": (F.cross_entropy(logits, batch.y, reduction="sum"), len(batch.y)),
        "accuracy": ((logits.argmax(1) == batch.y).sum(), len(batch.y)),
    }


for epoch in range(30):
    for window in windows:
        result = model.accumulate(loss, window)
        if not result.finite:
            raise SystemExit(f"step {window.step}: the loss is {result.loss}")
        model.clip_grad_norm_(1.0)
        opt.step()
        schedule.step()
    if comm.rank == 0:
        print(f"epoch {epoch}: loss {result.loss:.4f}", flush=True)

metrics = model.evaluate(measure, test, micro_batch_size=64)
weights = hashlib.sha256(b"".join(p.numpy().tobytes() for p in model.state_dict().values()))
if comm.rank == 0:
    print(f"{comm.size} ranks: accuracy {metrics['accuracy']:.4f}, weights {weights.hexdigest()}")
