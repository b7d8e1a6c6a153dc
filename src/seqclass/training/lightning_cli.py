"""The Lightning CLI with what a run here needs: a folder of its own, the layer table, safe checkpoints."""

import logging
import os
import re
import sys
import warnings
from argparse import ArgumentError
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import torch
from jsonargparse import Namespace
from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch import Callback, Trainer
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.cli import ArgsType, LightningArgumentParser, LightningCLI
from lightning.pytorch.loggers import CSVLogger
from lightning.pytorch.plugins import CheckpointIO
from lightning.pytorch.utilities import rank_zero_only
from torch import distributed

from seqclass.classifier import Checkpoint, TextClassifier, read_checkpoint
from seqclass.classifier.checkpoint import SAFETENSORS
from seqclass.data import EncodedDataModule
from seqclass.errors import InputError, Interrupted
from seqclass.models import ChainOptions, StackOptions
from seqclass.training.changed_stack import leave_out_options
from seqclass.training.checkpoint_io import WholeCheckpointIO
from seqclass.training.command_arguments import given_options, prepare_arguments
from seqclass.training.interruption import StopOnSignal, place, resuming_command, signal_behind
from seqclass.training.last_validation import LastValidation
from seqclass.training.layer_table import LayerTable
from seqclass.training.logger_folders import check_unused
from seqclass.training.new_classifier import new_classifier
from seqclass.training.option_errors import explained
from seqclass.training.predictions import PredictionFile
from seqclass.training.progress import EpochProgress
from seqclass.training.resuming import changed_options, check_goes_on
from seqclass.training.run_folder import is_first_process, make_run_folder, remove_empty_folders
from seqclass.training.sequence_classifier import SequenceClassifier
from seqclass.training.what_is_left_out import leave_out_checkpoints, leave_out_validation, why_nothing_was_saved

# Commands that measure or use a trained model.
_NEED_CHECKPOINT = ("validate", "test", "predict")


_BESIDE_THE_POINT = (
    "LightningCLI's args parameter is intended",
    "You have overridden `on_before_batch_transfer` in `LightningModule`",  # meant: any loader is checked
    "The number of training batches .* is smaller than the logging interval",
    "`isinstance\\(treespec, LeafSpec\\)` is deprecated",
)


