"""What a person wants to see when a build has ended: what landed, what was set aside, what there is to look at."""

from dataclasses import asdict, dataclass, field
from pathlib import Path

import duckdb
from rich.console import Console
from rich.panel import Panel
from rich.table import Table

LANDED_BY_SOURCE = """
    select
        source,
        sum(records_landed) as landed,
        sum(records_accepted) as accepted,
        sum(records_rejected) as rejected,
        sum(records_duplicate) as duplicate
    from operations.landed_records
    group by source
    order by source
"""
REASONS = """
    select source, reason, count(*) as records
    from operations.rejected_records
    group by source, reason
    order by records desc, source, reason
    limit 5
"""
TABLES = {
    "core.fct_events": "events of web and app",
    "core.fct_sessions": "sessions",
    "core.fct_orders": "orders, three sales channels in one",
    "core.fct_order_lines": "order lines, in one currency",
    "core.fct_campaign_responses": "campaign responses",
    "core.dim_customers": "customers",
    "core.dim_products": "products",
    "core.dim_campaigns": "campaigns",
    "features.customer_features": "rows: a customer at the beginning of a day",
    "features.product_features": "rows: a product at the beginning of a day",
    "features.customer_product_features": "rows: a customer and a product they had to do with",
    "features.customer_category_features": "rows: a customer and a category they had to do with",
    "features.product_pairs": "rows: two products that go together",
    "training.training_examples": "rows: a visit and a product to rank or not",
    "training.training_candidates": "rows: a visit and a product proposed for it",
}


@dataclass
class BuildResult:
    """What one dbt build came to: counts of what passed, seconds, a line for each that failed, each test that warns."""

    models: int = 0
    seeds: int = 0
    data_tests: int = 0
    unit_tests: int = 0
    build_seconds: float = 0.0
    docs_seconds: float = 0.0
    failures: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def as_dict(self) -> dict:
        """Return the fields as JSON can hold them."""
        return asdict(self)


def print_summary(console: Console, warehouse: Path, docs_page: Path, result: BuildResult, is_new: bool) -> None:
    """Print the summary of the warehouse and of its last build to `console`."""
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        console.print(landed_table(connection))
        for source, reason, records in connection.execute(REASONS).fetchall():
            console.print(f"  [dim]set aside:[/dim] {records:>7,} {source}: {reason}", highlight=False)
        console.print()
        console.print(published_table(connection))
        console.print()
    built = (
        f"[bold]{result.models}[/bold] models built, [bold]{result.data_tests}[/bold] data tests and "
        f"[bold]{result.unit_tests}[/bold] unit tests passed in {result.build_seconds:.0f} s, "
        f"docs in {result.docs_seconds:.0f} s"
    )
    if not is_new:
        built = f"Nothing has changed since the last build, which stands: {built}"
    names = ", ".join(result.warnings)
    warned = f"[yellow]{len(result.warnings)} warn[/yellow]: {names}; see {docs_page.with_name('run.html')}"
    lines = [
        built,
        *([warned] if result.warnings else []),
        "",
        f"Look around           open [bold]{docs_page}[/bold] in a browser",
        'Query the marts       [bold].venv/bin/python -m operate query "from core.fct_orders limit 5"[/bold]',
        "Build again           [bold].venv/bin/dbt build[/bold]",
    ]
    console.print(Panel("\n".join(lines), title="Built", title_align="left", border_style="green", expand=False))


def landed_table(connection: duckdb.DuckDBPyConnection) -> Table:
    """Return a table of what landed and what became of it, a row a source and a total."""
    table = Table(title="What landed", title_justify="left", title_style="bold", box=None, pad_edge=False)
    table.add_column("source")
    for name in ("landed", "accepted", "rejected", "duplicate"):
        table.add_column(name, justify="right")
    rows = connection.execute(LANDED_BY_SOURCE).fetchall()
    for source, *numbers in rows:
        table.add_row(source, *(f"{number:,}" for number in numbers))
    table.add_section()
    table.add_row("all", *(f"{sum(row[i] for row in rows):,}" for i in range(1, 5)), style="bold")
    return table


def published_table(connection: duckdb.DuckDBPyConnection) -> Table:
    """Return a table of the published tables and their rows."""
    table = Table(title="What there is", title_justify="left", title_style="bold", box=None, pad_edge=False)
    table.add_column("table")
    table.add_column("rows", justify="right")
    table.add_column("")
    for name, meaning in TABLES.items():
        table.add_row(
            name, f"{connection.execute(f'select count(*) from {name}').fetchone()[0]:,}", f"[dim]{meaning}[/dim]"
        )
    return table
