"""Data that cannot be trained on is refused by `distgrad train`: once, and with status 2."""

import gzip
import struct

import numpy as np
import pytest
from helpers.configs import tiny_document
from helpers.mpi import mpirun

from distgrad.cli import main
from distgrad.training.toml import dumps

CNN = {"name": "cnn", "channels": [2], "hidden": 4}
GPT = {"name": "gpt", "layers": 1, "width": 8, "heads": 2}
MLP = {"name": "mlp", "sizes": [2, 1]}
OF_SOURCE = {
    "idx": (CNN, "cross_entropy"),
    "csv": (MLP, "mse"),
    "npz": (MLP, "mse"),
    "text": (GPT, "next_token"),
}


def idx_bytes(array, magic=None):
    header = magic or bytes([0, 0, 8, array.ndim])
    return header + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


IMAGES = np.zeros((40, 4, 4), np.uint8)
LABELS = np.arange(40, dtype=np.uint8) % 3


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A working directory with images, a table, an archive and a text, all of them good."""
    monkeypatch.chdir(tmp_path)
    images = tmp_path / "images"
    images.mkdir()
    for part in ("train", "t10k"):
        (images / f"{part}-images-idx3-ubyte").write_bytes(idx_bytes(IMAGES))
        (images / f"{part}-labels-idx1-ubyte").write_bytes(idx_bytes(LABELS))
    rows = [f"{i},{i + 1},{i + 2}" for i in range(50)]
    (tmp_path / "table.csv").write_text("\n".join(["a,b,c", *rows]))
    values = np.ones((50, 3), np.float32)
    np.savez(tmp_path / "arrays.npz", x=values[:, :2], y=values[:, 2:])
    (tmp_path / "text.txt").write_text("to be or not to be " * 30)
    return tmp_path


def source(name):
    return {
        "idx": {"name": "idx", "folder": "images"},
        "csv": {"name": "csv", "path": "table.csv", "task": "regression"},
        "npz": {"name": "npz", "path": "arrays.npz", "test_fraction": 0.2},
        "text": {"name": "text", "path": "text.txt", "context": 8},
    }[name]


def write_config(name, **changes):
    document = tiny_document("training.max_epochs=1")
    model, loss = OF_SOURCE[name]
    document["model"] = model
    document["training"] = document["training"] | {"loss": loss}
    document["data"] = document["data"] | {"source": source(name) | changes}
    with open("run.toml", "w", encoding="utf-8") as file:
        file.write(dumps(document))


def change(path, edit):
    path.write_bytes(edit(path.read_bytes()))


TRAIN_IMAGES = "images/train-images-idx3-ubyte"


def wrong_magic(folder):
    change(folder / TRAIN_IMAGES, lambda content: b"\x89PNG" + content[4:])


def of_another_type(folder):
    change(folder / TRAIN_IMAGES, lambda content: b"\0\0\x0d\3" + content[4:])


def truncated(folder):
    change(folder / TRAIN_IMAGES, lambda content: content[:-1])


def truncated_header(folder):
    change(folder / TRAIN_IMAGES, lambda content: content[:9])


def oversized(folder):
    change(folder / TRAIN_IMAGES, lambda content: content + b"\0")


def header_of_a_giant(folder):
    giant = bytes([0, 0, 8, 3]) + struct.pack(">3I", 2**31, 2**15, 2**15)
    change(folder / TRAIN_IMAGES, lambda content: giant + content[16:])


def truncated_gzip(folder):
    path = folder / TRAIN_IMAGES
    (folder / f"{TRAIN_IMAGES}.gz").write_bytes(gzip.compress(path.read_bytes())[:-9])
    path.unlink()


def too_few_labels(folder):
    (folder / "images/t10k-labels-idx1-ubyte").write_bytes(idx_bytes(LABELS[:-1]))


def no_file(folder):
    (folder / "images/t10k-labels-idx1-ubyte").unlink()


def no_folder(folder):
    (folder / "images").rename(folder / "elsewhere")


def cell_that_is_no_number(folder):
    change(folder / "table.csv", lambda content: content.replace(b"7,8,9", b"7,eight,9"))


def row_that_is_cut(folder):
    change(folder / "table.csv", lambda content: content.replace(b"7,8,9", b"7,8"))


def row_that_is_long(folder):
    change(folder / "table.csv", lambda content: content.replace(b"7,8,9", b"7,8,9,10"))


def header_only(folder):
    (folder / "table.csv").write_text("a,b,c\n")


def binary_table(folder):
    (folder / "table.csv").write_bytes(b"a,b,c\n\xff\xfe,1,2\n")


def no_table(folder):
    (folder / "table.csv").unlink()


def truncated_archive(folder):
    change(folder / "arrays.npz", lambda content: content[: len(content) // 2])


def pickled_archive(folder):
    objects = np.array([{}] * 9, dtype=object)
    np.savez(folder / "arrays.npz", x=objects, y=np.ones(9))


def short_text(folder):
    (folder / "text.txt").write_text("to be")


def empty_text(folder):
    (folder / "text.txt").write_text("")


def binary_text(folder):
    (folder / "text.txt").write_bytes(b"to be\xff or not")


CASES = [
    ("idx", wrong_magic, "begins with the bytes 89 50 4e 47, but unsigned bytes in 3 dimensions"),
    ("idx", of_another_type, "begins with the bytes 00 00 0d 03, but unsigned bytes"),
    ("idx", truncated, "says 40 x 4 x 4 = 640 bytes of values, but the file has only 639"),
    ("idx", truncated_header, "ends after 9 bytes, within the header, which has 16"),
    ("idx", oversized, "says 40 x 4 x 4 = 640 bytes of values, but the file has more"),
    ("idx", header_of_a_giant, "bytes of values, but the file has only 640"),
    ("idx", truncated_gzip, "is not a whole gzip file"),
    ("idx", too_few_labels, "has 40 images and images/t10k-labels-idx1-ubyte has 39 labels"),
    ("idx", no_file, "images: has no file t10k-labels-idx1-ubyte and no"),
    ("idx", no_folder, "images: there is no such folder; it must hold"),
    ("csv", cell_that_is_no_number, "table.csv, line 9, column 1 (b): 'eight' is not a finite"),
    ("csv", row_that_is_cut, "table.csv, line 9: has 2 cells, but the header has 3"),
    ("csv", row_that_is_long, "table.csv, line 9: has 4 cells, but the header has 3"),
    ("csv", header_only, "table.csv: has no row of numbers below its header"),
    ("csv", binary_table, "table.csv, line 2: byte 0 of the line is not UTF-8"),
    ("csv", no_table, "table.csv: there is no such file in "),
    ("npz", truncated_archive, "arrays.npz: is no .npz file, or not all of one"),
    ("npz", pickled_archive, "arrays.npz: array x holds pickled Python objects"),
    ("text", short_text, "text.txt: 5 characters, of which test_fraction 0.1 holds out 0, are too"),
    ("text", empty_text, "text.txt: 0 characters, of which test_fraction 0.1 holds out 0, are too"),
    ("text", binary_text, "text.txt: is not UTF-8: byte 5 (0xff) cannot stand there"),
]


@pytest.mark.parametrize("name", OF_SOURCE)
def test_good_data_is_taken(name):
    write_config(name)
    assert main(["train", "run.toml"]) == 0


@pytest.mark.parametrize(
    ("name", "damage", "message"), CASES, ids=[f"{name}-{f.__name__}" for name, f, _ in CASES]
)
def test_bad_data_is_refused(folder, capsys, name, damage, message):
    write_config(name)
    damage(folder)
    assert main(["train", "run.toml"]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("error: ")
    assert printed.err.count("error: ") == 1
    assert message in printed.err
    assert not (folder / "runs").exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"context": 100}, "are too few: context 100 needs at least 101 to train on and 101 to"),
        ({"path": "."}, ".: is a folder, where a file is needed; name a file in it"),
    ],
)
def test_a_text_that_does_not_fit(capsys, changes, message):
    write_config("text", **changes)
    assert main(["train", "run.toml"]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "damage", "message"), [case for case in CASES if case[1] in (truncated, no_folder)]
)
def test_bad_data_is_refused_once_by_all_ranks(folder, name, damage, message):
    write_config(name)
    damage(folder)
    done = mpirun(2, ["python", "-m", "distgrad", "train", "run.toml"])
    assert done.returncode == 2
    assert done.stderr.count(message) == 1
    assert done.stderr.count("error: ") == 1
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert not (folder / "runs").exists()
