"""The models that come with the project, small: one result for every number of ranks.

With dropout, batch normalisation, clipping, a schedule, partial windows and short micro-batches.
"""

import json
import struct
from pathlib import Path

import numpy as np
import pytest
from helpers.mpi import mpirun

CONFIGS = Path(__file__).parents[2] / "configs"
SAME = ("weights_sha256", "metrics", "final_loss", "data_sha256", "epochs")

GPT = ["model.layers=2", "model.width=32", "data.source.path=text.txt", "data.source.context=16"]
CNN = ["model.channels=[4, 6]", "model.hidden=16", "data.source.folder=images"]
SIZES = ["data.global_batch_size=42", "data.micro_batch_size=8"]


def write_images(folder):
    """Fill ``folder`` with images and labels in the format of MNIST, drawn at random."""
    folder.mkdir()
    generator = np.random.default_rng(0)
    for part, n in (("train", 106), ("t10k", 30)):  # 3 windows, the last of them partial
        images = generator.integers(256, size=(n, 12, 12), dtype=np.uint8)
        labels = generator.integers(10, size=n, dtype=np.uint8)
        for name, array in ((f"{part}-images-idx3", images), (f"{part}-labels-idx1", labels)):
            header = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
            (folder / f"{name}-ubyte").write_bytes(header + array.tobytes())


def write_text(path):
    """Write words in an order drawn at random."""
    words = ["quick", "brown", "fox", "is", "a", "lazy", "dog"]
    path.write_text("The " + " ".join(np.random.default_rng(1).choice(words, 200)))


def trained(folder, config, ranks, changes):
    words = [word for change in changes for word in ("--set", change)]
    run = folder / f"on{ranks}"
    argv = ["distgrad", "train", CONFIGS / config, "--run-dir", run, *words]
    done = mpirun(ranks, ["python", "-m", *argv], timeout=120, cwd=folder)
    assert done.returncode == 0, done.stderr
    summary = json.loads((run / "summary.json").read_text())
    sample = run / "sample.txt"
    return [summary[name] for name in SAME], sample.read_text() if sample.exists() else None


@pytest.mark.parametrize(
    ("config", "changes"),
    [
        ("fashion_cnn.toml", [*CNN, "training.max_epochs=2"]),
        ("char_gpt.toml", [*GPT, "training.max_steps=5"]),
    ],
)
def test_one_result(tmp_path, config, changes):
    write_images(tmp_path / "images")
    write_text(tmp_path / "text.txt")
    one, *others = (trained(tmp_path, config, n, [*SIZES, *changes]) for n in (1, 2, 3, 4))
    assert others == [one] * 3
