import json
import tomllib

import pytest
from helpers.configs import tiny_config, tiny_document, tiny_file

from distgrad.errors import UsageError
from distgrad.training import load_config, parse_config
from distgrad.training.toml import dumps


def problem(*assignments, without=()):
    """What is said of the small configuration, changed by assignments and with keys taken out."""
    document = tiny_document(*assignments)
    for key in without:
        *sections, last = key.split(".")
        table = document
        for section in sections:
            table = table[section]
        del table[last]
    with pytest.raises(UsageError) as raised:
        parse_config(document, "run.toml")
    return str(raised.value)


def test_sections_have_defaults():
    config = tiny_config()
    assert config.run.device == "cpu"
    assert config.scheduler is None
    assert config.training.seed == 0
    assert config.distributed.reduction == "tree"


def test_the_resolved_configuration_holds_the_defaults_of_components():
    resolved = tomllib.loads(dumps(tiny_config().model_dump(mode="json")))
    assert resolved["optimizer"]["betas"] == [0.9, 0.999]
    assert resolved["data"]["source"]["noise"] == 0.0


@pytest.mark.parametrize(
    "assignments",
    [
        [],
        ["scheduler.name=cosine", "scheduler.T_max=10"],
        ["training.max_steps=3", "training.target_loss=0.5", "distributed.reduction=allreduce"],
        ["optimizer.name=distgrad.optim:SGD", "optimizer.momentum=0.9"],
    ],
)
def test_the_resolved_configuration_is_the_same_run(assignments):
    config = tiny_config(*assignments)
    again = parse_config(tomllib.loads(dumps(config.model_dump(mode="json"))))
    assert again.model_dump(mode="json") == config.model_dump(mode="json")


def test_a_configuration_does_not_change():
    with pytest.raises(ValueError, match="frozen"):
        tiny_config().training.seed = 1
    with pytest.raises(ValueError, match="frozen"):
        tiny_config().model.name = "other"


def test_a_run_is_called_like_its_file(tmp_path):
    path = tmp_path / "sine wave.toml"
    path.write_text(dumps({k: v for k, v in tiny_document().items() if k != "run"}))
    assert load_config(path).run.name == "sine wave"
    assert load_config(path, ["run.name=other"]).run.name == "other"


# What is wrong with a file


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(UsageError, match=r"none\.toml: there is no such file$"):
        load_config(tmp_path / "none.toml")


def test_a_file_that_cannot_be_read(tmp_path):
    with pytest.raises(UsageError, match="cannot be read"):
        load_config(tmp_path)


def test_a_file_that_is_no_toml(tmp_path):
    path = tmp_path / "a.toml"
    path.write_text("[run\n")
    with pytest.raises(UsageError, match=r"a\.toml: is not valid TOML: .* line 1"):
        load_config(path)


def test_a_message_names_the_file(tmp_path):
    path = tiny_file(tmp_path)
    with pytest.raises(UsageError) as raised:
        load_config(path, ["training.max_epochs=0"])
    assert str(raised.value) == f"{path}: training.max_epochs = 0: must be greater than 0"


def test_all_problems_are_reported_together():
    assert problem("training.seeds=1", "data.micro_batch_size=0", "run.device=gpu") == (
        "run.toml has 3 problems:\n"
        "  run.device = \"gpu\": must be 'cpu' or 'cuda'\n"
        "  data.micro_batch_size = 0: must be greater than 0\n"
        '  training.seeds: unknown key; did you mean "seed"? Known: loss, metrics, '
        "precision, capture, "
        "seed, max_steps, max_epochs, target_loss, monitor, monitor_mode, target_metric, patience, "
        "min_delta, evaluate_every_epochs, evaluate_every_steps, clip_grad_value, clip_grad_norm, "
        "on_nonfinite, weight_decay_on, ema, callbacks"
    )


# Keys and sections


def test_an_unknown_section_names_the_nearest():
    assert problem("optimiser.lr=1") == (
        'run.toml: optimiser: unknown section; did you mean "optimizer"? Known: run, model, data, '
        "optimizer, scheduler, training, distributed, checkpoint, sample"
    )


def test_an_unknown_key_names_the_nearest():
    assert problem("distributed.reductoin=tree") == (
        'run.toml: distributed.reductoin: unknown key; did you mean "reduction"? Known: reduction, '
        "transport"
    )


def test_an_unknown_key_without_a_near_one_lists_those_there_are():
    assert problem("distributed.bananas=1") == (
        "run.toml: distributed.bananas: unknown key; known: reduction, transport"
    )


def test_an_unknown_argument_of_a_component_names_the_nearest():
    assert problem("model.drop_out=0.1") == (
        'run.toml: model.drop_out: unknown key; did you mean "dropout"? Known: name, sizes, '
        "activation, dropout"
    )


def test_an_argument_that_the_trainer_gives_is_unknown():
    assert "optimizer.params: unknown key" in problem("optimizer.params=1")


def test_an_unknown_argument_below_a_section():
    assert 'data.source.sample: unknown key; did you mean "samples"?' in problem(
        "data.source.sample=1"
    )


