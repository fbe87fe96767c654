"""A checkpoint that is not as it was written is named with the reason, and one before it used."""

import hashlib
import json
import os
import random
import shutil
import struct

import pytest
from helpers.checkpoints import assert_same, checkpoint_of

from distgrad.training.checkpoint import CheckpointError, CheckpointStore

FILES = ["model.safetensors", "optimizer.safetensors", "state.json", "manifest.json"]


@pytest.fixture
def store(tmp_path) -> CheckpointStore:
    """With a whole checkpoint of step 1, and one of step 2 to be damaged."""
    store = CheckpointStore(tmp_path / "checkpoints")
    for step in (1, 2):
        store.save(checkpoint_of(step))
    return store


def why_skipped(store: CheckpointStore) -> str:
    """Why step 2 was skipped; step 1 must have been found."""
    found = store.newest()
    assert_same(found.checkpoint, checkpoint_of(1))
    (line,) = found.skipped
    path = f"{store.path(2)}: "
    assert line.startswith(path)
    return line.removeprefix(path)


def sign(path, changes) -> None:
    """Change a manifest and give it the checksum that belongs to it."""
    manifest = json.loads((path / "manifest.json").read_text())
    del manifest["sha256"]
    manifest |= changes
    text = json.dumps(manifest, sort_keys=True, separators=(",", ":"))
    manifest["sha256"] = hashlib.sha256(text.encode()).hexdigest()
    (path / "manifest.json").write_text(json.dumps(manifest))


