import json

from distgrad.training.journal import Journal


def test_each_event_is_a_line(tmp_path):
    journal = Journal(tmp_path / "journal.jsonl")
    assert journal.entries() == []
    journal.add("launch", ranks=2)
    journal.add("resume", step=3, skipped=["a: b"])
    journal.add("resume", step=5)
    first, second, _ = [json.loads(line) for line in journal.path.read_text().splitlines()]
    assert (first["event"], first["ranks"]) == ("launch", 2)
    assert (second["step"], second["skipped"]) == (3, ["a: b"])
    assert first["time"].endswith("+00:00")
    assert journal.count("resume") == 2


def test_a_line_that_was_cut_short_costs_nothing_else(tmp_path):
    journal = Journal(tmp_path / "journal.jsonl")
    journal.add("launch")
    with journal.path.open("ab") as file:
        file.write(b'{"event": "resu')
    journal.add("resume")
    assert [entry["event"] for entry in journal.entries()] == ["launch", "resume"]
