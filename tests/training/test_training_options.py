"""What a configuration says of a step and of an evaluation, and when a run is good enough."""

import json
import math

import numpy as np
import pytest
from helpers.configs import tiny_config, tiny_document
from helpers.mpi import mpirun

import distgrad as dg
import distgrad.nn.functional as F
from distgrad.cli import main
from distgrad.distributed import SingleProcess
from distgrad.errors import TrainingError, UsageError
from distgrad.training import Trainer, parse_config, train
from distgrad.training.toml import dumps
from distgrad.training.weights import weights_sha256


def trained(*assignments):
    trainer = Trainer(tiny_config(*assignments), SingleProcess())
    return trainer, list(trainer.steps())


def refused(*assignments):
    with pytest.raises(UsageError) as raised:
        trained(*assignments)
    return str(raised.value)


SGD = ["optimizer={name = 'sgd', lr = 0.2}", "model.dropout=0"]

CLASSES = [
    "data.source={name = 'helpers.resuming:images'}",
    "model={name = 'cnn', channels = [2], hidden = 4}",
]


def config_of(*assignments):
    """A configuration in which whole sections may be assigned, too."""
    document = tiny_document(*(a for a in assignments if "." in a.partition("=")[0]))
    for assignment in assignments:
        key, _, value = assignment.partition("=")
        if "." not in key:
            wrapped = tiny_document(f"all.value={value}")["all"]["value"]
            document[key] = wrapped
    return parse_config(document)


def run_of(*assignments):
    trainer = Trainer(config_of(*assignments), SingleProcess())
    return trainer, list(trainer.steps())


# Clipping by value


@pytest.mark.parametrize("reduction", ["tree", "sharded", "allreduce"])
def test_no_element_of_a_gradient_is_larger(reduction):
    limits = ["training.clip_grad_value=0.001", "training.max_steps=1"]
    trainer = Trainer(
        config_of(*SGD, *limits, f"distributed.reduction={reduction}"), SingleProcess()
    )
    before = [p.data.copy() for p in trainer.model.parameters()]
    list(trainer.steps())
    pairs = zip(trainer.model.parameters(), before, strict=True)
    moves = np.concatenate([abs(p.data - b).reshape(-1) for p, b in pairs])
    # Parameters are float32: a move has the rounding of the number that is moved.
    assert moves.max() == pytest.approx(0.2 * 0.001, rel=1e-3)


def test_values_are_clipped_before_the_norm():
    _, one = run_of(*SGD, "training.clip_grad_value=0.001", "training.clip_grad_norm=9")
    _, other = run_of(*SGD, "training.clip_grad_norm=9")
    assert one[0].grad_norm <= 0.001 * math.sqrt(25) < other[0].grad_norm


def test_a_value_to_clip_at_is_above_zero():
    model = dg.distributed.DataParallel(dg.nn.Linear(1, 1), SingleProcess())
    with pytest.raises(ValueError, match="clip_value must be above 0, got 0"):
        model.clip_grad_value_(0)


# Smoothed labels


def test_labels_are_smoothed_in_training_only():
    smooth = config_of(*CLASSES, "training.loss={name = 'cross_entropy', label_smoothing = 0.3}")
    trainer = Trainer(smooth, SingleProcess())
    model = trainer.model.module
    batch = trainer.split.train.take(next(iter(trainer.windows)).indices)
    in_training = F.cross_entropy(model(batch.x), batch.y, label_smoothing=0.3).item()
    x, y = trainer.split.test[:]
    measured = F.cross_entropy(model(x), y).item()
    assert trainer.evaluate()["loss"] == pytest.approx(measured, rel=1e-6)
    assert next(trainer.steps()).loss == pytest.approx(in_training, rel=1e-6)


