"""Results as plots, drawn by matplotlib (`pip install 'distgrad[plot]'`).

python benchmarks/plots.py        draws results/growth/growth.json again
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.figure import Figure

# The same picture gives the same file, and text stays text.
matplotlib.rcParams.update({"svg.hashsalt": "distgrad", "svg.fonttype": "none"})

GROWTH = Path(__file__).resolve().parent / "results" / "growth" / "growth.json"

COLUMNS = 3
NEAR = 0.1
"""The part of its height by which the line is shown broad."""


def draw_growth(result: Mapping[str, Any], path: Path) -> None:
    """Draw the curves of `growth.py`, each with its line, 10 % broad to both sides."""
    curves = result["curves"].values()
    rows = -(-len(curves) // COLUMNS)
    figure = Figure(figsize=(4 * COLUMNS, 3.2 * rows), layout="constrained")
    for number, curve in enumerate(curves, 1):
        axes = figure.add_subplot(rows, COLUMNS, number)
        x = np.array([point["x"] for point in curve["points"]])
        ms = [min(point["ms"]) for point in curve["points"]]
        line = curve["fixed_ms"] + curve["ms_of_one"] * x
        axes.fill_between(x, line * (1 - NEAR), line * (1 + NEAR), color="0.88", lw=0)
        axes.plot(x, line, color="0.6", lw=1)
        axes.plot(x, ms, "o", color="tab:blue", ms=4)
        axes.set(xscale="log", yscale="log", xlabel=curve["title"], ylabel="ms per step")
        axes.grid(alpha=0.2)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata={"Date": None})


if __name__ == "__main__":
    draw_growth(json.loads(GROWTH.read_text()), GROWTH.with_suffix(".svg"))
