"""`python -m examples.online_retail`: on a few hand-written lines always, on the real month where it is present."""

import gzip
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from examples.online_retail import published_lines, sold_at, write_as_tills_and_feed
from tests.conftest import NO_UNIT_TESTS, ROOT, run_fork

REAL = ROOT.parent / "shared" / "data" / "online_retail"
HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
LINES = [
    "536365,85123A,WHITE HANGING HEART T-LIGHT HOLDER,6,2010-12-01 08:26:00,2.55,17850.0,United Kingdom",
    "536365,85123A,WHITE HANGING HEART T-LIGHT HOLDER,6,2010-12-01 08:26:00,2.55,17850.0,United Kingdom",
    'C536379,D,"Discount, ""special""",-1,2010-12-01 09:41:00,27.50,14527.0,United Kingdom',
    "536414,22139,,56,12/1/2010 11:52,0.0,,United Kingdom",
    "A563185,B,Adjust bad debt,1,2010-12-02 14:50:00,-11062.06,,United Kingdom",
    "536500,22139,LANTERN,two,2010-12-02 15:00:00,1.0,,United Kingdom",
]


def run_example(folder: Path, work: Path) -> tuple[int, str, Path]:
    warehouse = work / "warehouse.duckdb"
    environment = {"DBT_LOG_PATH": str(work / "logs"), "COLUMNS": "120"} | NO_UNIT_TESTS
    command = ("-m", "examples.online_retail", folder, "--warehouse", warehouse)
    done = run_fork(*command, environment=environment)
    return done.returncode, done.stdout + done.stderr, warehouse


def test_every_line_is_accepted_or_set_aside_with_its_reason(tmp_path: Path) -> None:
    folder = tmp_path / "published"
    folder.mkdir()
    (folder / "2010-12-01.csv.gz").write_bytes(gzip.compress((HEADER + "\n".join(LINES[:4]) + "\n").encode("latin-1")))
    (folder / "2010-12-02.csv").write_text(HEADER + "\n".join(LINES[4:]))
    code, output, warehouse = run_example(folder, tmp_path)
    assert code == 0, output
    assert "every line and every penny is accounted for" in output
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        reasons = connection.execute("select reason from operations.rejected_records order by 1").fetchall()
        lines = connection.execute(
            """select order_id, quantity, is_return, net_amount, customer_id
            from core.fct_order_lines order by order_id, line_number"""
        ).fetchall()
    assert reasons == [("quantity is missing or no number",), ("unit_price is negative",)]
    assert lines == [
        ("store-ONLINE-RETAIL-2010-12-01-536365", 6, False, Decimal("15.30"), "card-17850"),
        ("store-ONLINE-RETAIL-2010-12-01-536365", 6, False, Decimal("15.30"), "card-17850"),
        ("store-ONLINE-RETAIL-2010-12-01-536379", -1, True, Decimal("-27.50"), "card-14527"),
        ("store-ONLINE-RETAIL-2010-12-01-536414", 56, False, Decimal("0.00"), None),
    ]


@pytest.mark.skipif(not REAL.is_dir(), reason="the real files are not part of the project; see the README")
def test_the_real_month_reconciles_to_the_penny(tmp_path: Path) -> None:
    code, output, warehouse = run_example(REAL, tmp_path)
    assert code == 0, output
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        landed = connection.execute(
            """select sum(records_landed), sum(records_accepted + records_rejected + records_duplicate)
            from operations.landed_records where source = 'store'"""
        ).fetchone()
        published = connection.execute(
            """select count(*), sum(net_amount), count(distinct order_id), count(distinct customer_id),
            count(distinct product_id) from core.fct_order_lines"""
        ).fetchone()
    assert landed == (42481, 42481)
    assert published == (42481, Decimal("748957.02"), 2025, 948, 2822)


def test_a_folder_without_such_files_is_refused_with_what_to_do(tmp_path: Path) -> None:
    code, output, _ = run_example(tmp_path, tmp_path / "work")
    assert code == 2
    assert "holds no .csv or .csv.gz file" in output
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    code, output, _ = run_example(tmp_path, tmp_path / "work")
    assert code == 2
    assert "has no column" in output


def test_a_feed_lists_only_what_was_sold_before_its_day(tmp_path: Path) -> None:
    lines = [f"{n},P{n},NAME {n},1,2010-12-{day:02} 10:00:00,{n}.0,,UK" for n, day in [(1, 1), (2, 8), (3, 9)]]
    (tmp_path / "all.csv").write_text(HEADER + "\n".join(lines))
    write_as_tills_and_feed(tmp_path, tmp_path / "work")
    feeds = {f.name: f.read_text().count("\n") - 1 for f in sorted((tmp_path / "work" / "catalog").iterdir())}
    assert feeds == {"products_2010-12-08.tsv": 1, "products_2010-12-10.tsv": 3}


def test_both_published_forms_of_a_date_are_read() -> None:
    assert sold_at("12/1/2010 8:26") == sold_at("2010-12-01 08:26:00") == "2010-12-01 08:26:00"
    assert sold_at("yesterday") == "yesterday"


def test_a_short_line_still_counts_as_a_line(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(HEADER + "536365,85123A\n")
    assert len(list(published_lines(tmp_path))) == 1
    assert write_as_tills_and_feed(tmp_path, tmp_path / "work").lines == 1
