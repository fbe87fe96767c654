"""`training.capture`: it reaches the model, changes no bit, and is refused on the CPU."""

import pytest
from helpers.resuming import ended, trained, variant
from helpers.strict_device import strict_device

from distgrad.distributed import SingleProcess
from distgrad.errors import UsageError
from distgrad.training import Trainer


def test_a_run_that_can_record_nothing_has_the_same_bits(monkeypatch, caplog):
    class Refusing:
        def record(self, work):
            work()
            raise RuntimeError("operation not permitted when stream is capturing")

    with strict_device() as device:
        monkeypatch.setattr(device, "graphs", lambda index: Refusing(), raising=False)
        runs = []
        for capture in ("false", "true"):
            trainer = Trainer(
                variant("momentum", "run.device=cuda", f"training.capture={capture}"),
                SingleProcess(),
            )
            runs.append((trained(trainer), ended(trainer)))
    assert runs[0] == runs[1]
    assert any("cannot be recorded" in record.message for record in caplog.records)


def test_on_the_cpu_there_is_nothing_to_record():
    with pytest.raises(UsageError, match="graphs are those of a GPU, and the model lies on 'cpu'"):
        Trainer(variant("momentum", "training.capture=true"), SingleProcess())
