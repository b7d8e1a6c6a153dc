"""Plots of the results, as SVG files beside them. Matplotlib is wanted here and nowhere else."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from statistics import fmean
from typing import Any

from benchmarks import notebook, results
from benchmarks.implementations import RECIPE
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
    "tfidf": "#444444",
    "nbsvm": "#8c6d31",
    "fasttext": "#a05195",
}
RECIPE_COLOURS = ("#1b6ca8", "#12908e", "#3f51b5", "#6fb1de")
OTHER_COLOUR = "#777777"
NAMES = {
    "tfidf": "TF-IDF + logistic regression",
    "nbsvm": "NB-SVM",
    "fasttext": "fastText",
    "keras-tensorflow": "Keras 3 on TensorFlow",
    "keras-jax": "Keras 3 on JAX",
    "torch-naive": "nn.LSTM",
}
FOLDER = results.FOLDER / "plots"
TICKS = {5: "5 s", 10: "10 s", 30: "30 s", 60: "1 min", 180: "3 min", 600: "10 min", 1800: "30 min", 3600: "1 h"}
LINE = 11
"""Points from one label to the next."""


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
    accuracy = [m for m in _with_runs(found, "accuracy") if "data" not in m.row["settings"]]
    swept = [m for m in results.merge(found, "step") if m.row["settings"].get("sweep") and m.row["status"] == "ok"]
    return {
        "frontier": [
            _frontier(rows, folder / f"frontier-{device}.svg")
            for device, rows in _by_device(_with_runs(found, "frontier"))
        ],
        "accuracy": [_accuracy(rows, folder / f"accuracy-{device}.svg") for device, rows in _by_device(accuracy)],
        "sweep": [_sweeps(rows, folder / f"sweep-{device}.svg") for device, rows in _by_device(swept)],
    }


def _with_runs(found: list[Result], question: str) -> list[MergedRow]:
    return [merged for merged in results.merge(found, question) if merged.row["samples"]["runs"]]


def _frontier(rows: list[MergedRow], path: Path) -> Path:
    """Accuracy over seconds: a line through a run's validations, and a mark where it ends; means of the seeds."""
    from matplotlib import pyplot

    figure, axis = pyplot.subplots(figsize=(8, 4.5))
    recipes = iter(RECIPE_COLOURS)
    ends: list[tuple[float, float, str, str]] = []
    for merged in rows:
        name, samples = merged.row["implementation"], merged.row["samples"]
        recipe = name.startswith(RECIPE)
        colour = next(recipes, OTHER_COLOUR) if recipe else COLOURS.get(name, OTHER_COLOUR)
        # Seeds may stop after different numbers of epochs.
        points = [tuple(map(fmean, zip(*point, strict=True))) for point in zip(*samples["curves"], strict=False)]
        axis.plot([x for x, _ in points], [100 * y for _, y in points], color=colour, linewidth=1.2, alpha=0.7)
        seconds, accuracy = (fmean(run[figure] for run in samples["runs"]) for figure in ("seconds", "acc"))
        marker, size = ("o", 7) if recipe else ("s", 5)
        axis.plot([seconds], [100 * accuracy], color=colour, marker=marker, markersize=size)
        label = f"seqclass, {name.removeprefix(RECIPE).split('+')[-1]}" if recipe else NAMES.get(name, name)
        ends.append((100 * accuracy, seconds, label, colour))
    axis.set(xscale="log", xlabel="from a cold start to the predictions for the test reviews")
    axis.set_ylabel("accuracy on the 25,000 test reviews, %")
    low, high = axis.get_xlim()
    axis.set_xlim(low, high * (high / low) ** 0.35)  # room for the labels
    shown = {at: text for at, text in TICKS.items() if low <= at <= high}
    axis.set_xticks(list(shown), list(shown.values()))
    axis.minorticks_off()
    axis.grid(alpha=0.25)
    _label(axis, ends)
    figure.tight_layout()
    return _save(figure, path)


def _label(axis: Any, ends: list[tuple[float, float, str, str]]) -> None:
    """Write a name beside each end, (accuracy, seconds, name, colour), from below, none over another."""
    low, high = axis.get_ylim()
    points = axis.get_window_extent().height * 72 / axis.figure.dpi / (high - low)
    taken = float("-inf")
    for accuracy, seconds, label, colour in sorted(ends):
        taken = max(accuracy, taken + LINE / points)
        annotation = axis.annotate(
            label, (seconds, accuracy), (8, (taken - accuracy) * points), textcoords="offset points", color=colour
        )
        annotation.set(fontsize=9, va="center", fontweight="bold" if label.startswith("seqclass") else "normal")
        annotation.set_bbox({"facecolor": "white", "edgecolor": "none", "alpha": 0.7, "pad": 0.5})


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
