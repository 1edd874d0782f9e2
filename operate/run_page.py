"""Writes the page of the last run: how good and how fresh the data is, what was set aside, drift, what it all cost.

It reads the tables of `operations` and the results that dbt left; no payload of any record is on it.
"""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import takewhile
from pathlib import Path

import duckdb
import pygal
from dbt_features.parser import load_manifest
from jinja2 import Environment, FileSystemLoader
from pygal.style import Style

from operate.state import GOOD, variables_of_drift

RESULTS = "build_results.json"
"""What dbt says of its last build, kept apart: dbt writes over its own `run_results.json` when it writes its docs."""
COLOURS = ("var(--mark)", "var(--warm)", "var(--good)", "var(--bad)", "var(--soft)")
STYLE = Style(
    background="transparent",
    plot_background="transparent",
    foreground="var(--ink)",
    foreground_strong="var(--ink)",
    foreground_subtle="var(--line)",
    colors=COLOURS,
    font_family="system-ui, sans-serif",
    label_font_size=11,
    major_label_font_size=11,
    legend_font_size=12,
    no_data_font_size=14,
    stroke_width=2,
    guide_stroke_color="var(--line)",
    major_guide_stroke_color="var(--line)",
    guide_stroke_dasharray="1",
    major_guide_stroke_dasharray="1",
)
DAYS = 120
"""Plots go back so far, or less where there is less."""
SOURCES = """
    with newest as (
        select
            source, table_name, records, score, completeness, validity, uniqueness, consistency, timeliness,
            row_number() over (partition by source, table_name order by quality_date desc) as place
        from operations.data_quality_scores
    ),
    landed as (
        select
            source, table_name, sum(records_landed) as landed, sum(records_accepted) as accepted,
            sum(records_rejected) as rejected, sum(records_duplicate) as duplicate,
            max(landed_at) filter (records_landed > 0) as landed_at
        from operations.landed_records group by source, table_name
    )
    select
        landed.*, freshness.status, freshness.newest_date, newest.score, newest.completeness,
        newest.validity, newest.uniqueness, newest.consistency, newest.timeliness
    from landed
    left join operations.source_freshness as freshness using (source, table_name)
    left join newest on newest.source = landed.source and newest.table_name = landed.table_name and place = 1
    order by landed.source, landed.table_name
"""
SILENT = "select source, table_name from operations.source_freshness where status = 'nothing_landed' order by all"
REASONS = """
    select
        source, table_name, reason, count(*) as records, max(landed_at) as landed_at,
        min_by(source_file, (landed_at, source_file, source_line)) as file,
        min_by(coalesce(cast(source_line as varchar), source_key), (landed_at, source_file, source_line)) as place
    from operations.rejected_records
    group by source, table_name, reason
    order by records desc, source, table_name, reason
"""
DAILY = """
    select
        source, quality_date, sum(records_accepted), sum(records_rejected), sum(records_duplicate),
        sum(score * records) / sum(records)
    from (
        select *, max(quality_date) over () as last_date
        from operations.data_quality_scores semi join operations.source_freshness using (source, table_name)
    ) as scores
    where quality_date > last_date - $days
    group by source, quality_date order by source, quality_date
"""
"""Tables without a limit hold what seldom changes and tells no day: campaigns, profiles."""
DRIFTED = """
    from operations.feature_drift where feature_at = (select max(feature_at) from operations.feature_drift)
    order by psi desc limit 12
"""
DRIFT_BY_WEEK = """
    select feature_at, feature, psi from operations.feature_drift
    where feature in (select feature from top) order by feature_at
"""
COSTS = """
    select schema_name, model, materialized, status, seconds, table_rows, table_bytes, peak_memory_bytes
    from operations.run_costs where run_id = $run order by seconds desc, model
"""
RUNS = """
    select run_id, run_started_at, sum(seconds), max(peak_memory_bytes), count(*) from operations.run_costs
    group by all order by run_started_at desc limit 60
"""
CHANGES = "from operations.schema_drift where is_latest_load order by source, table_name, column_name"


@dataclass(frozen=True)
class Test:
    """A test of the last build that did not pass: its name, `warn`, `fail` or `error`, dbt's words."""

    name: str
    status: str
    words: str


def run_page(artifacts: Path) -> Path:
    """Return where the page lies."""
    return artifacts / "site" / "run.html"


