"""A model, a source, an optimizer, a schedule, a loss and a transform of the user's own."""

import json
import sys

import numpy as np
import pytest
from helpers.configs import tiny_document
from helpers.mpi import mpirun

from distgrad.cli import main
from distgrad.distributed import SingleProcess
from distgrad.errors import UsageError
from distgrad.training import Trainer, parse_config
from distgrad.training.toml import dumps

COMPONENTS = """
import numpy as np

import distgrad as dg
from distgrad import nn
from distgrad.data import Split
from distgrad.training import Objective


class Net(nn.Module):
    def __init__(self, width: int = 4):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(1, width), nn.Tanh(), nn.Linear(width, 1))

    def forward(self, x):
        return self.layers(x)


class Squares:
    # A dataset of pairs, sample by sample.
    def __init__(self, n: int):
        self.n = n

    def __len__(self):
        return self.n

    def __getitem__(self, index):
        x = np.float32([index / self.n])
        return x, x * x


class Stream:
    # The same samples one after the other: no length, no index.
    def __init__(self, n: int):
        self.n = n

    def __iter__(self):
        return (Squares(self.n)[i] for i in range(self.n))


def squares(n: int = 44):
    return Split(Squares(n), Squares(10))


def stream(n: int = 44):
    return Split(Stream(n), Squares(10))


def stream_to_test_on():
    return Split(Squares(3), Stream(3))


def read_once():
    return Split(iter([(1.0, 1.0)]), Squares(3))


def empty_stream():
    return Split(Stream(0), Squares(3))


class Descent(dg.optim.Optimizer):
    def __init__(self, params, rate: float = 0.1):
        super().__init__(params, {"lr": rate})

    def step(self, closure=None):
        for group in self.param_groups:
            for parameter in group["params"]:
                parameter.data -= group["lr"] * parameter.grad.data
                parameter.bump_version()


class Halving(dg.optim.lr_scheduler.LRScheduler):
    def __init__(self, optimizer):
        super().__init__(optimizer)

    def get_lr(self):
        return [base / 2**self.last_epoch for base in self.base_lrs]


def absolute(output, target):
    return abs(output - target).sum(), target.numel()


def largest(output, target):
    return abs(output - target).max(), 1


measured = Objective(absolute, {"largest": largest}, {"twice": lambda loss: 2 * loss})


def mean(output, target):
    return abs(output - target).mean()


class Shift:
    def __init__(self, by: float):
        self.by = by

    def __call__(self, x):
        return x + self.by * dg.rand(len(x), 1)
"""


@pytest.fixture(autouse=True)
def own(tmp_path, monkeypatch):
    (tmp_path / "own_everything.py").write_text(COMPONENTS)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    yield
    sys.modules.pop("own_everything", None)


def document(source="squares", loss="absolute", **data):
    tables = {
        "model": {"name": "own_everything:Net", "width": 3},
        "data": {
            "global_batch_size": 16,
            "micro_batch_size": 4,
            "source": {"name": f"own_everything:{source}"},
            **data,
        },
        "optimizer": {"name": "own_everything:Descent", "rate": 0.05},
        "scheduler": {"name": "own_everything:Halving"},
        "training": {"loss": f"own_everything:{loss}", "max_epochs": 2},
    }
    return tiny_document() | tables


def trained(*arguments, **data):
    trainer = Trainer(parse_config(document(*arguments, **data)), SingleProcess())
    return trainer, list(trainer.steps())


def refused(*arguments, **data):
    with pytest.raises(UsageError) as raised:
        trained(*arguments, **data)
    return str(raised.value)


def test_a_run_of_ones_own_parts():
    trainer, reports = trained()
    assert [(r.epoch, r.samples) for r in reports] == [
        (epoch, samples) for epoch in (1, 2) for samples in (16, 16, 12)
    ]
    assert [r.lr for r in reports] == [0.05 / 2**step for step in range(6)]
    assert trainer.last_step == 6
    assert list(trainer.evaluate()) == ["loss"]


