"""`python -m operate COMMAND`: what runs the pipeline."""

import argparse
import sys
from pathlib import Path

from operate import doctor, feast, prove, run, training_set
from operate.build import build, print_event
from operate.query import query


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit code: 0 when all went well, 1 when something failed."""
    parser = argparse.ArgumentParser(prog="python -m operate", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    command = commands.add_parser("run", help="load what is new, build, test, publish: what a scheduler calls")
    run.add_publish_arguments(command)
    command.set_defaults(do=run.run)

    command = commands.add_parser("build", help="dbt build, the docs site and a summary; nothing new, nothing built")
    command.add_argument("--force", action="store_true", help="build although nothing has changed since the last time")
    command.add_argument("--picture", type=Path, help="keep the summary as SVG in this file")
    command.add_argument(
        "--log-format", choices=["text", "json"], default="text", help="json: dbt's events, a line each, for schedulers"
    )
    command.set_defaults(
        do=lambda options: build(
            force=options.force, picture=options.picture, tell=print_event if options.log_format == "json" else None
        )
    )

    command = commands.add_parser("flow", help="the same as run, as a Prefect flow: once, or on a schedule")
    run.add_flow_arguments(command)
    command.set_defaults(do=run.run_flow)

    command = commands.add_parser("publish", help="build and test what is new, show what changes, publish it")
    run.add_publish_arguments(command)
    command.set_defaults(do=run.publish_built)

    command = commands.add_parser("rollback", help="give readers an earlier copy again")
    run.add_rollback_arguments(command)
    command.set_defaults(do=run.roll_back)

    command = commands.add_parser("doctor", help="look the setup over: what is wrong, and what to do about it")
    doctor.add_arguments(command)
    command.set_defaults(do=doctor.doctor)

    command = commands.add_parser("query", help="run a query on the warehouse, read-only, and show the result")
    command.add_argument("sql")
    command.set_defaults(do=lambda options: query(options.sql))

    command = commands.add_parser("prove", help="prove on a copy of the warehouse that no feature looks ahead")
    prove.add_arguments(command)
    command.set_defaults(do=prove.prove)

    command = commands.add_parser("training-set", help="keep a version of the training tables, or compare two")
    training_set.add_arguments(command)
    command.set_defaults(do=training_set.training_set)

    command = commands.add_parser("feast", help="write the features as a Feast feature repository")
    feast.add_arguments(command)
    command.set_defaults(do=feast.feast)

    options = parser.parse_args(arguments)
    return options.do(options)


if __name__ == "__main__":
    sys.exit(main())