class SeqclassCLI(LightningCLI):
    """`fit`, `validate`, `test` and `predict` over `new_classifier` and the DataModules.

    Beyond Lightning's own: `--runs_dir` and `--run_name` say where the run's folder is made, `--checkpoint.*` are the
    options of `ModelCheckpoint`, and `--test_after_fit` tests the best checkpoint when training is done.
    """

    run_folder: Path | None = None
    _last_checkpoint: ModelCheckpoint | None = None
    # What `--ckpt_path` names, and the model in it.
    _checkpoint: Checkpoint | None = None
    _trained: TextClassifier | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._given: list[str] = kwargs["args"]
        try:
            super().__init__(*args, **kwargs)
        except InputError:
            if self.run_folder is not None:
                remove_empty_folders(self.run_folder)
            raise
        except (Interrupted, KeyboardInterrupt, SystemExit) as error:
            number = signal_behind(error)
            if number is None or not kwargs["run"]:
                raise
            raise Interrupted(number, self._what_is_left()) from error

    def _what_is_left(self) -> str:
        """Say where an interrupted training stopped, what it saved, and how to go on."""
        trainer = getattr(self, "trainer", None)
        if self.subcommand != "fit" or trainer is None or not trainer.is_global_zero:
            return ""
        saved = None if self._last_checkpoint is None else self._last_checkpoint.format_checkpoint_name({})
        if saved is None or not Path(saved).exists():
            return f"training stopped {place(trainer)}; no checkpoint was saved to go on from"
        command = resuming_command(self._given, os.path.relpath(saved))
        return f"training stopped {place(trainer)}. Its state is saved; go on with\n  {command}"

    def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        parser.add_argument("--runs_dir", type=str, default="runs", help="folder of all runs")
        parser.add_argument("--run_name", type=str | None, default=None, help="default: the name of the stack")
        parser.add_argument("--test_after_fit", type=bool, default=False, help="after fit, test the best checkpoint")
        parser.add_lightning_class_args(ModelCheckpoint, "checkpoint")
        parser.set_defaults(
            {
                "checkpoint.monitor": "val_acc",
                "checkpoint.mode": "max",
                "checkpoint.save_last": True,
                "checkpoint.filename": "epoch={epoch}-val_acc={val_acc:.4f}",
                "checkpoint.auto_insert_metric_name": False,
            }
        )
        # The model's sizes follow from the data, so they come first; a checkpoint's model decides how they are read.
        parser.link_arguments("data", "model.data", apply_on="instantiate")
        parser.link_arguments("data", "model.trained", compute_fn=lambda _: self._trained, apply_on="instantiate")

    def parse_arguments(self, parser: LightningArgumentParser, args: ArgsType) -> None:
        try:
            super().parse_arguments(parser, args)
        except ArgumentError as error:
            command = self._given[0] if self._given else ""
            message = explained(str(error), getattr(self, "_subcommand_parsers", {}).get(command))
            raise InputError(f"{message}\nAll options: seqclass {command or 'COMMAND'} --help_all") from error
        subcommand = self.config.get("subcommand")
        if subcommand is None:
            return
        path = self.config[subcommand].get("ckpt_path")
        if path is None and subcommand in _NEED_CHECKPOINT:
            raise InputError(
                f"seqclass {subcommand} needs --ckpt_path: without a checkpoint the weights would be random numbers"
            )
        if path is not None:
            # Read before Lightning opens it, so that a wrong file is one clear error.
            self._checkpoint = read_checkpoint(path)
            self._trained = TextClassifier.from_checkpoint(self._checkpoint)
            if isinstance(self._trained.options, ChainOptions):
                raise InputError(
                    f"{path} holds an imported chain of layers, which has no recipe for `seqclass {subcommand}`; use "
                    "`seqclass evaluate` to measure it, and `seqclass classify` for predictions"
                )

    def before_instantiate_classes(self) -> None:
        if self.subcommand is None:
            return
        config = self.config[self.subcommand]
        if self.subcommand in _NEED_CHECKPOINT:
            self._leave_to_the_checkpoint(config["model"])
        if self.subcommand == "predict":
            config["return_predictions"] = False  # they go to the file, batch by batch
        leave_out_checkpoints(config)
        if self.subcommand == "fit":
            self._check_goes_on(config)
            _say(leave_out_options(config["model"], given_options(self._given, "model")))
            _say(leave_out_validation(config))
        if config["trainer"].get("fast_dev_run"):
            return
        if is_first_process():
            # It makes the folder and writes into it; Lightning tells the others what they need.
            self.run_folder = make_run_folder(config["runs_dir"], config["run_name"] or config["model"]["stack"])

    def _leave_to_the_checkpoint(self, model: Namespace) -> None:
        """Take from the config what the checkpoint decides alone; report what differs."""
        options = {field.name: model[field.name] for field in fields(StackOptions)}
        assert self._trained is not None  # these commands have a checkpoint
        given = {name: value for name, value in options.items() if value is not None}
        _report_overridden(changed_options(self._trained.options.values(), given))
        for name in options:
            model[name] = None
        model["stack"] = self._trained.options.stack
        model["word_vectors"] = model["class_weights"] = model["teacher"] = None

    def _check_goes_on(self, config: Namespace) -> None:
        """Look at the state of the training before a folder is made for it."""
        if self._checkpoint is None:
            return
        path, trainer = self._checkpoint.source, config["trainer"]
        content = {} if path.endswith(SAFETENSORS) else torch.load(path, map_location="cpu", weights_only=True)
        check_goes_on(content, path, max_epochs=trainer["max_epochs"], max_steps=trainer["max_steps"])

    def _place_checkpoints(self, best: ModelCheckpoint) -> None:
        """Put checkpoints into the run's folder, unless told where, and the last epoch's among them.

        The config does not say so: it is written into the folder, and would lead the runs that begin with it there.

        Lightning's own `last.ckpt` is of the last epoch among the best, from which resuming would repeat epochs.
        """
        if best.dirpath is None and self.run_folder is not None:
            best.dirpath = os.path.realpath(self.run_folder / "checkpoints")
        if best.save_last:
            best.save_last = None
            # Every process needs it: they meet to save.
            self._last_checkpoint = ModelCheckpoint(best.dirpath, filename="last", enable_version_counter=False)
            if best.monitor is None and best.save_top_k == 1:
                best.save_top_k = 0  # the last epoch's counts as the best, and would be written twice

    def instantiate_classes(self) -> None:
        try:
            super().instantiate_classes()
        except InputError as error:
            if self.subcommand == "predict" and self._lacks_labels(str(error)):
                given = self.config["predict"]
                raise InputError(
                    f"{error}\nWithout labels: seqclass classify {given['ckpt_path']} --input "
                    f"{given['data']['init_args']['train']} --out predictions.csv"
                ) from error
            raise
        except ValueError as error:
            raise _wrapped(error) or InputError(str(error)) from error

    def _lacks_labels(self, message: str) -> bool:
        """Whether own texts could not be read for want of labels."""
        label = (self.config[self.subcommand]["data"].get("init_args") or {}).get("label_column")
        return label is not None and re.search(rf"no (column |entry |){re.escape(repr(label))}", message) is not None

    def after_instantiate_classes(self) -> None:
        # Of a checkpoint, or of the file that `--model.pretrained` names.
        _report_overridden(self.datamodule.overridden_options)
        if self.subcommand in _NEED_CHECKPOINT and self._checkpoint is not None:
            # With the class weights of its training, which its loss was computed with.
            self.model = SequenceClassifier.from_checkpoint(self._checkpoint)
            self.config_init[self.subcommand]["ckpt_path"] = None

    def instantiate_trainer(self, **kwargs: Any) -> Trainer:
        config = self._get(self.config_init, "trainer")
        if self.subcommand is not None and not config["fast_dev_run"]:
            self._place_checkpoints(self._get(self.config_init, "checkpoint"))
        if config["default_root_dir"] is None and self.run_folder is not None:
            kwargs["default_root_dir"] = str(self.run_folder)
        if config["logger"] is None:
            kwargs["logger"] = False if self.run_folder is None else CSVLogger(self.run_folder, name="", version="")
        callbacks: list[Callback] = [LayerTable(), LastValidation()]
        if config["enable_progress_bar"] is not False:
            callbacks.append(EpochProgress())
        if self.subcommand == "predict" and not config["fast_dev_run"]:
            callbacks.append(PredictionFile(None if self.run_folder is None else self.run_folder / "predictions.csv"))
        callbacks.append(StopOnSignal(self._last_checkpoint))
        kwargs["callbacks"] = [*(config["callbacks"] or []), *callbacks]
        kwargs["enable_model_summary"] = False
        kwargs["plugins"] = _with_whole_checkpoints(config["plugins"])
        trainer = super().instantiate_trainer(**kwargs)
        if config["logger"] is not None and is_first_process():
            check_unused(trainer.loggers)  # type: ignore[attr-defined]  # set by its connector
        if self._last_checkpoint is not None:
            # Behind the one that keeps the best, whose state of this epoch it saves.
            trainer.callbacks.append(self._last_checkpoint)  # type: ignore[attr-defined]  # set by its connector
        return trainer

    def after_fit(self) -> None:
        kept = (self.trainer.checkpoint_callback, self._last_checkpoint)
        best = next(filter(None, (getattr(callback, "best_model_path", "") for callback in kept)), "")
        tests = self.config_init["fit"]["test_after_fit"]
        if best and tests:
            self.trainer.test(SequenceClassifier.load_from_checkpoint(best), datamodule=self.datamodule)
        elif not best and (tests or self.trainer.global_step == 0):
            _say(why_nothing_was_saved(self.trainer))
        self._say_where()

    def after_predict(self) -> None:
        self._say_where()

    def _say_where(self) -> None:
        if self.run_folder is not None and self.trainer.is_global_zero:
            print(f"This run's files are in {self.run_folder}")