def test_a_loss_with_metrics():
    trainer, _ = trained("squares", "measured")
    evaluated = trainer.evaluate()
    assert list(evaluated) == ["largest", "loss", "twice"]
    assert evaluated["twice"] == 2 * evaluated["loss"]


def test_a_stream_is_trained_on_in_its_order():
    trainer, reports = trained("stream", num_workers=1)
    assert [r.step for r in reports] == [1, 2, 3, 4, 5, 6]
    assert [(r.epoch, r.samples) for r in reports] == [
        (epoch, samples) for epoch in (1, 2) for samples in (16, 16, 12)
    ]
    assert trainer.progress.epochs == 2
    assert trainer.last_step is None
    x = np.arange(16, dtype=np.float32)[:, None] / 44
    window = next(iter(trainer.windows))
    assert np.concatenate([window.micro_batch(m)[0].data for m in range(4)]).tolist() == x.tolist()


def test_evaluations_after_the_epochs_of_a_stream():
    text = document("stream")
    text["training"] = text["training"] | {"evaluate_every_epochs": 1}
    reports = list(Trainer(parse_config(text), SingleProcess()).steps())
    assert [r.step for r in reports if r.test] == [3, 6]


def test_a_transform_is_drawn_anew_for_each_step():
    plain, _ = trained()
    shift = {"name": "own_everything:Shift", "by": 0.5}
    shifted, reports = trained(augment=[shift])
    again, same = trained(augment=[shift])
    assert [r.loss for r in reports] == [r.loss for r in same]
    assert shifted.evaluate() == again.evaluate() != plain.evaluate()


def test_built_in_transforms_are_for_images():
    said = refused(augment=[{"name": "random_horizontal_flip"}])
    assert said == (
        "data.augment does not take x of shape (1, 1): images must have shape (N, C, H, W), got "
        "(1, 1)"
    )


def test_an_unknown_argument_of_a_transform():
    assert refused(augment=[{"name": "random_horizontal_flip", "q": 1}]) == (
        "configuration: data.augment[0].q: unknown key; known: name, p"
    )


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (
            "stream_to_test_on",
            "the test part must have a length and samples by index, got Stream: each test sample "
            "counts once",
        ),
        (
            "read_once",
            "the train part cannot be used: list_iterator is an iterator, which can be read once; "
            "pass an object whose __iter__ begins anew, such as one that calls the generator "
            "function",
        ),
        ("empty_stream", "the train part is empty; a run needs at least 1 sample to train on"),
    ],
)
def test_streams_that_cannot_be_used(source, message):
    assert refused(source) == f"source own_everything:{source}: {message}"


def test_a_loss_that_is_no_sum_and_count():
    assert refused("squares", "mean").startswith(
        "the loss must return (sum, count): a Tensor of shape () and what it counts, such as "
        "y.numel(); got tensor("
    )


def test_a_loss_that_is_not_there():
    said = refused("squares", "mena")
    assert "training.loss = \"own_everything:mena\": the module 'own_everything' has no" in said
    assert 'did you mean "mean"?' in said


@pytest.mark.parametrize("source", ["squares", "stream"])
def test_one_result_for_every_number_of_ranks(tmp_path, source):
    transform = [{"name": "own_everything:Shift", "by": 0.5}]
    (tmp_path / "run.toml").write_text(dumps(document(source, augment=transform)))
    assert main(["train", "run.toml", "--run-dir", "alone"]) == 0
    alone = json.loads((tmp_path / "alone" / "summary.json").read_text())
    assert alone["data_sha256"] is None
    assert alone["epochs"] == 2
    done = mpirun(3, ["python", "-m", "distgrad", "train", "run.toml", "--run-dir", "three"])
    assert done.returncode == 0, done.stderr
    three = json.loads((tmp_path / "three" / "summary.json").read_text())
    for same in ("weights_sha256", "metrics", "final_loss"):
        assert three[same] == alone[same]
    assert main(["evaluate", "alone"]) == 0
