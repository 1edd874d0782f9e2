"""`python -m operate COMMAND`: what runs the pipeline."""

import argparse
import sys
from pathlib import Path

from operate import feast, training_set
from operate.build import build
from operate.prove import add_arguments, prove
from operate.query import query


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit code: 0 when all went well, 1 when something failed."""
    parser = argparse.ArgumentParser(prog="python -m operate", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    building = commands.add_parser("build", help="dbt build, the docs site and a summary; nothing new, nothing built")
    building.add_argument("--force", action="store_true", help="build although nothing has changed since the last time")
    building.add_argument("--picture", type=Path, help="keep the summary as SVG in this file")
    querying = commands.add_parser("query", help="run a query on the warehouse, read-only, and show the result")
    querying.add_argument("sql")
    proving = commands.add_parser("prove", help="prove on a copy of the warehouse that no feature looks ahead")
    add_arguments(proving)
    versioning = commands.add_parser("training-set", help="keep a version of the training tables, or compare two")
    training_set.add_arguments(versioning)
    feasting = commands.add_parser("feast", help="write the features as a Feast feature repository")
    feast.add_arguments(feasting)
    options = parser.parse_args(arguments)
    if options.command == "feast":
        return feast.feast(options)
    if options.command == "training-set":
        return training_set.training_set(options)
    if options.command == "prove":
        return prove(options)
    if options.command == "query":
        return query(options.sql)
    return build(force=options.force, picture=options.picture)


if __name__ == "__main__":
    sys.exit(main())
