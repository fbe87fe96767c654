"""The groups of an optimizer: by names, by axes, with options of their own."""

import pytest
from helpers.configs import tiny_document

import distgrad as dg
from distgrad.distributed import SingleProcess
from distgrad.errors import UsageError
from distgrad.training import Trainer, parse_config
from distgrad.training.parameter_groups import GroupConfig, parameter_groups

NAMED = [
    *dg.nn.Sequential(dg.nn.Linear(2, 3), dg.nn.LayerNorm(3), dg.nn.Linear(3, 1)).named_parameters()
]
NAMES = {id(parameter): name for name, parameter in NAMED}


def grouped(weight_decay_on="all", *groups):
    """The names of the parameters of each group, and its options."""
    configs = [GroupConfig(**group) for group in groups]
    return [
        ([NAMES[id(p)] for p in group.pop("params")], group)
        for group in parameter_groups(NAMED, weight_decay_on, configs)
    ]


def test_one_group_of_all():
    assert grouped() == [([name for name, _ in NAMED], {})]


def test_matrices_alone_decay():
    spared = ["0.bias", "1.weight", "1.bias", "2.bias"]
    assert grouped("matrices") == [(["0.weight", "2.weight"], {}), (spared, {"weight_decay": 0.0})]


def test_the_first_pattern_that_fits_decides():
    assert grouped(
        "all", {"parameters": "0.*", "lr": 0.1}, {"parameters": ["*.bias", "1.*"], "momentum": 0.5}
    ) == [
        (["2.weight"], {}),
        (["0.weight", "0.bias"], {"lr": 0.1}),
        (["1.weight", "1.bias", "2.bias"], {"momentum": 0.5}),
    ]


def test_both_rules_together():
    assert grouped(
        "matrices",
        {"parameters": "0.*", "lr": 0.1},
        {"parameters": "1.*", "weight_decay": 0.3},
        {"parameters": "2.*"},
    ) == [
        (["0.weight"], {"lr": 0.1}),
        (["0.bias"], {"lr": 0.1, "weight_decay": 0.0}),
        (["1.weight", "1.bias"], {"weight_decay": 0.3}),
        (["2.weight"], {}),
        (["2.bias"], {"weight_decay": 0.0}),
    ]


def test_a_group_of_nothing_is_a_mistake():
    with pytest.raises(UsageError) as raised:
        grouped("all", {"parameters": "*"}, {"parameters": ["*.bias", "b?as"]})
    assert str(raised.value) == (
        'optimizer.groups[1] has no parameters: "*.bias", "b?as" fits no name, or groups before it '
        "have them all; the model has 0.weight, 0.bias, 1.weight, 1.bias, 2.weight, 2.bias"
    )


def with_groups(*groups, **changes):
    document = tiny_document()
    document["optimizer"] |= {"groups": list(groups), **changes}
    return document


def test_the_groups_of_a_run():
    document = with_groups({"parameters": "*bias", "lr": 1, "betas": [0.5, 0.9]})
    document["scheduler"] = {"name": "exponential", "gamma": 0.5}
    trainer = Trainer(parse_config(document), SingleProcess())
    reports = list(trainer.steps())
    assert [report.lr for report in reports[:2]] == [1e-2, 5e-3]
    rest, biases = trainer.optimizer.param_groups
    assert (rest["lr"], biases["lr"]) == (1e-2 / 64, 1 / 64)
    assert (rest["betas"], biases["betas"]) == ((0.9, 0.999), (0.5, 0.9))
    assert [p.ndim for p in biases["params"]] == [1, 1]


def test_a_learning_rate_of_zero_leaves_parameters_as_they_are():
    document = with_groups({"parameters": "0.*", "lr": 0.0})
    trainer = Trainer(parse_config(document), SingleProcess())
    before = [p.data.copy() for p in trainer.model.parameters()]
    list(trainer.steps())
    same = [(p.data == b).all() for p, b in zip(trainer.model.parameters(), before, strict=True)]
    assert same == [True, True, False, False]


@pytest.mark.parametrize(
    ("group", "message"),
    [
        (
            {"parameters": "*", "lrr": 1},
            'optimizer.groups[0].lrr: unknown key; did you mean "lr"? Known: parameters, lr, betas',
        ),
        ({"parameters": "*", "lr": "1"}, 'optimizer.groups[0].lr = "1": must be a valid number'),
        ({"lr": 1}, "optimizer.groups[0].parameters: is missing"),
        ({"parameters": 3}, "optimizer.groups[0].parameters = 3: must be a valid string"),
        ({"parameters": []}, "optimizer.groups[0].parameters = []: must have at least 1 item"),
    ],
)
def test_mistakes_are_found_before_anything_is_built(group, message):
    with pytest.raises(UsageError) as raised:
        parse_config(with_groups(group))
    assert message in str(raised.value)


def test_a_group_of_an_optimizer_that_is_none():
    document = with_groups({"parameters": "*", "lrr": 1}, name="adan")
    with pytest.raises(UsageError, match=r'^configuration: optimizer\.name = "adan": no such opt'):
        parse_config(document)
