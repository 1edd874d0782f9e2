"""Writes the docs site: a folder that opens from disk, with no server and no network.

`index.html` leads to the page of the last run, to dbt's own page (lineage, descriptions, SQL), to the lineage of
columns (dbt-colibri) and to the feature catalog (dbt-features), which reads what feature models say under `meta`.
"""

import contextlib
import io
import logging
import re
import shutil
from datetime import UTC, datetime
from pathlib import Path

import duckdb
from dbt_colibri.lineage_extractor.extractor import DbtColumnLineageExtractor
from dbt_colibri.report.generator import DbtColibriReportGenerator
from dbt_features.catalog import Catalog
from dbt_features.enrichment.models import ColumnStats, FreshnessSnapshot
from dbt_features.renderer import render_catalog

from operate.catalog import feature_catalog
from operate.run_page import write_run_page

SEARCH = "fetch(window.SEARCH_INDEX_URL)"
"""How the catalog's search reads its index, which a browser refuses for a page that is opened from disk."""
INDEX = Path(__file__).with_name("site.html")


def write_site(artifacts: Path, warehouse: Path) -> Path:
    """Write the site into `artifacts`/site from the artifacts of `dbt docs generate --static`; return its first page.

    Figures of the feature catalog (rows, nulls, distinct values) come from the warehouse. Raises `FileNotFoundError`
    when there are no artifacts.
    """
    site = artifacts / "site"
    shutil.rmtree(site, ignore_errors=True)
    site.mkdir(parents=True)
    (site / "dbt.html").write_text(without_errors((artifacts / "static_index.html").read_text()))
    write_column_lineage(artifacts, site)
    write_run_page(artifacts, warehouse)
    catalog = feature_catalog(artifacts)
    render_catalog(catalog, site / "features", enrichment=figures(catalog, warehouse))
    search_from_disk(site / "features" / "static")
    features = sum(len(group.features) for group in catalog.feature_groups)
    page = INDEX.read_text().replace("{features}", str(features)).replace("{groups}", str(len(catalog.feature_groups)))
    (site / "index.html").write_text(page)
    return site / "index.html"


def without_errors(page: str) -> str:
    """Return dbt's page without what browsers complain of: a missing icon, links read before they are set."""
    page = re.sub(r"<link[^>]*require\([^>]*>", "", page, count=1)
    return page.replace('<use xlink:href="{{', '<use ng-attr-xlink:href="{{')


def write_column_lineage(artifacts: Path, site: Path) -> None:
    """Write `columns.html` and `columns.json`: from each column to those it is made of, back to raw."""
    logging.getLogger("colibri").setLevel(logging.WARNING)
    made = site / "columns"
    with contextlib.redirect_stdout(io.StringIO()):
        lineage = DbtColumnLineageExtractor(str(artifacts / "manifest.json"), str(artifacts / "catalog.json"))
        # Light: the SQL is on dbt's page already.
        report = DbtColibriReportGenerator(lineage, light_mode=True, disable_telemetry=True)
        report.generate_report(output_dir=str(made))
    (made / "index.html").replace(site / "columns.html")
    (made / "colibri-manifest.json").replace(site / "columns.json")
    made.rmdir()


def figures(catalog: Catalog, warehouse: Path) -> dict[str, FreshnessSnapshot]:
    """Return, by model, the rows of each feature table, its last moment, and each feature's nulls and distinct values.

    Distinct values are DuckDB's estimate, within some percent.
    """
    found = {}
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        for group in catalog.feature_groups:
            names = [feature.name for feature in group.features]
            parts = [f"count(*) - count({name}), approx_count_distinct({name})" for name in names]
            table = f"{group.schema_name}.{group.name}"
            rows, last, *numbers = connection.execute(
                f"select count(*), max({group.timestamp_column}), {', '.join(parts)} from {table}"
            ).fetchone()
            stats = {name: ColumnStats(*numbers[2 * place : 2 * place + 2]) for place, name in enumerate(names)}
            found[group.unique_id] = FreshnessSnapshot(
                queried_at=datetime.now(UTC),
                max_timestamp=last and last.replace(tzinfo=UTC),
                row_count=rows,
                columns=stats,
            )
    return found


def search_from_disk(static: Path) -> None:
    """Put the index of the catalog's search into its script.

    Raises `RuntimeError` when another version of dbt-features reads its index in another way.
    """
    script = (static / "search.js").read_text()
    if SEARCH not in script:
        raise RuntimeError("dbt-features reads its search index in another way now: operate/site.py has to follow")
    index = (static / "search-index.json").read_text()
    answer = f"Promise.resolve({{ json: function () {{ return {index}; }} }})"
    (static / "search.js").write_text(script.replace(SEARCH, answer))
