import math

import numpy as np
import pytest
from helpers.configs import tiny_config

import distgrad as dg
import distgrad.nn.functional as F
from distgrad.distributed import SingleProcess
from distgrad.errors import TrainingError
from distgrad.training import Trainer, parse_config
from distgrad.training.weights import weights_sha256


def trained(*assignments):
    trainer = Trainer(tiny_config(*assignments), SingleProcess())
    return trainer, list(trainer.steps())


def test_a_step_is_what_a_loop_of_ones_own_does():
    """The same model, data and order, each global batch taken as a whole."""
    trainer, reports = trained("model.dropout=0", "optimizer.name=sgd", "training.max_epochs=1")
    dg.manual_seed(0)
    model = dg.nn.Sequential(
        dg.nn.Linear(1, 8), dg.nn.Tanh(), dg.nn.Dropout(0.0), dg.nn.Linear(8, 1)
    )
    optimizer = dg.optim.SGD(model.parameters(), lr=1e-2)
    for window, report in zip(
        dg.data.GlobalBatches(trainer.split.train, 28, 8), reports, strict=True
    ):
        batch = trainer.split.train.take(window.indices)
        optimizer.zero_grad()
        loss = F.mse_loss(model(batch.x), batch.y)
        loss.backward()
        optimizer.step()
        assert report.loss == pytest.approx(loss.item(), rel=1e-5)
    for ours, reference in zip(trainer.model.parameters(), model.parameters(), strict=True):
        np.testing.assert_allclose(ours.data, reference.data, rtol=1e-5, atol=1e-7)


def test_every_sample_is_used_once_an_epoch():
    _, reports = trained()
    assert [(r.step, r.epoch, r.samples) for r in reports] == [
        (1, 1, 28),
        (2, 1, 28),
        (3, 1, 14),
        (4, 2, 28),
        (5, 2, 28),
        (6, 2, 14),
    ]


def test_the_same_configuration_gives_the_same_bits():
    one, two = (weights_sha256(trained()[0].model.module) for _ in range(2))
    assert one == two


@pytest.mark.parametrize(
    "assignment", ["training.seed=1", "model.dropout=0.2", "optimizer.lr=0.02"]
)
def test_another_configuration_gives_other_bits(assignment):
    assert weights_sha256(trained(assignment)[0].model.module) != weights_sha256(
        trained()[0].model.module
    )


def test_a_scheduler_steps_once_a_step():
    _, reports = trained("scheduler.name=step", "scheduler.step_size=2", "scheduler.gamma=0.5")
    assert [r.lr for r in reports] == [1e-2, 1e-2, 5e-3, 5e-3, 2.5e-3, 2.5e-3]


@pytest.mark.parametrize(
    ("assignments", "steps"),
    [
        (["training.max_steps=4"], 4),
        (["training.max_steps=6"], 6),
        (["training.max_steps=7"], 6),
        (["training.target_loss=1e9"], 3),
        (
            ["optimizer.lr=0", "model.dropout=0", "training.max_epochs=9", "training.patience=2"],
            None,
        ),
    ],
)
def test_a_run_stops_at_the_first_condition(assignments, steps):
    _, reports = trained(*assignments)
    if steps is None:
        # Nothing is learned; the order of a sum changes the last bits of an epoch's loss.
        assert 9 <= len(reports) < 27
    else:
        assert len(reports) == steps


@pytest.mark.parametrize(
    ("assignments", "last"),
    [
        ([], 6),
        (["training.max_steps=4"], 4),
        (["training.max_steps=40"], 6),
    ],
)
def test_the_last_step_is_known_from_the_limits(assignments, last):
    assert Trainer(tiny_config(*assignments), SingleProcess()).last_step == last


def test_without_limits_the_last_step_is_not_known():
    config = tiny_config("training.patience=1").model_copy()
    document = config.model_dump(mode="json", exclude_none=True)
    del document["training"]["max_epochs"]
    assert Trainer(parse_config(document), SingleProcess()).last_step is None


def test_an_evaluation_counts_each_test_sample_once():
    trainer, _ = trained()
    x, y = trainer.split.test[:]
    trainer.model.eval()
    expected = float(((trainer.model.module(x).data - y.data) ** 2).mean())
    trainer.model.train()
    assert trainer.evaluate() == {"loss": pytest.approx(expected, rel=1e-6)}


def test_evaluations_come_with_the_last_step_of_an_epoch():
    _, reports = trained("training.max_epochs=4", "training.evaluate_every_epochs=2")
    assert [r.step for r in reports if r.test] == [6, 12]
    row = reports[5].as_row()
    assert row["test_loss"] == reports[5].test["loss"]
    assert "test" not in row