def test_missing_keys_and_sections():
    said = problem(without=["optimizer", "data.source", "model.sizes", "training.loss"])
    assert said == (
        "run.toml has 4 problems:\n"
        "  model.sizes: is missing\n"
        "  data.source: is missing\n"
        "  optimizer: is missing\n"
        "  training.loss: is missing"
    )


def test_a_section_is_a_table():
    document = tiny_document() | {"data": 3, "model": "mlp"}
    with pytest.raises(UsageError) as raised:
        parse_config(document)
    assert str(raised.value) == (
        "configuration has 2 problems:\n"
        '  model = "mlp": must be a table\n'
        "  data = 3: must be a table"
    )


# Values


@pytest.mark.parametrize(
    ("assignment", "line"),
    [
        ("training.seed='1'", 'training.seed = "1": must be a valid integer'),
        ("training.seed=1.0", "training.seed = 1.0: must be a valid integer"),
        ("training.seed=true", "training.seed = true: must be a valid integer"),
        ("training.seed=-1", "training.seed = -1: must be greater than or equal to 0"),
        ("training.max_steps=0", "training.max_steps = 0: must be greater than 0"),
        ("training.target_loss=low", 'training.target_loss = "low": must be a valid number'),
        (
            "training.loss=mae",
            'training.loss = "mae": no such loss; did you mean "mse"? Known: cross_entropy, mse, '
            'next_token, or one of your own as "package.module:callable"',
        ),
        (
            "training.weight_decay_on=biases",
            "training.weight_decay_on = \"biases\": must be 'all' or 'matrices'",
        ),
        ("training.clip_grad_norm=0", "training.clip_grad_norm = 0: must be greater than 0"),
        ("training.clip_grad_norm=inf", "training.clip_grad_norm = inf: must be a finite number"),
        ("data.num_workers=-1", "data.num_workers = -1: must be greater than or equal to 0"),
        ("run.name=7", "run.name = 7: must be a valid string"),
        ("data.global_batch_size=-8", "data.global_batch_size = -8: must be greater than 0"),
        ("data.source=sine", 'data.source = "sine": must be a table'),
        ("model.sizes=[1, 0]", "model.sizes[1] = 0: must be greater than 0"),
        (
            "model.sizes=[1]",
            "model.sizes = [1]: must have at least 2 items, not 1",
        ),
        ("model.dropout=1.5", "model.dropout = 1.5: must be less than or equal to 1"),
        ("model.dropout='0.1'", 'model.dropout = "0.1": must be a valid number'),
        ("model.activation=gelu", "model.activation = \"gelu\": must be 'relu' or 'tanh'"),
        ("optimizer.betas=[0.9]", "optimizer.betas[1]: is missing"),
        (
            "distributed.reduction=sum",
            "distributed.reduction = \"sum\": must be 'tree', 'sharded' or 'allreduce'",
        ),
    ],
)
def test_a_wrong_value_is_shown_with_its_key_and_the_rule(assignment, line):
    assert problem(assignment) == f"run.toml: {line}"


@pytest.mark.parametrize("name", ["", ".hidden", "..", "a/b", "a\0b"])
def test_a_run_name_is_the_name_of_a_folder(name):
    said = problem(f"run.name={json.dumps(name)}")
    assert said.endswith("must name one folder: not empty, no / and no dot at its beginning")


def test_a_long_value_is_cut():
    said = problem(f"model.dropout={list(range(100))}")
    assert said == (
        "run.toml: model.dropout = "
        "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 1...: must be a valid number"
    )


def test_a_date_is_no_value_of_any_key():
    assert "training.seed = 2000-01-01: must be a valid integer" in problem(
        "training.seed=2000-01-01"
    )


# Rules between keys


def test_a_micro_batch_is_at_most_the_global_batch():
    assert problem("data.micro_batch_size=48", "data.global_batch_size=32") == (
        "run.toml: data.micro_batch_size = 48 is larger than data.global_batch_size = 32; use at "
        "most 32"
    )


def test_something_must_end_the_run():
    assert problem(without=["training.max_epochs"]) == (
        "run.toml: training: nothing ends the run; give at least one of max_steps, max_epochs, "
        "target_loss, target_metric, patience, such as max_epochs = 10"
    )


def test_as_many_ranks_as_micro_batches_are_enough():
    tiny_config().check_ranks(4)


def test_more_ranks_than_micro_batches_are_refused_with_the_ways_out():
    config = tiny_config("data.global_batch_size=32", "data.micro_batch_size=16")
    with pytest.raises(UsageError) as raised:
        config.check_ranks(4)
    assert str(raised.value) == (
        "4 ranks need at least 4 micro-batches in a full global batch; data.global_batch_size 32 / "
        "data.micro_batch_size 16 gives 2; use data.micro_batch_size <= 10 or at most 2 ranks"
    )
    tiny_config("data.global_batch_size=32", "data.micro_batch_size=10").check_ranks(4)
    with pytest.raises(UsageError):
        tiny_config("data.global_batch_size=32", "data.micro_batch_size=11").check_ranks(4)


def test_more_ranks_than_samples_need_a_larger_global_batch():
    config = tiny_config("data.global_batch_size=2", "data.micro_batch_size=2")
    with pytest.raises(UsageError, match=r"use a larger global batch or at most 1 rank$"):
        config.check_ranks(3)