def write_run_page(artifacts: Path, warehouse: Path, failures: Sequence[str] = ()) -> Path:
    """Write `artifacts`/site/run.html from what the warehouse says of itself, and return it.

    `failures` are shown where dbt left no results: it did not come so far.

    Tables of `operations` that a build did not come to are as if they were empty.
    """
    folder = Path(__file__).parent
    templates = Environment(loader=FileSystemLoader(folder), autoescape=True, trim_blocks=True, lstrip_blocks=True)
    templates.filters |= {"number": number, "share": share, "size": size, "day": day}
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        told = everything(connection)
    tests, built = test_results(artifacts)
    if built is None:
        tests = [Test("build", "error", failure) for failure in failures]
    page = run_page(artifacts)
    page.parent.mkdir(parents=True, exist_ok=True)
    words = templates.get_template("run_page.html").render(
        tests=tests, built=built, written_at=datetime.now(UTC), **told
    )
    page.write_text(words)
    return page


def everything(connection: duckdb.DuckDBPyConnection) -> dict:
    """Return what the page shows, by the names that its template uses."""
    there = {name for (name,) in connection.execute(
        "select table_name from information_schema.tables where table_schema = 'operations'"
    ).fetchall()}  # fmt: skip

    def rows(query: str, **given: object) -> list[dict]:
        if not set(re.findall(r"operations\.(\w+)", query)) <= there:
            return []
        found = connection.execute(query, given or None)
        names = [column[0] for column in found.description]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]

    daily = [tuple(row.values()) for row in rows(DAILY, days=DAYS)]
    runs = [tuple(row.values()) for row in rows(RUNS)]
    drifted = rows(DRIFTED)
    top = ", ".join(f"('{row['feature']}')" for row in drifted[:4])
    by_week = rows(f"with top(feature) as (values {top}) {DRIFT_BY_WEEK}") if top else []
    costs = rows(COSTS, run=runs[0][0]) if runs else []
    return {
        "sources": rows(SOURCES),
        "silent": rows(SILENT),
        "reasons": rows(REASONS),
        "changes": rows(CHANGES),
        "plots": source_plots(daily),
        "drifted": drifted,
        **variables_of_drift(),
        "drift_plot": drift_plot(by_week),
        "costs": costs,
        "costs_plot": costs_plot(costs[:12]),
        "runs_plot": runs_plot(runs[::-1]),
        "run": runs[0] if runs else None,
    }


def test_results(artifacts: Path) -> tuple[list[Test], dict | None]:
    """Return the tests and models of the last build that did not pass, and its counts; nothing when it is not known."""
    try:
        told = json.loads((artifacts / RESULTS).read_text())
    except OSError:
        return [], None
    well = (GOOD - {"warn"}) | {"skipped"}
    failed = [result for result in told["results"] if result["status"] not in well]
    nodes = load_manifest(".", manifest_path=artifacts / "manifest.json")["nodes"] if failed else {}
    odd = [
        Test(
            result["unique_id"].split(".")[2],
            result["status"],
            " ".join([*claim(nodes.get(result["unique_id"], {})), *(result["message"] or "").split()]),
        )
        for result in failed
    ]
    kinds = [(result["unique_id"].split(".")[0], result["status"]) for result in told["results"]]
    return sorted(odd, key=lambda test: (test.status == "warn", test.name)), {
        "models": sum(kind == "model" and status == "success" for kind, status in kinds),
        "tests": sum(kind in ("test", "unit_test") and status == "pass" for kind, status in kinds),
        "seconds": told["elapsed_time"],
    }


def claim(node: dict) -> list[str]:
    """Return what the first lines of a test in SQL say that it claims, as words; none when they say nothing."""
    lines = takewhile(lambda line: line.startswith("--"), node.get("raw_code", "").splitlines())
    return [word for line in lines for word in line.removeprefix("--").split()]


def source_plots(daily: Iterable[tuple]) -> list[tuple[str, str, str]]:
    """Return, by source, plots of its records and of their quality a day, as SVG.

    `daily` has source, day, accepted, rejected, duplicate, score (0 to 1), in the order of days.
    """
    by_source: dict[str, dict[date, tuple]] = {}
    for source, at, *numbers in daily:
        by_source.setdefault(source, {})[at] = tuple(numbers)
    if not by_source:
        return []
    first, last = min(map(min, by_source.values())), max(map(max, by_source.values()))
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    found = []
    for source, told in by_source.items():
        volumes = chart(pygal.StackedBar, days, height=180)
        for place, name in enumerate(("accepted", "rejected", "duplicate")):
            volumes.add(name, [int(told[at][place]) if at in told else None for at in days])
        quality = [float(told[at][3]) if at in told else None for at in days]
        lowest = min([0.9, *(score for score in quality if score is not None)])
        scores = chart(pygal.Line, days, height=150, range=(lowest, 1), show_legend=False)
        scores.add("score", quality)
        found.append((source, drawn(volumes), drawn(scores)))
    return found