def test_the_smoothed_loss_is_pytorchs():
    scores, labels = dg.randn(6, 4, dtype=dg.float64), dg.tensor([0, 1, 2, 3, 0, 1])
    objective = config_of(
        "training.loss={name = 'cross_entropy', label_smoothing = 0.25}"
    ).training.loss.build()
    total, count = objective(scores, labels)
    log_p = F.log_softmax(scores, 1).data
    own = 0.75 * log_p[np.arange(6), labels.data].sum() + 0.25 * log_p.mean(1).sum()
    assert total.item() == pytest.approx(-own, rel=1e-14)
    assert count == 6


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        ("{name = 'cross_entropy', label_smoothing = 2}", "must be less than or equal to 1"),
        ("{name = 'mse', label_smoothing = 0.1}", "training.loss.label_smoothing: unknown key"),
        ("{label_smoothing = 0.1}", "training.loss.name: is missing"),
    ],
)
def test_a_loss_does_not_take_all_arguments(loss, message):
    assert message in refused(f"training.loss={loss}")


# Averaged weights


def test_the_average_follows_the_weights_and_is_evaluated():
    with_average, _ = run_of("training.ema={decay = 0.75}", "training.max_steps=3")
    plain = Trainer(config_of("training.max_steps=3"), SingleProcess())
    expected = None
    for _ in plain.steps():
        now = [p.data.copy() for p in plain.model.parameters()]
        expected = (
            now
            if expected is None
            else [a + (n - a) * 0.25 for a, n in zip(expected, now, strict=True)]
        )
    assert weights_sha256(with_average.model.module) == weights_sha256(plain.model.module)
    average = list(with_average.evaluated.parameters())
    for ours, theirs in zip(average, expected, strict=True):
        np.testing.assert_array_equal(ours.data, theirs)
    x, y = with_average.split.test[:]
    loss = ((with_average.evaluated(x).data - y.data) ** 2).mean()
    assert with_average.evaluate()["loss"] == pytest.approx(loss, rel=1e-6)
    assert with_average.evaluate() != plain.evaluate()


def test_a_run_leaves_the_average_behind(tmp_path, capsys):
    config = config_of("training.ema={}", "distributed.reduction=sharded")
    assert config.training.ema.decay == 0.999
    summary = train(config, SingleProcess(), tmp_path / "run")
    assert main(["evaluate", str(tmp_path / "run")]) == 0
    printed = capsys.readouterr().out.splitlines()[-3:]
    assert printed[0] == f"loss {summary.metrics['loss']:.6g}"
    assert printed[1] == f"weights_sha256 {summary.weights_sha256}"


# Good enough


def test_a_run_ends_with_the_metric_it_waits_for():
    every = ["training.evaluate_every_steps=2", "training.monitor=loss", "training.max_epochs=50"]
    trainer, reports = run_of(*SGD, *every, "training.target_metric=0.45")
    losses = [r.test["loss"] for r in reports if r.test]
    assert losses[-1] <= 0.45 < min(losses[:-1])
    assert trainer.config.training.monitor_mode == "min"


def test_of_r2_more_is_better():
    every = ["training.evaluate_every_steps=2", "training.monitor=r2", "training.metrics=['r2']"]
    goal = ["training.target_metric=0.1", "training.max_epochs=50"]
    trainer, reports = run_of(*SGD, *every, *goal)
    found = [r.test["r2"] for r in reports if r.test]
    assert found[-1] >= 0.1 > max(found[:-1])
    best = max(range(len(found)), key=found.__getitem__)
    assert trainer.progress.best_step == 2 * (best + 1)


def test_patience_counts_evaluations():
    every = ["training.evaluate_every_steps=1", "training.monitor=loss", "training.max_epochs=50"]
    _, reports = run_of(*SGD, *every, "training.patience=3", "training.min_delta=0.05")
    losses = [r.test["loss"] for r in reports]
    best, since = losses[0], 0
    for loss in losses[1:-1]:
        best, since = (loss, 0) if loss < best - 0.05 else (best, since + 1)
        assert since < 3
    assert since == 2
    assert losses[-1] >= best - 0.05


def test_without_a_monitor_min_delta_is_of_the_training_loss():
    trainer, _ = run_of(
        *SGD, "training.max_epochs=50", "training.patience=2", "training.min_delta=10.0"
    )
    assert trainer.progress.epochs == 3


