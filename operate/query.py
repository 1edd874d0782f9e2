"""Shows what a query on the warehouse gives."""

import argparse
import sys

import duckdb

from operate.paths import warehouse_path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments to a parser."""
    parser.add_argument("sql", help="asked of the warehouse itself (WAREHOUSE), which a build keeps closed meanwhile")


def query(options: argparse.Namespace) -> int:
    """Run a query on the warehouse, read-only, and print what it gives; return 0, or 1 with the reason."""
    try:
        with duckdb.connect(str(warehouse_path()), read_only=True) as connection:
            result = connection.sql(options.sql)
            if result is not None:
                result.show(max_width=160)
    except duckdb.Error as error:
        print(error, file=sys.stderr)
        return 1
    return 0
