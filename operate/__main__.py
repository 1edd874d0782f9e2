"""`python -m operate COMMAND`: what runs the pipeline."""

import argparse
import sys
from dataclasses import dataclass
from importlib import import_module


@dataclass(frozen=True)
class Command:
    """What a command does, the module it is in, its function there, and the one that adds its arguments to a parser."""

    help: str
    module: str
    do: str
    arguments: str = "add_arguments"


COMMANDS = {
    "run": Command(
        "load what is new, build, test, publish: what a scheduler calls", "run", "run", "add_publish_arguments"
    ),
    "build": Command("dbt build, the docs site and a summary; nothing new, nothing built", "build", "build_as_told"),
    "flow": Command(
        "the same as run, as a Prefect flow: once, or on a schedule", "run", "run_flow", "add_flow_arguments"
    ),
    "publish": Command(
        "build and test what is new, show what changes, publish it", "run", "publish_built", "add_publish_arguments"
    ),
    "report": Command(
        "tell how a run ended that failed before it came to publishing",
        "run",
        "report_failure",
        "add_failure_arguments",
    ),
    "rollback": Command("give readers an earlier copy again", "run", "roll_back", "add_rollback_arguments"),
    "doctor": Command("look the setup over: what is wrong, and what to do about it", "doctor", "doctor"),
    "explain": Command("say what a feature's value was made of, back to file and line", "explain.command", "explain"),
    "query": Command("run a query on the warehouse, read-only, and show the result", "query", "query"),
    "prove": Command("prove on a copy of the warehouse that no feature looks ahead", "prove", "prove"),
    "training-set": Command("keep a version of the training tables, or compare two", "training_set", "training_set"),
    "feast": Command("write the features as a Feast feature repository", "feast", "feast"),
}


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit code: 0 when all went well, 1 when something failed."""
    arguments = sys.argv[1:] if arguments is None else arguments
    parser = argparse.ArgumentParser(prog="python -m operate", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, command in COMMANDS.items():
        subparser = commands.add_parser(name, help=command.help)
        # dbt and dlt take seconds to import: only the command that is called for pays for what it needs.
        if arguments[:1] == [name]:
            module = import_module(f"operate.{command.module}")
            getattr(module, command.arguments)(subparser)
            subparser.set_defaults(do=getattr(module, command.do))
    options = parser.parse_args(arguments)
    return options.do(options)


if __name__ == "__main__":
    sys.exit(main())
