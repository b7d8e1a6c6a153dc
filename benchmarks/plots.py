"""Plots of the results, as SVG files beside them. Matplotlib is wanted here and nowhere else."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from benchmarks import notebook, results
from benchmarks.options import say
from benchmarks.results import MergedRow, Result
from benchmarks.step import SWEEPS
from seqclass.training.notebook_results import NOTEBOOK_RESULTS

COLOURS = {
    "seqclass": "#1b6ca8",
    "seqclass:as-keras3": "#6fb1de",
    "keras-tensorflow": "#d9822b",
    "keras-jax": "#8a5fbf",
    "keras-torch": "#b23a48",
    "torch-naive": "#4f8f5b",
}
OTHER_COLOUR = "#777777"


def draw(found: Iterable[Result], folder: Path) -> dict[str, list[Path]]:
    """Draw all plots; their paths by the section they belong to. None, and a line saying so, without Matplotlib."""
    try:
        import matplotlib
    except ImportError:
        say("no plots: matplotlib is not installed")
        return {}
    matplotlib.use("svg")
    matplotlib.rcParams.update({"svg.hashsalt": "seqclass", "axes.spines.top": False, "axes.spines.right": False})
    folder.mkdir(parents=True, exist_ok=True)
    found = list(found)
    accuracy = [m for m in results.merge(found, "accuracy") if m.row["samples"]["runs"]]
    swept = [m for m in results.merge(found, "step") if m.row["settings"].get("sweep") and m.row["status"] == "ok"]
    return {
        "accuracy": [_accuracy(rows, folder / f"accuracy-{device}.svg") for device, rows in _by_device(accuracy)],
        "sweep": [_sweeps(rows, folder / f"sweep-{device}.svg") for device, rows in _by_device(swept)],
    }


def _accuracy(rows: list[MergedRow], path: Path) -> Path:
    """Above the losses, below the accuracies, over epochs: a thin line for each seed, a thick one for the mean."""
    from matplotlib import lines, pyplot

    stacks = [stack for stack in notebook.STACKS if any(m.row["stack"] == stack for m in rows)]
    figure, axes = pyplot.subplots(2, len(stacks), figsize=(3.2 * len(stacks), 5.2), squeeze=False, sharey="row")
    for column, stack in enumerate(stacks):
        for line, figure_name in enumerate(("val_loss", "val_accuracy")):
            axis = axes[line][column]
            for merged in rows:
                if merged.row["stack"] == stack:
                    _curves(axis, merged.row, figure_name)
            if stack in NOTEBOOK_RESULTS:
                axis.axhline(getattr(NOTEBOOK_RESULTS[stack], figure_name), color="black", linestyle=":", linewidth=1)
            axis.set_xlabel("epoch")
            axis.xaxis.get_major_locator().set_params(integer=True)
        axes[0][column].set_title(stack)
    axes[0][0].set_ylabel("validation loss")
    axes[1][0].set_ylabel("validation accuracy")
    handles, labels = axes[0][0].get_legend_handles_labels()
    dotted = lines.Line2D([], [], color="black", linestyle=":", linewidth=1)
    figure.legend([*handles, dotted], [*labels, "notebook, 2016"], loc="lower center", ncols=4, frameon=False)
    figure.tight_layout(rect=(0, 0.06, 1, 1))
    return _save(figure, path)


def _curves(axis: Any, row: dict[str, Any], figure_name: str) -> None:
    name = row["implementation"]
    colour = COLOURS.get(name, OTHER_COLOUR)
    curves = [[epoch[figure_name] for epoch in run["epochs"]] for run in row["samples"]["runs"]]
    for curve in curves:
        axis.plot(range(1, len(curve) + 1), curve, color=colour, alpha=0.3, linewidth=0.8)
    complete = min(map(len, curves))
    means = [sum(curve[epoch] for curve in curves) / len(curves) for epoch in range(complete)]
    axis.plot(range(1, complete + 1), means, color=colour, linewidth=2, marker="o", markersize=3, label=name)


def _sweeps(rows: list[MergedRow], path: Path) -> Path:
    """For each sweep and stack the training step over the setting, both logarithmic: slope 1 is linear cost."""
    from matplotlib import pyplot

    names = [sweep for sweep in SWEEPS if any(m.row["settings"]["sweep"] == sweep for m in rows)]
    stacks = [stack for stack in notebook.STACKS if any(m.row["stack"] == stack for m in rows)]
    size = (3.2 * len(stacks), 2.8 * len(names))
    figure, axes = pyplot.subplots(len(names), len(stacks), figsize=size, squeeze=False)
    for line, sweep in enumerate(names):
        setting, _ = SWEEPS[sweep]
        for column, stack in enumerate(stacks):
            axis = axes[line][column]
            chosen = [m.row for m in rows if m.row["settings"]["sweep"] == sweep and m.row["stack"] == stack]
            for name in dict.fromkeys(row["implementation"] for row in chosen):
                points = sorted(
                    (row["settings"][setting], row["train_ms"]) for row in chosen if row["implementation"] == name
                )
                axis.plot(*zip(*points, strict=True), color=COLOURS.get(name, OTHER_COLOUR), marker="o", label=name)
            axis.set(xscale="log", yscale="log", xlabel=setting.replace("_", " "), title=stack)
        axes[line][0].set_ylabel("training step, ms")
    handles, labels = axes[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="lower center", ncols=5, frameon=False)
    figure.tight_layout(rect=(0, 0.05, 1, 1))
    return _save(figure, path)


def _by_device(rows: list[MergedRow]) -> list[tuple[str, list[MergedRow]]]:
    devices = dict.fromkeys(merged.result.machine["device"] for merged in rows)
    return [(device, [m for m in rows if m.result.machine["device"] == device]) for device in devices]


def _save(figure: Any, path: Path) -> Path:
    from matplotlib import pyplot

    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)
    return path
