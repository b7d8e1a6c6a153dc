"""`seqclass tune --config FILE --space FILE`."""

import argparse
from collections.abc import Sequence

from seqclass.errors import InputError


def run(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(
        prog="seqclass tune",
        description="Search for the values that make a recipe best on its validation texts. Other options are those of "
        "`fit`, for all trials, such as --data.train reviews.csv.",
        allow_abbrev=False,
        exit_on_error=False,
    )
    parser.add_argument("--config", help="the recipe")
    parser.add_argument("--space", help="YAML file of what is tried, such as configs/spaces/text.yaml")
    parser.add_argument("--trials", type=int, default=30, help="how many, earlier ones of the search included")
    parser.add_argument("--resume", metavar="FOLDER", help="go on with the search in this folder")
    parser.add_argument("--monitor", default="val_loss", help="the metric that is looked at")
    parser.add_argument("--mode", choices=("min", "max"), help="of it, the best; default: max for val_acc, else min")
    parser.add_argument("--runs_dir", default="runs", help="folder of all runs, in which the search gets its own")
    parser.add_argument("--search_seed", type=int, default=7, help="of the choice of values")
    try:
        options, of_fit = parser.parse_known_args(list(arguments))
    except argparse.ArgumentError as error:
        raise InputError(f"{error} (all options: seqclass tune --help)") from error
    if options.trials < 1:
        raise InputError(f"--trials is {options.trials}; allowed are whole numbers from 1 on")
    if (options.resume is None) == (options.config is None):
        raise InputError("seqclass tune needs --config and --space for a new search, or --resume and its folder")
    if options.resume is None and options.space is None:
        raise InputError("a new search needs --space; configs/spaces/text.yaml is one for configs/text.yaml")
    if options.resume is not None and (of_fit or options.space):
        given = "--space" if options.space else of_fit[0]
        raise InputError(f"{given} does not go with --resume: the search goes on as it began")

    from seqclass.tuning.search import Search
    from seqclass.tuning.space import read_space_file

    if options.resume is not None:
        search = Search.resume(options.resume)
    else:
        search = Search.begin(
            options.config,
            read_space_file(options.space),
            of_fit,
            runs_dir=options.runs_dir,
            monitor=options.monitor,
            mode=options.mode or ("max" if options.monitor.endswith("acc") else "min"),
            seed=options.search_seed,
        )
    print(f"The search is in {search.folder}", flush=True)
    search.run(options.trials)
    print(search.report())
