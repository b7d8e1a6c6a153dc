"""A search: its folder, its trials, and its best config."""

import csv
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import optuna
import yaml
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import TrialState

from seqclass.errors import InputError, Interrupted
from seqclass.files import written_whole
from seqclass.training.run_folder import make_run_folder
from seqclass.tuning.space import space_of
from seqclass.tuning.trial import resolved_config, run_trial

_FILE = "search.yaml"
_HOPELESS = 3
"""So many failures at the beginning, all for one reason, are not the values' fault."""


@dataclass(frozen=True)
class Search:
    """Trials of one recipe, kept in a folder that it can go on from.

        search.yaml   what is searched
        base.yaml     the recipe, as it was
        journal.log   Optuna's record of the trials
        trials/       what each printed, its figures and its config; the checkpoints of the best
        trials.csv    a row for each: state, metric, values, seconds, why it failed
        best.yaml     the config of the best, for `fit`

    Attributes:
        folder: where all that lies.
        arguments: of `fit`, besides the config.
        space: the content of the space's file.
        monitor: the metric that is looked at.
        mode: whether its "min" or its "max" is the best.
        seed: of the choice of values.
    """

    folder: Path
    arguments: tuple[str, ...]
    space: dict[str, Any]
    monitor: str
    mode: str
    seed: int

    @classmethod
    def begin(
        cls,
        config: str | Path,
        space: dict[str, Any],
        arguments: Sequence[str],
        *,
        runs_dir: str | Path,
        monitor: str,
        mode: str,
        seed: int,
    ) -> "Search":
        """Make the folder of a new search.

        Raises:
            InputError: the config does not exist.
        """
        if not Path(config).is_file():
            raise InputError(f"there is no config at {config}")
        folder = make_run_folder(runs_dir, f"{Path(config).stem}-tune")
        search = cls(folder, tuple(arguments), space, monitor, mode, seed)
        shutil.copyfile(config, folder / "base.yaml")
        values = {"arguments": list(arguments), "space": space, "monitor": monitor, "mode": mode, "seed": seed}
        _write_yaml(folder / _FILE, values)
        return search

    @classmethod
    def resume(cls, folder: str | Path) -> "Search":
        """Take up the search in a folder.

        Raises:
            InputError: there is none.
        """
        try:
            values = yaml.safe_load((Path(folder) / _FILE).read_text(encoding="utf-8"))
            return cls(
                Path(folder),
                tuple(map(str, values["arguments"])),
                values["space"],
                str(values["monitor"]),
                str(values["mode"]),
                int(values["seed"]),
            )
        except OSError as error:
            raise InputError(f"there is no search in {folder}: it has no {_FILE}") from error
        except (yaml.YAMLError, KeyError, TypeError, ValueError) as error:
            raise InputError(f"{Path(folder) / _FILE} does not describe a search: {error}") from error

    def run(self, trials: int) -> None:
        """Run trials until there are so many, those of earlier times included.

        Raises:
            InputError: the first ones all fail for the same reason.
            Interrupted: by a signal; the trial that it met will be run again.
        """
        study = self._study()
        self._take_up_interrupted(study)
        while len(done := self._done(study)) < trials:
            reasons = {trial.user_attrs.get("reason") for trial in done}
            if len(done) == _HOPELESS and len(reasons) == 1 and None not in reasons:
                raise InputError(f"the first {_HOPELESS} trials have all failed: {reasons.pop()}")
            try:
                self._run_one(study, f"{len(done) + 1}/{trials}")
            except Interrupted as interrupted:
                way_on = f"seqclass tune --resume {self.folder} --trials {trials}"
                raise Interrupted(
                    interrupted.signal, f"{len(done)} of {trials} trials are done; to go on: {way_on}"
                ) from interrupted
            self._write_results(study)

    def _study(self) -> Any:
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        storage = JournalStorage(JournalFileBackend(str(self.folder / "journal.log")))
        study = optuna.create_study(
            storage=storage,
            study_name="tune",
            direction="minimize" if self.mode == "min" else "maximize",
            load_if_exists=True,
        )
        # Another seed where it goes on: the same would draw what has been tried.
        study.sampler = optuna.samplers.TPESampler(seed=self.seed + len(study.trials))
        return study

    @staticmethod
    def _done(study: Any) -> list[Any]:
        """Return the trials that have come to an end of their own, which alone have a time."""
        ended = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.FAIL))
        return [trial for trial in ended if "seconds" in trial.user_attrs]

    @staticmethod
    def _take_up_interrupted(study: Any) -> None:
        """Queue the values of trials that had no end."""
        for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            study.tell(trial.number, state=TrialState.FAIL)
            study.enqueue_trial(trial.params)

    def _run_one(self, study: Any, count: str) -> None:
        trial = study.ask()
        values = {dimension.option: dimension.draw(trial) for dimension in space_of(self.space, _FILE)}
        overrides = [word for option, value in values.items() for word in (f"--{option}", value)]
        began = time.monotonic()
        arguments = ["--config", str(self.folder / "base.yaml"), *self.arguments, *overrides]
        reason = ""
        try:
            found, run = run_trial(
                arguments, self.folder / "trials", str(trial.number), monitor=self.monitor, mode=self.mode
            )
        except Exception as error:  # whatever it is, it is this trial's end and not the search's
            reason = f"{'' if isinstance(error, InputError) else f'{type(error).__name__}: '}{error}".splitlines()[0]
            trial.set_user_attr("reason", reason)
        trial.set_user_attr("seconds", round(time.monotonic() - began, 1))
        if reason:
            study.tell(trial, state=TrialState.FAIL)
            outcome = f"failed: {reason:.200}"
        else:
            trial.set_user_attr("run", str(run.relative_to(self.folder)))
            study.tell(trial, found)
            best = study.best_trial
            outcome = f"{self.monitor} {found:.4f}" + (
                ", the best" if best.number == trial.number else f" (best {best.value:.4f})"
            )
        shown = ", ".join(f"{option.rpartition('.')[2]} {value}" for option, value in values.items())
        print(f"trial {count}: {outcome}; {shown}; {trial.user_attrs['seconds']:.0f} s", flush=True)

    def _write_results(self, study: Any) -> None:
        options = list(self.space)
        with written_whole(self.folder / "trials.csv") as part, part.open("w", newline="", encoding="utf-8") as file:
            rows = csv.writer(file)
            rows.writerow(["trial", "state", self.monitor, *options, "seconds", "reason"])
            for trial in self._done(study):
                values = [trial.params.get(option, "") for option in options]
                attributes = trial.user_attrs
                state = trial.state.name.lower()
                figure = "" if trial.value is None else trial.value
                rows.writerow(
                    [trial.number, state, figure, *values, attributes["seconds"], attributes.get("reason", "")]
                )
        complete = [trial for trial in self._done(study) if trial.state == TrialState.COMPLETE]
        if complete:
            best = study.best_trial
            self._write_best(best)
            for trial in complete:  # thirty models are many, and only one is wanted
                if trial.number != best.number:
                    shutil.rmtree(self.folder / trial.user_attrs["run"] / "checkpoints", ignore_errors=True)

    def _write_best(self, best: Any) -> None:
        """Write the config of the best trial under a name of its own, to be tested if the recipe says so."""
        config = resolved_config(self.folder / best.user_attrs["run"])
        base = yaml.safe_load((self.folder / "base.yaml").read_text(encoding="utf-8"))
        config["test_after_fit"] = base.get("test_after_fit", False)
        config["run_name"] = f"{self.folder.parent.name.removesuffix('-tune')}-tuned"
        config["runs_dir"] = str(self.folder.parent.parent)
        _write_yaml(self.folder / "best.yaml", config)

    def report(self) -> str:
        """Say which trial was the best, and how to train with its config.

        Raises:
            InputError: all have failed.
        """
        study = self._study()
        failed = sum(trial.state == TrialState.FAIL for trial in self._done(study))
        if failed == len(self._done(study)):
            raise InputError(f"all {failed} trials have failed; trials.csv in {self.folder} has the reasons")
        values = "\n".join(f"  {option}: {value}" for option, value in study.best_trial.params.items())
        lines = [
            f"The best of {len(self._done(study))} trials, {failed} of them failed: trial {study.best_trial.number}, "
            f"{self.monitor} {study.best_value:.4f}",
            values,
            f"seqclass fit --config {self.folder / 'best.yaml'}",
        ]
        return "\n".join(lines)


def _write_yaml(path: Path, values: dict[str, Any]) -> None:
    with written_whole(path) as part:
        part.write_text(yaml.safe_dump(values, sort_keys=False, allow_unicode=True), encoding="utf-8")
