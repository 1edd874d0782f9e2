"""Shows what a query on the warehouse gives."""

import sys

import duckdb

from operate.build import warehouse_path


def query(sql: str) -> int:
    """Run `sql` on the warehouse, opened read-only, and print the result as a table; return 0, or 1 with the reason."""
    try:
        with duckdb.connect(str(warehouse_path()), read_only=True) as connection:
            result = connection.sql(sql)
            if result is not None:
                result.show(max_width=160)
    except duckdb.Error as error:
        print(error, file=sys.stderr)
        return 1
    return 0
