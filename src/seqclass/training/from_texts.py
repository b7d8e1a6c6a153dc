"""A classifier trained on texts in memory by the default recipe, in silence and without a trace on the disk."""

import io
import logging
import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch import Callback, Trainer
from lightning.pytorch.callbacks import ModelCheckpoint

from seqclass.classifier import TextClassifier
from seqclass.data import TextDataModule
from seqclass.training.checkpoint_io import WholeCheckpointIO
from seqclass.training.default_recipe import Recipe, default_recipe
from seqclass.training.new_classifier import new_classifier


def train_on_texts(
    texts: Sequence[str],
    labels: Sequence[str],
    *,
    seed: int,
    model_options: Mapping[str, Any],
    data_options: Mapping[str, Any],
    trainer_options: Mapping[str, Any],
    verbose: bool = False,
) -> TextClassifier:
    """Train as `configs/text.yaml` does, on all texts but those that it holds out for its own choices.

    PyTorch's generators are left as they were.

    Args:
        texts: all of them.
        labels: of each, of at least two kinds.
        seed: decides the initial values, the order of the texts, dropout and what is held out.
        model_options: of `new_classifier`, in place of the recipe's.
        data_options: likewise, of `TextDataModule`.
        trainer_options: likewise, of the Trainer; callbacks are added to the recipe's.
        verbose: show Lightning's progress bar and its advice.

    Returns:
        The classifier, on the CPU and in evaluation mode.

    Raises:
        InputError: the texts cannot be used, or an option has a wrong value.
    """
    recipe = default_recipe()
    with _quiet(verbose), torch.random.fork_rng(), tempfile.TemporaryDirectory() as folder:
        torch.manual_seed(seed)
        data = TextDataModule(
            train=(list(texts), list(labels)),
            # There has to be a test part. It is never looked at, so it takes no text from the training.
            test=(list(texts[:1]), list(labels[:1])),
            seed=seed,
            cache_dir=folder,
            **{"empty_texts": "keep", **recipe.data, **data_options},
        )
        _prepare(data)
        model = new_classifier(data, **{**recipe.model, **model_options})
        trainer, best = _trainer(recipe, trainer_options, Path(folder), verbose=verbose)
        trainer.fit(model, datamodule=data)
        if best is not None and best.best_model_path:
            return TextClassifier.load(best.best_model_path)
        return model.classifier.cpu().eval()


def _trainer(
    recipe: Recipe, options: Mapping[str, Any], folder: Path, *, verbose: bool
) -> tuple[Trainer, ModelCheckpoint | None]:
    """Make the Trainer, and what keeps the best epoch if the recipe has one chosen."""
    callbacks: list[Callback] = [*recipe.trainer.get("callbacks", ()), *options.get("callbacks", ())]
    best = None
    if recipe.monitor is not None:
        best = ModelCheckpoint(folder, monitor=recipe.monitor, mode=recipe.mode)
        callbacks.append(best)
    silent = {
        "accelerator": "cpu",
        "logger": False,
        "num_sanity_val_steps": 0,
        "enable_checkpointing": best is not None,
        "enable_model_summary": False,
        "enable_progress_bar": verbose,
        "plugins": [WholeCheckpointIO()],
        "default_root_dir": str(folder),
    }
    return Trainer(**{**silent, **recipe.trainer, **options, "callbacks": callbacks}), best


def _prepare(data: TextDataModule) -> None:
    """Encode the texts; what the DataModule prints, which is meant for a command, becomes a warning or nothing."""
    printed = io.StringIO()
    with redirect_stderr(printed):
        data.prepare_data()
    for line in printed.getvalue().splitlines():
        if line.startswith("Warning: "):
            warnings.warn(line.removeprefix("Warning: "), stacklevel=4)


@contextmanager
def _quiet(verbose: bool) -> Iterator[None]:
    """Keep Lightning's advice to itself."""
    if verbose:
        yield
        return
    loggers = [logging.getLogger(name) for name in ("lightning.pytorch", "lightning.fabric")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module="lightning")
            warnings.filterwarnings("ignore", message="`isinstance\\(treespec, LeafSpec\\)` is deprecated")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