def _with_whole_checkpoints(plugins: Any) -> list[Any]:
    """Add what saves checkpoints whole or not at all, unless the Trainer's plugins save in a way of their own."""
    given = [] if plugins is None else list(plugins) if isinstance(plugins, list | tuple) else [plugins]
    return given if any(isinstance(plugin, CheckpointIO) for plugin in given) else [*given, WholeCheckpointIO()]


@rank_zero_only
def _say(what: str | None) -> None:
    if what is not None:
        print(what, file=sys.stderr)


def _report_overridden(options: list[str]) -> None:
    _say(f"The file of the model overrides: {', '.join(options)}" if options else None)


def _wrapped(error: BaseException) -> InputError | ModuleNotFoundError | None:
    """Return the error that jsonargparse has wrapped in a page of its own while it tried a class as several types."""
    wrapped: BaseException | None = error
    while wrapped is not None and not isinstance(wrapped, InputError | ModuleNotFoundError):
        wrapped = wrapped.__cause__ or wrapped.__context__
    return wrapped


def run_lightning_cli(arguments: Sequence[str]) -> None:
    """Parse the arguments and run the subcommand they name.

    Raises:
        InputError: a value, a file or the data are not usable.
    """
    # Lightning's advice is for developers, not for users of the command line.
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    ready = list(arguments)
    if not {"-h", "--help"}.intersection(ready):
        ready, added = prepare_arguments(ready)
        _say(added)
    try:
        _new_cli(ready, run=True)
    except MisconfigurationException as error:  # such as a scheduler that looks at a metric that is not logged
        raise InputError(" ".join(str(error).split())) from error
    except BrokenPipeError:
        raise
    except OSError as error:
        raise InputError(f"cannot write {error.filename or 'a file of the run'}: {error.strerror or error}") from error
    if distributed.is_available() and distributed.is_initialized():
        _end_process_group()