def test_a_metric_of_ones_own_needs_a_direction(tmp_path, monkeypatch):
    (tmp_path / "own_bias.py").write_text(
        "from distgrad.training import Metric\n"
        "class Bias(Metric):\n"
        "    name = 'bias'\n"
        "    def addends(self, output, target):\n"
        "        return {'errors': output - target, 'count': len(target)}\n"
        "    def value(self, sums):\n"
        "        return abs(sums['errors'] / sums['count'])\n"
        "class Table(Bias):\n"
        "    def value(self, sums):\n"
        "        return [[1, 2]]\n"
        "def no_metric():\n"
        "    return 3\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    every = ["training.evaluate_every_steps=1", "training.monitor=bias", "training.max_steps=3"]
    own = "training.metrics=['own_bias:Bias']"
    assert refused(own, *every) == (
        "training.monitor: whether less bias is better, or more, is not known; say so by "
        'training.monitor_mode = "min" or "max"'
    )
    _, reports = trained(own, *every, "training.monitor_mode=min")
    assert all(r.test["bias"] >= 0 for r in reports)
    with pytest.raises(TrainingError, match="bias is a table of numbers, by which nothing can be"):
        trained("training.metrics=['own_bias:Table']", *every, "training.monitor_mode=min")
    assert "metric own_bias:no_metric: must be a distgrad.training.Metric with a name, got 3" in (
        refused("training.metrics=['own_bias:no_metric']")
    )


@pytest.mark.parametrize(
    ("assignments", "message"),
    [
        (["monitor=loss"], 'training.monitor = "loss": is a number of evaluations, and none is'),
        (["monitor_mode=min"], "training.monitor_mode: says something of training.monitor, which"),
        (["target_metric=1.0"], "training.target_metric: says something of training.monitor"),
        (["min_delta=0.5"], "training.min_delta = 0.5: says what training.patience counts as"),
        (["min_delta=-1.0"], "training.min_delta = -1.0: must be greater than or equal to 0"),
        (
            ["monitor=los", "evaluate_every_steps=1"],
            'training.monitor = "los": is not measured; did you mean "loss"? Known: loss',
        ),
        (
            ["monitor=loss", "evaluate_every_steps=1", "monitor_mode=max"],
            'training.monitor_mode = "max": less loss is better; set it to "min"',
        ),
        (["ema={decay = 1.0}"], "training.ema.decay = 1.0: must be less than 1"),
        (["ema={dekay = 0.5}"], 'training.ema.dekay: unknown key; did you mean "decay"?'),
        (["metrics=['mea']"], 'training.metrics[0] = "mea": no such metric; did you mean "m'),
        (["metrics=[{name = 'f1', averag = 'micro'}]"], 'unknown key; did you mean "average"?'),
        (["metrics=[{name = 'f1', average = 'all'}]"], "must be 'macro', 'micro' or 'weighted'"),
        (["metrics=['accuracy']"], "the metric accuracy does not take the model's output of shape"),
        (["callbacks=['Log']"], 'training.callbacks[0] = "Log": no such callback; known: none, or'),
    ],
)
def test_what_is_refused(assignments, message):
    assert message in refused(*(f"training.{a}" for a in assignments))


# A learning rate that waits for an evaluation


def test_a_plateau_is_told_each_evaluation():
    every = ["training.evaluate_every_steps=1", "training.metrics=['mae']", "training.max_epochs=4"]
    plateau = "{name = 'reduce_on_plateau', metric = 'mae', factor = 0.5, patience = 0}"
    trainer, reports = run_of(*SGD, *every, f"scheduler={plateau}")
    best, rate = math.inf, 0.2
    for report in reports:
        assert report.lr == rate
        if report.test["mae"] < best * (1 - 1e-4):
            best = report.test["mae"]
        else:
            rate *= 0.5
    assert rate < 0.2
    assert trainer.scheduler.last_epoch == 12


@pytest.mark.parametrize(
    ("plateau", "message"),
    [
        ("metric = 'los'", 'scheduler.metric = "los": is not measured; did you mean "loss"?'),
        ("metric = 'loss', mode = 'max'", 'scheduler.mode = "max": less loss is better; set it'),
        ("metric = 'loss'", 'scheduler.metric = "loss": is a number of evaluations, and none is'),
    ],
)
def test_a_plateau_of_no_evaluation(plateau, message):
    table = f"scheduler={{name = 'reduce_on_plateau', {plateau}}}"
    with pytest.raises(UsageError) as raised:
        Trainer(config_of(table), SingleProcess())
    assert message in str(raised.value)


# On ranks


OWN = """
import numpy as np
import distgrad as dg
from distgrad.data import Split, TensorDataset


class Scale(dg.nn.Module):
    # What it says of a sample does not depend on the others in the batch.
    def __init__(self, outputs: int):
        super().__init__()
        self.weight = dg.nn.Parameter(dg.ones(1, outputs))

    def forward(self, x):
        return x * self.weight


def points(outputs: int):
    rng = np.random.default_rng(0)
    def part(n):
        x = rng.normal(size=(n, outputs)).astype(np.float32)
        y = rng.integers(outputs, size=n) if outputs > 1 else x**2 + np.float32(3)
        return TensorDataset(x=x, y=y)
    return Split(part(70), part(53))
"""

MEASURED = {
    4: [
        "accuracy",
        {"name": "top_k", "k": 2},
        "perplexity",
        "precision",
        "recall",
        "f1",
        {"name": "f1", "average": "weighted"},
        {"name": "f1", "average": "micro"},
        "confusion_matrix",
    ],
    1: ["mae", "mse", "rmse", "r2"],
}


@pytest.mark.parametrize("outputs", MEASURED)
def test_metrics_are_the_same_for_every_split(outputs, tmp_path):
    (tmp_path / "own_points.py").write_text(OWN)
    document = tiny_document("training.max_steps=2")
    document["model"] = {"name": "own_points:Scale", "outputs": outputs}
    document["data"]["source"] = {"name": "own_points:points", "outputs": outputs}
    document["training"] |= {
        "loss": "mse" if outputs == 1 else "cross_entropy",
        "metrics": MEASURED[outputs],
        "ema": {"decay": 0.5},
        "evaluate_every_steps": 1,
    }
    (tmp_path / "own.toml").write_text(dumps(document))

    def argv(*words):
        return ["python", "-m", "distgrad", *words]

    found = []
    for ranks in (1, 2, 3):
        run = tmp_path / f"on{ranks}"
        done = mpirun(ranks, argv("train", "own.toml", "--run-dir", run), cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        summary = json.loads((run / "summary.json").read_text())
        rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
        tested = [{k: v for k, v in row.items() if k.startswith("test_")} for row in rows]
        found.append((summary["metrics"], tested, summary["weights_sha256"]))
    assert found[0] == found[1] == found[2]
    metrics = found[0][0]
    assert len(metrics) == 1 + len(MEASURED[outputs])
    # Nor do the micro-batches of an evaluation leave a trace.
    said = [
        mpirun(ranks, argv("evaluate", tmp_path / "on2", "--set", size), cwd=tmp_path).stdout
        for ranks, size in ((1, "data.micro_batch_size=28"), (3, "data.micro_batch_size=3"))
    ]
    assert said[0] == said[1]
    if outputs > 1:
        assert sum(map(sum, metrics["confusion_matrix"])) == 53
        lines = said[0].splitlines()
        assert lines[1] == "confusion_matrix"
        rows = [list(map(int, line.split())) for line in lines[2:6]]
        assert rows == metrics["confusion_matrix"]


def test_other_metrics_of_a_run_that_is_done(tmp_path, capsys):
    train(tiny_config(), SingleProcess(), tmp_path / "run")
    capsys.readouterr()
    assert main(["evaluate", str(tmp_path / "run"), "--set", "training.metrics=['r2']"]) == 0
    first = capsys.readouterr().out.splitlines()[0].split()
    assert first[::2] == ["loss", "r2"]
