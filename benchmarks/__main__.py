"""The command line of the benchmarks: ``python -m benchmarks QUESTION``, from the repository root."""

from __future__ import annotations

import argparse
from types import ModuleType
from typing import Any

from benchmarks import (
    accuracy,
    data,
    environment,
    epoch,
    frontier,
    gpu,
    options,
    peers,
    report,
    scale,
    serve,
    step,
    target,
    use,
)
from benchmarks.gpu import report as gpu_report

QUESTIONS: dict[str, ModuleType] = {
    "step": step,
    "epoch": epoch,
    "accuracy": accuracy,
    "target": target,
    "frontier": frontier,
    "scale": scale,
    "serve": serve,
    "use": use,
}


def main(argv: list[str] | None = None) -> None:
    """Answer a question, or make the peers' environment, or write the report."""
    arguments = _parser().parse_args(argv)
    if arguments.command == "peers":
        peers.make(arguments.device)
    elif arguments.command == "report":
        report.write(arguments)
    elif arguments.command == "gpu":
        folder = gpu.run(arguments)
        options.say(f"written to {folder}; python -m benchmarks gpu-report {folder} makes tables of it")
    elif arguments.command == "gpu-report":
        gpu_report.write(arguments)
    else:
        common = options.parse(arguments)
        common.check_keepable()
        load = environment.OtherLoad()
        try:
            result = QUESTIONS[arguments.command].run(arguments, common)
        except data.DataMissingError as error:
            raise SystemExit(f"python -m benchmarks {arguments.command}: {error}") from None
        result.machine["other_cpus"] = load.cpus()
        path = common.keep(result)
        print("\n".join(filter(None, (report.tables([result], name) for name in report.SECTIONS))))
        options.say("not kept: --json FILE keeps a quick result" if path is None else f"written to {path}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure seqclass and its peers.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, question in QUESTIONS.items():
        command = _add_command(commands, name, question)
        options.add_arguments(command)
        question.add_arguments(command)
    command = _add_command(commands, "peers", peers)
    command.add_argument("--device", choices=peers.REQUIREMENTS, default="cpu")
    report.add_arguments(_add_command(commands, "report", report))
    gpu.add_arguments(_add_command(commands, "gpu", gpu))
    gpu_report.add_arguments(_add_command(commands, "gpu-report", gpu_report))
    return parser


def _add_command(commands: Any, name: str, module: ModuleType) -> argparse.ArgumentParser:
    """Add a command that the first line of its module explains."""
    line = (module.__doc__ or "").splitlines()[0].partition(": ")[2].replace("`", "")
    # argparse formats the one with %, but not the other.
    return commands.add_parser(name, help=line.replace("%", "%%"), description=line)


if __name__ == "__main__":
    main()