def _end_process_group() -> None:
    """End the group of processes before the interpreter, and let its threads free their last tensors before that.

    A thread of the group frees a tensor that Python made only while it holds the interpreter's lock. Without an end the
    thread may ask for the lock after the interpreter is gone, which aborts a process that is done; and PyTorch 2.3
    holds the lock while it waits, forever, for the threads to end. In the barrier nobody holds it.
    """
    distributed.barrier()
    distributed.destroy_process_group()


def build_from_config(path: str | Path, *overrides: str) -> SeqclassCLI:
    """Build what a config describes, and run nothing: `.model`, `.datamodule` and `.trainer` are there to be used.

    Args:
        path: of the config.
        *overrides: as on the command line, such as "--data.train", "reviews.csv".

    Raises:
        InputError: the file is missing, a value in it is not usable, or the data cannot be read.
    """
    return _new_cli(["--config", str(path), *overrides], run=False)


def _new_cli(arguments: list[str], *, run: bool) -> SeqclassCLI:
    with warnings.catch_warnings():
        for message in _BESIDE_THE_POINT:
            warnings.filterwarnings("ignore", message=message)
        return SeqclassCLI(
            new_classifier,
            EncodedDataModule,
            run=run,
            subclass_mode_data=True,
            auto_configure_optimizers=False,
            load_from_checkpoint_support=False,
            # Errors come to us, without a page of usage in front.
            parser_kwargs={"exit_on_error": False},
            trainer_defaults={"num_sanity_val_steps": 0},
            args=arguments,
        )