def drift_plot(by_week: list[dict]) -> str:
    """Return a plot of the drift of some features by week, as SVG."""
    weeks = sorted({row["feature_at"].date() for row in by_week})
    plot = chart(pygal.Line, weeks, height=280, range=(0, 0.5), legend_at_bottom_columns=2)
    for feature in dict.fromkeys(row["feature"] for row in by_week):
        psi = {row["feature_at"].date(): row["psi"] for row in by_week if row["feature"] == feature}
        # What is far beyond every limit would flatten all others.
        plot.add(feature, [min(psi[week], 0.5) if week in psi else None for week in weeks])
    return drawn(plot) if by_week else ""


def costs_plot(costs: list[dict]) -> str:
    """Return a plot of the models that took longest, as SVG."""
    plot = pygal.HorizontalBar(
        **settings(height=300, show_legend=False, show_minor_x_labels=True, show_minor_y_labels=True)
    )
    plot.x_labels = [row["model"] for row in reversed(costs)]
    plot.add("seconds", [round(row["seconds"], 2) for row in reversed(costs)])
    return drawn(plot) if costs else ""


def runs_plot(runs: list[tuple]) -> str:
    """Return a plot of the seconds that each run took, as SVG. `runs` has id, start, seconds, …, oldest first."""
    plot = pygal.Bar(**settings(height=180, show_legend=False))
    plot.x_labels = [f"{run[1]:%m-%d %H:%M}" for run in runs]
    plot.x_labels_major = plot.x_labels[:: max(1, len(runs) // 6)]
    plot.add("seconds", [round(run[2], 1) for run in runs])
    return drawn(plot) if len(runs) > 1 else ""


def settings(**more: object) -> dict:
    """Return how every plot looks: as wide as it may be, with no script and nothing from a network."""
    return {
        "style": STYLE, "js": [], "width": 480, "show_minor_x_labels": False, "show_minor_y_labels": False,
        "y_labels_major_count": 4, "dots_size": 1.5, "margin": 4,
        "legend_at_bottom": True, "legend_at_bottom_columns": 3, "legend_box_size": 10, "truncate_legend": 40,
        "truncate_label": 40, "disable_xml_declaration": True, "classes": ("plot",), **more,
    }  # fmt: skip


def chart(kind: type[pygal.Graph], days: list[date], **more: object) -> pygal.Graph:
    """Return an empty plot over days, some four of them with a label."""
    plot = kind(**settings(**more))
    plot.x_labels = [f"{at:%Y-%m-%d}" for at in days]
    plot.x_labels_major = plot.x_labels[:: max(1, len(days) // 4)]
    return plot


def drawn(plot: pygal.Graph) -> str:
    """Return a plot as SVG, whose values a browser shows by itself when a reader points at them."""
    svg = re.sub(r"<!--.*?-->", "", plot.render(is_unicode=True))
    svg = re.sub(r'<desc class="[xy].*?</desc>', "", svg)
    return re.sub(r'<desc class="value">(.*?)</desc>', r"<title>\1</title>", svg)


def number(value: float | None) -> str:
    """Return a count as people write it; a dash when there is none."""
    return "–" if value is None else f"{value:,.0f}"


def share(value: float | None) -> str:
    """Return a share of 0 to 1 as percent, never rounded up to all; a dash when there is none."""
    return "–" if value is None else f"{int(value * 1000) / 10:.1f} %"


def size(value: int | None) -> str:
    """Return bytes as megabytes; a dash when there are none."""
    return "–" if value is None else f"{value / 1e6:,.1f} MB"


def day(value: datetime | date | None) -> str:
    """Return a moment or a day; a dash when there is none."""
    if value is None:
        return "–"
    return f"{value:%Y-%m-%d %H:%M}" if isinstance(value, datetime) else f"{value:%Y-%m-%d}"
