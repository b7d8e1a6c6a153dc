"""The drawings of docs/how_it_was_made_fast.md; needs matplotlib: ``python -m benchmarks.drawings``.

Their figures are those of docs/speed.md and of benchmarks/RESULTS.md; the lengths in the other one are made up.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.environment import ROOT

FOLDER = ROOT / "docs"
STYLE = {"svg.hashsalt": "seqclass", "svg.fonttype": "none", "font.size": 9, "axes.spines.top": False,
         "axes.spines.right": False}  # fmt: skip
ROWS, STEPS = 16, 500

PASSES = {
    "arithmetic at the peak": 51,
    "compiled": 60,
    "compiled, shared padding": 29,
    "fused": 112,
    "fused, shared padding": 68,
    "oneDNN": 161,
    "oneDNN, shared padding": 55,
}
"""One pass of an LSTM forward and backward, 64 rows of 500 steps, milliseconds; docs/speed.md."""


def passes(figure: Any) -> None:
    """A bar for each way to run the pass."""
    axes = figure.subplots()
    names = list(PASSES)[::-1]
    colours = ["0.75" if "peak" in name else "tab:blue" if "shared" in name else "tab:cyan" for name in names]
    bars = axes.barh(names, [PASSES[name] for name in names], color=colours)
    axes.bar_label(bars, padding=3)
    axes.margins(x=0.1)
    axes.set_xlabel("forward and backward pass, 64 rows of 500 steps, ms")


def padding(figure: Any) -> None:
    """Which rows are computed at which step, as they are padded and with their padding shared."""
    lengths = np.sort(np.random.default_rng(3).integers(60, STEPS + 1, ROWS))[::-1]
    lengths[0] = STEPS
    begins = STEPS - lengths
    left, right = figure.subplots(1, 2, sharey=True)
    for axes, title in ((left, "every row at every step"), (right, "the padding once")):
        axes.set_title(title, fontsize=9)
        axes.set_xlabel("step")
        axes.set_xlim(0, STEPS)
        axes.invert_yaxis()
        axes.barh(range(ROWS), lengths, left=begins, color="tab:blue", height=0.8, label="words")
    left.set_ylabel("rows, by where they begin")
    left.set_yticks([])
    left.barh(range(ROWS), begins, color="tab:orange", height=0.8, label="padding, computed")
    right.barh([ROWS], [begins.max()], color="tab:orange", height=0.8)
    figure.legend(loc="outside lower center", ncols=2, frameon=False, handles=left.containers)


DRAWINGS = {"fast_step.svg": (passes, (6.4, 2.6)), "fast_padding.svg": (padding, (6.4, 2.8))}


def draw(folder: Path = FOLDER) -> list[Path]:
    """Write the drawings; where they are."""
    import matplotlib
    from matplotlib.figure import Figure

    paths = []
    with matplotlib.rc_context(STYLE):
        for name, (fill, size) in DRAWINGS.items():
            figure = Figure(figsize=size, layout="constrained")
            fill(figure)
            figure.savefig(folder / name, metadata={"Date": None})
            paths.append(folder / name)
    return paths


if __name__ == "__main__":
    draw()
