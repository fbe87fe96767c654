"""`training.capture`: it reaches the model, and changes no bit."""

from helpers.resuming import ended, trained, variant
from helpers.strict_device import strict_device

from distgrad.distributed import SingleProcess
from distgrad.distributed.data_parallel import recorded_passes
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


def test_on_the_cpu_micro_batches_are_replayed_with_the_same_bits(monkeypatch, caplog):
    calls = []
    replayed = recorded_passes._replayed
    monkeypatch.setattr(
        recorded_passes, "_replayed", lambda *args: calls.append(1) or replayed(*args)
    )
    runs = []
    for capture in ("false", "true"):
        trainer = Trainer(variant("momentum", f"training.capture={capture}"), SingleProcess())
        runs.append((trained(trainer), ended(trainer)))
    assert runs[0] == runs[1]
    assert calls
    assert "capture" not in caplog.text