def test_evaluations_every_so_many_steps():
    _, reports = trained("training.max_epochs=3", "training.evaluate_every_steps=4")
    assert [r.step for r in reports if r.test] == [4, 8]


def test_evaluations_by_steps_and_epochs_come_once_where_both_are_due(monkeypatch):
    evaluated = []
    evaluate = Trainer.evaluate
    monkeypatch.setattr(Trainer, "evaluate", lambda t: evaluated.append(1) or evaluate(t))
    every = ["training.evaluate_every_steps=2", "training.evaluate_every_epochs=1"]
    _, reports = trained(*every)
    assert [r.step for r in reports if r.test] == [2, 3, 4, 6]
    assert len(evaluated) == 4


@pytest.mark.parametrize(("steps", "epochs"), [(2, 0), (3, 1), (5, 1), (6, 2)])
def test_completed_epochs_are_counted(steps, epochs):
    trainer, _ = trained(f"training.max_steps={steps}")
    assert trainer.progress.epochs == epochs


def test_gradients_are_clipped():
    trainer, reports = trained(
        "training.clip_grad_norm=0.01", "optimizer.name=sgd", "model.dropout=0"
    )
    unclipped, _ = trained("training.clip_grad_norm=1e6", "optimizer.name=sgd", "model.dropout=0")
    assert all(report.grad_norm > 0.01 for report in reports)
    dg.manual_seed(0)
    start = trainer.config.model.build()

    def moved(end):
        pairs = zip(start.parameters(), end.model.parameters(), strict=True)
        return math.sqrt(sum(((a.data - b.data) ** 2).sum() for a, b in pairs))

    # Six steps with the learning rate 1e-2, each of norm 0.01 at most.
    assert moved(trainer) <= 6 * 1e-2 * 0.01 * (1 + 1e-5) < moved(unclipped)


def test_without_clipping_there_is_no_norm():
    _, reports = trained("training.max_steps=1")
    assert reports[0].grad_norm is None
    assert "grad_norm" not in reports[0].as_row()


def test_weight_decay_spares_what_is_no_matrix():
    trainer, _ = trained("training.weight_decay_on=matrices", "optimizer.weight_decay=0.5")
    groups = trainer.optimizer.param_groups
    assert [group["weight_decay"] for group in groups] == [0.5, 0.0]
    shapes = [[p.shape for p in group["params"]] for group in groups]
    assert shapes == [[(8, 1), (1, 8)], [(8,), (1,)]]
    (group,) = trained("training.max_steps=1")[0].optimizer.param_groups
    assert len(group["params"]) == 4


def test_threads_that_read_ahead_change_nothing():
    hashes = {weights_sha256(trained(f"data.num_workers={n}")[0].model.module) for n in (0, 1, 3)}
    assert len(hashes) == 1


def test_an_evaluation_changes_nothing():
    with_evaluation, _ = trained("training.evaluate_every_epochs=1")
    without, _ = trained()
    assert weights_sha256(with_evaluation.model.module) == weights_sha256(without.model.module)


def test_classification_measures_accuracy():
    pytest.importorskip("sklearn")
    assignments = [
        "data.source={name = 'digits'}",
        "model.sizes=[64, 32, 10]",
        "model.activation=relu",
        "training.loss=cross_entropy",
        "training.max_epochs=3",
    ]
    trainer, _ = trained(*assignments)
    measured = trainer.evaluate()
    x, y = trainer.split.test[:]
    trainer.model.eval()
    right = trainer.model.module(x).data.argmax(1) == y.data
    assert measured["accuracy"] == right.mean()
    assert measured["accuracy"] > 0.8


def test_a_loss_that_is_not_finite_ends_the_run_and_names_the_step():
    trainer = Trainer(tiny_config("optimizer.lr=1e30", "optimizer.name=sgd"), SingleProcess())
    steps = trainer.steps()
    assert math.isfinite(next(steps).loss)
    with pytest.raises(TrainingError) as raised:
        list(steps)
    assert str(raised.value).startswith("step 2: the loss (")
    assert str(raised.value).endswith(
        "or a gradient is not finite; the learning rate was 1e+30: try a smaller one, look for "
        'such values in the data, or leave such steps out with training.on_nonfinite = "skip"'
    )


def test_an_evaluation_that_is_not_finite_fails():
    trainer, _ = trained()
    for parameter in trainer.model.parameters():
        parameter.data[...] = math.inf
        parameter.bump_version()
    with np.errstate(all="ignore"), pytest.raises(TrainingError) as raised:
        trainer.evaluate()
    assert str(raised.value) == "the loss of the test samples is not finite (nan)"
