"""Steps without an update: what is not finite, and windows in which nothing counts."""

import numpy as np
import pytest
from helpers.configs import tiny_config

from distgrad.distributed import SingleProcess
from distgrad.errors import TrainingError
from distgrad.training import Trainer
from distgrad.training.run import train

FAULTY = [
    "model.sizes=[4, 8, 3]",
    "training.loss=cross_entropy",
    "scheduler.name=step",
    "scheduler.step_size=1",
    "scheduler.gamma=0.5",
]


def trainer_on(source, *assignments):
    change = f"data.source={{name = 'helpers.faulty_data:{source}'}}"
    return Trainer(tiny_config(*FAULTY, change, *assignments), SingleProcess())


def weights_after(trainer, steps):
    """The weights before the first step and after each."""
    seen = [[p.data.copy() for p in trainer.model.parameters()]]
    reports = []
    for report in trainer.steps():
        reports.append(report)
        seen.append([p.data.copy() for p in trainer.model.parameters()])
        if report.step == steps:
            break
    return reports, seen


def test_a_step_that_is_not_finite_is_skipped_and_counted():
    trainer = trainer_on("not_a_number", "training.on_nonfinite=skip")
    reports, seen = weights_after(trainer, 6)
    skipped = [report for report in reports if report.skipped]
    assert len(skipped) == 2  # once an epoch
    for report in reports:
        changed = [
            not np.array_equal(before, after)
            for before, after in zip(seen[report.step - 1], seen[report.step], strict=True)
        ]
        assert any(changed) is (report.skipped is None)
    assert skipped[0].skipped == "the loss (nan) or a gradient is not finite"
    assert skipped[0].loss is None
    row = skipped[0].as_row()
    assert "loss" not in row
    assert row["skipped"] == skipped[0].skipped
    assert trainer.progress.skipped == 2


def test_the_schedule_goes_on_after_a_skipped_step():
    reports, _ = weights_after(trainer_on("not_a_number", "training.on_nonfinite=skip"), 6)
    assert [report.lr for report in reports] == [0.01 / 2**step for step in range(6)]


def test_by_default_it_ends_the_run_and_names_the_way_out():
    with pytest.raises(TrainingError, match=r'training\.on_nonfinite = "skip"$'):
        list(trainer_on("not_a_number").steps())


def test_a_window_in_which_nothing_counts_is_skipped_whatever_is_set():
    reports, seen = weights_after(trainer_on("one_label"), 3)
    assert sorted(str(report.skipped) for report in reports) == [
        "None",
        "nothing in the global batch counts",
        "nothing in the global batch counts",
    ]
    (step,) = (report.step for report in reports if report.skipped is None)
    assert np.array_equal(seen[0][0], seen[step - 1][0])
    assert np.array_equal(seen[step][0], seen[3][0])
    (epoch_loss,) = (report.loss for report in reports if report.loss is not None)
    assert trainer_epoch_loss() == epoch_loss


def trainer_epoch_loss():
    trainer = trainer_on("one_label", "training.max_epochs=1")
    list(trainer.steps())
    return trainer.progress.epoch_loss


def test_an_epoch_of_skipped_steps_fails():
    trainer = trainer_on("nothing_but", "training.on_nonfinite=skip")
    with pytest.raises(TrainingError) as raised:
        list(trainer.steps())
    assert str(raised.value) == (
        "all 3 steps of epoch 1 were skipped, the last because the loss (nan) or a gradient is not "
        "finite: the run gets nowhere; try a smaller learning rate, or look at the data"
    )


def test_the_summary_counts_them(tmp_path, capsys):
    config = tiny_config(
        *FAULTY,
        "data.source={name = 'helpers.faulty_data:not_a_number'}",
        "training.on_nonfinite=skip",
    )
    summary = train(config, SingleProcess(), tmp_path / "run")
    assert (summary.status, summary.steps, summary.skipped_steps) == ("done", 6, 2)
    printed = capsys.readouterr().out
    assert printed.count("skipped: the loss (nan) or a gradient is not finite") == 2
