"""The European Central Bank's real rates since 1999, with their holes, late listings and dead currencies."""

import csv
import gzip
import sys
from pathlib import Path

import duckdb
import pytest

from sample.systems.http import Systems, serve
from tests.conftest import ROOT, Build, run_well

REAL = ROOT.parent / "shared" / "data" / "ecb_eurofxref_hist.csv.gz"


@pytest.mark.skipif(not REAL.exists(), reason="the real rates are not part of the project")
def test_every_published_rate_becomes_a_cross_rate_and_no_hole_does(tmp_path: Path) -> None:
    with gzip.open(REAL, "rt") as file:
        table = {row.pop("Date"): row for row in csv.DictReader(file)}
    per_euro = {
        day: {name: float(rate) for name, rate in row.items() if name and rate not in ("N/A", "")}
        for day, row in sorted(table.items())
    }
    build = Build(tmp_path, tmp_path)
    with serve(Systems(rates=per_euro, base="EUR")) as server:
        source = {"SOURCES__FX__URL": server.url, "SOURCES__FX__SINCE": min(table), "SOURCES__FX__UNTIL": max(table)}
        for base in ("EUR", "USD"):  # asked for per another base later on: nothing may count twice
            environment = build.environment | source | {"SOURCES__FX__BASE": base}
            run_well(sys.executable, "-m", "load", environment=environment)
    build.dbt("build", "-s", "+int_conversion_rates__crossed")
    with duckdb.connect(str(build.warehouse), read_only=True) as connection:
        rates = connection.execute(
            """select cast(rate_date as varchar), source_currency, conversion_rate
            from intermediate.int_conversion_rates__crossed"""
        ).fetchall()
    expected = {
        (day, currency): row["USD"] / rate
        for day, row in per_euro.items()
        for currency, rate in ({"EUR": 1.0} | row).items()
        if currency != "USD"
    }
    assert len(expected) > 200_000
    assert {(day, currency) for day, currency, _ in rates} == set(expected)
    assert len(rates) == len(expected)
    assert all(abs(rate / expected[day, currency] - 1) < 1e-3 for day, currency, rate in rates)
