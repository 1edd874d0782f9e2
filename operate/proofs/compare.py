"""Two states of the feature tables, compared value by value."""

from dataclasses import dataclass, field
from pathlib import Path

import duckdb
from rich.console import Console

SHOWN = 3


@dataclass
class Comparison:
    """What comparing a table gave: rows and values compared, values that differ, the first of them in words."""

    table: str
    rows: int = 0
    values: int = 0
    differing: int = 0
    examples: list[str] = field(default_factory=list)

    def note(self, count: int, examples: list[str]) -> None:
        """Add what differs."""
        self.differing += count
        self.examples += examples[: max(0, SHOWN - len(self.examples))]


def compare(
    before: Path, after: Path, table: str, key: list[str], where: str = "true", open_to: str = "false"
) -> Comparison:
    """Compare a table of two warehouses, row by row and column by column, without tolerance.

    `table` is named with its schema, `key` tells its rows apart, `where` limits them. A row that only one warehouse has
    is a difference, but for those that meet `open_to`: serving asks for rows of the last day that training does not.
    """
    found = Comparison(table)
    with duckdb.connect() as connection:
        connection.execute(f"attach '{before}' as before (read_only)")
        connection.execute(f"attach '{after}' as after (read_only)")
        names = [row[0] for row in connection.execute(f"describe after.{table}").fetchall()]
        keys = ", ".join(f'"{name}"' for name in key)
        for side in ("before", "after"):
            connection.execute(f"create temp view {side}_rows as select * from {side}.{table} where {where}")
        shared = f"from before_rows as b inner join after_rows as a using ({keys})"
        (found.rows,) = connection.execute(f"select count(*) {shared}").fetchone()
        found.values = found.rows * len(names)
        for name in names:
            apart = f'{shared} where a."{name}" is distinct from b."{name}"'
            (count,) = connection.execute(f"select count(*) {apart}").fetchone()
            if count:
                rows = connection.execute(f'select {keys}, b."{name}", a."{name}" {apart} order by all limit {SHOWN}')
                found.note(count, [f"{told(key, row)}: {name} was {row[-2]}, is {row[-1]}" for row in rows.fetchall()])
        for here, there, said in (("before", "after", "is gone"), ("after", "before", "is new")):
            alone = f"from {here}_rows anti join {there}_rows using ({keys}) where not ({open_to})"
            (count,) = connection.execute(f"select count(*) {alone}").fetchone()
            rows = connection.execute(f"select {keys} {alone} order by all limit {SHOWN}").fetchall()
            found.note(count, [f"{told(key, row)} {said}" for row in rows])
    return found


def told(key: list[str], row: tuple) -> str:
    """Return a row's key in words."""
    return ", ".join(f"{name} {value}" for name, value in zip(key, row, strict=False))


def report(console: Console, title: str, comparisons: list[Comparison]) -> bool:
    """Print what was compared and what differs; return whether something was compared and nothing differs."""
    for found in comparisons:
        sign = "[green]✓[/green]" if not found.differing else "[red]✗[/red]"
        console.print(
            f"{sign} {title}: {found.table}: {found.rows:,} rows, {found.values:,} values compared, "
            f"{found.differing:,} differ",
            highlight=False,
            soft_wrap=True,
        )
        for example in found.examples:
            console.print(f"    {example}", highlight=False, soft_wrap=True)
    if not any(found.values for found in comparisons):
        console.print(f"[red]✗[/red] {title}: nothing could be compared, so nothing is proved", highlight=False)
        return False
    return not any(found.differing for found in comparisons)