@pytest.mark.parametrize("name", FILES)
def test_a_flipped_bit(store, name: str) -> None:
    path = store.path(2) / name
    content = path.read_bytes()
    positions = random.Random(0).sample(range(8 * len(content.rstrip())), 30)
    for position in (0, *positions):
        damaged = bytearray(content)
        damaged[position // 8] ^= 1 << position % 8
        path.write_bytes(damaged)
        reason = why_skipped(store)
        if name == "manifest.json":
            assert reason.startswith("manifest.json is damaged: ")
        else:
            found, was = (hashlib.sha256(bytes(text)).hexdigest() for text in (damaged, content))
            assert reason == f"{name} is damaged: its sha256 is {found}, and was {was}"
    path.write_bytes(content)
    assert_same(store.newest().checkpoint, checkpoint_of(2))


@pytest.mark.parametrize("name", FILES)
def test_a_truncated_file(store, name: str) -> None:
    path = store.path(2) / name
    content = path.read_bytes()
    for size in (0, 1, len(content) // 2, len(content.rstrip()) - 1):
        path.write_bytes(content[:size])
        reason = why_skipped(store)
        if name == "manifest.json":
            assert reason.startswith("manifest.json is damaged: it is not JSON (")
        else:
            sizes = f"it has {size} bytes, and had {len(content)}"
            assert reason == f"{name} was cut short: {sizes}"


def test_a_file_that_has_grown(store) -> None:
    path = store.path(2) / "state.json"
    size = path.stat().st_size
    path.write_bytes(path.read_bytes() + b" ")
    assert why_skipped(store) == f"state.json has grown: it has {size + 1} bytes, and had {size}"


@pytest.mark.parametrize("name", FILES[:-1])
def test_a_file_that_is_missing(store, name: str) -> None:
    (store.path(2) / name).unlink()
    assert why_skipped(store) == f"{name} cannot be read (No such file or directory)"


def test_no_manifest(store) -> None:
    (store.path(2) / "manifest.json").unlink()
    assert why_skipped(store) == "it has no manifest.json: a crash or a copy has left it so"


def test_a_newer_format(store) -> None:
    sign(store.path(2), {"format": 2, "distgrad": "9.9"})
    assert why_skipped(store).startswith("it has format 2 and was written by distgrad 9.9; this is")


def test_another_name(store) -> None:
    store.path(2).rename(store.path(7))
    found = store.newest()
    assert found.skipped == [f"{store.path(7)}: its manifest is of step 2: the folder was renamed"]
    assert_same(found.checkpoint, checkpoint_of(1))


@pytest.mark.parametrize(
    ("header", "why"),
    [
        (b"no header", "Error while deserializing"),
        (
            b'{"w":{"dtype":"F8_E4M3","shape":[2],"data_offsets":[0,2]}}',
            "it has a data type that NumPy does not have",
        ),
    ],
    ids=["not in the format", "of another data type"],
)
def test_arrays_that_cannot_be_read(store, header: bytes, why: str) -> None:
    content = struct.pack("<Q", len(header)) + header + b"\0\0"
    path = store.path(2)
    (path / "model.safetensors").write_bytes(content)
    record = {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    files = json.loads((path / "manifest.json").read_text())["files"]
    sign(path, {"files": files | {"model.safetensors": record}})
    assert why_skipped(store).startswith(f"model.safetensors cannot be read ({why}")


def test_a_file_in_its_place(store) -> None:
    shutil.rmtree(store.path(2))
    store.path(2).touch()
    assert why_skipped(store) == "manifest.json cannot be read (Not a directory)"


def test_a_folder_in_the_place_of_a_file(store) -> None:
    path = store.path(2) / "state.json"
    path.unlink()
    path.mkdir()
    assert why_skipped(store).startswith("state.json ")  # its size is the file system's choice
    sign(store.path(2), {"files": {"state.json": {"size": path.stat().st_size, "sha256": ""}}})
    assert why_skipped(store) == "state.json cannot be read (Is a directory)"


def test_all_of_them_are_named_newest_first(store) -> None:
    for step in (3, 4, 12):
        (store.save(checkpoint_of(step)) / "state.json").unlink()
    found = store.newest()
    assert_same(found.checkpoint, checkpoint_of(2))
    assert [line.split(":")[0] for line in found.skipped] == [
        str(store.path(step)) for step in (12, 4, 3)
    ]


def test_none_is_whole(store) -> None:
    for step in (1, 2):
        (store.path(step) / "manifest.json").unlink()
    found = store.newest()
    assert found.checkpoint is None
    assert len(found.skipped) == 2


class TestWhatACrashLeaves:
    def test_a_draft_is_no_checkpoint_yet(self, store) -> None:
        shutil.copytree(store.path(2), store.folder / ".step-3.draft")
        found = store.newest()
        assert_same(found.checkpoint, checkpoint_of(2))
        assert (found.skipped, store.steps()) == ([], [1, 2])

    def test_what_is_half_removed_is_neither_seen_nor_named(self, store) -> None:
        store.path(2).rename(store.folder / ".step-2.removed")
        (store.folder / ".step-2.removed" / "manifest.json").unlink()
        found = store.newest()
        assert_same(found.checkpoint, checkpoint_of(1))
        assert (found.skipped, store.steps()) == ([], [1])

    def test_one_that_was_about_to_be_replaced_is_used(self, store) -> None:
        store.path(2).rename(store.folder / ".step-2.replaced")
        assert_same(store.newest().checkpoint, checkpoint_of(2))
        assert store.steps() == [1, 2]
        store.save(checkpoint_of(3))
        assert {path.name for path in store.folder.iterdir()} == {"step-1", "step-2", "step-3"}

    def test_the_next_one_clears_away_the_rest(self, store) -> None:
        for name in (".step-3.draft", ".step-1.removed", ".step-2.replaced", ".step-9.draft"):
            shutil.copytree(store.path(2), store.folder / name)
        store.save(checkpoint_of(4))
        assert {path.name for path in store.folder.iterdir()} == {"step-1", "step-2", "step-4"}


@pytest.mark.parametrize("ask", [CheckpointStore.newest, CheckpointStore.steps])
def test_a_folder_that_cannot_be_read_is_not_taken_for_none(tmp_path, ask) -> None:
    folder = tmp_path / "checkpoints"
    folder.touch()
    with pytest.raises(CheckpointError) as raised:
        ask(CheckpointStore(folder))
    assert str(raised.value) == (
        f"the checkpoints in {folder} cannot be read (Not a directory); mend that, or begin anew "
        "in another folder"
    )


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(store) -> None:
    (store.path(2) / "state.json").chmod(0)
    assert why_skipped(store) == "state.json cannot be read (Permission denied)"
