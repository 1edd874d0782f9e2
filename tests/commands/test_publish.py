"""What readers see: what passed, all of it at once, whoever else reads, writes or is killed."""

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pytest

from operate.__main__ import main
from operate.plan import plan
from operate.publish import Refused, one_at_a_time, publication, publish, rollback, taken_back, versions
from tests.conftest import ROOT, Build, run_fork
from tests.proofs.canaries import canaries_in

READER = """
import sys, time
from pathlib import Path
import duckdb
reads, seen, stop = 0, set(), Path(sys.argv[2])
while not stop.exists():
    with duckdb.connect(sys.argv[1], read_only=True) as connection:
        one, = connection.execute("select distinct number from core.one").fetchone()
        time.sleep(0.001)
        rows = connection.execute("select number, count(*) from features.two group by all").fetchall()
        assert rows == [(one, 1000)], (one, rows)
    reads += 1
    seen.add(one)
print(reads, len(seen))
"""
PUBLISHER = """
import os, sys
from pathlib import Path
from operate.publish import publish
for line in sys.stdin:
    child = os.fork()
    if not child:
        publish(Path(line.strip()), Path(sys.argv[1]), kept=3)
        os._exit(0)
    print(child, flush=True)
    os.waitpid(child, 0)
    print("ended", flush=True)
"""
"""Publishes each warehouse that it is told of in a process of its own, whose number it says."""


def fill(warehouse: Path, number: int) -> Path:
    """Make a warehouse whose tables all hold one number, with a view and with what nobody may see."""
    warehouse.unlink(missing_ok=True)
    with duckdb.connect(str(warehouse)) as connection:
        for schema in ("raw_web", "staging", "intermediate", "core", "features", "training", "operations"):
            connection.execute(f"create schema {schema}")
            connection.execute(f"create table {schema}.one as select {number} as number, 'a word' as word")
        connection.execute(f"create table features.two as select {number} as number from range(1000)")
        connection.execute(
            f"create view training.both as select one.* from {warehouse.stem}.core.one "
            f'join "{warehouse.stem}"."features"."two" as two using (number)'
        )
    return warehouse


def number_in(published: Path) -> int:
    with duckdb.connect(str(published), read_only=True) as connection:
        return connection.execute("select number from core.one").fetchone()[0]


def digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


@pytest.fixture
def published(tmp_path: Path) -> Path:
    return tmp_path / "out" / "published.duckdb"


def test_a_copy_holds_the_marts_and_nothing_else(tmp_path: Path, published: Path) -> None:
    words = {"core.one": "It's one.", "core.one.number": "A number.", "training.both": "Both.", "core.gone.x": "No."}
    words |= {"features.two": "Two."}
    made = publish(fill(tmp_path / "warehouse.duckdb", 7), published, words, built_from="this state")
    with duckdb.connect(str(published), read_only=True) as connection:
        schemas = connection.execute("select distinct schema_name from duckdb_tables() order by 1").fetchall()
        assert schemas == [("core",), ("features",), ("operations",)]
        assert connection.execute("select count(*) from training.both").fetchone() == (1000,)
        told = connection.execute("select version, built_from from operations.publication").fetchall()
        assert told == [(made.name, "this state")]
        comments = connection.execute(
            "select comment from duckdb_tables() where comment is not null union all "
            "select comment from duckdb_views() where comment is not null union all "
            "select comment from duckdb_columns() where comment is not null"
        ).fetchall()
        assert sorted(comments) == [("A number.",), ("Both.",), ("It's one.",), ("Two.",)]
    with duckdb.connect() as connection:
        connection.execute(f"attach '{published}' as another_name (read_only)")
        assert connection.execute("select count(*) from another_name.training.both").fetchone() == (1000,)
    assert published.stat().st_mode & 0o222 == 0


def test_the_last_few_are_kept_and_can_be_had_back(tmp_path: Path, published: Path) -> None:
    for number in range(5):
        publish(fill(tmp_path / "warehouse.duckdb", number), published, kept=3)
    assert len(versions(published)) == 3
    assert [version.is_current for version in versions(published)] == [True, False, False]
    rollback(published)
    assert number_in(published) == 3
    rollback(published)
    assert number_in(published) == 2
    with pytest.raises(Refused, match="no earlier copy"):
        rollback(published)
    newest = versions(published)[0].name
    rollback(published, newest)
    assert number_in(published) == 4
    with pytest.raises(Refused, match=f"there are: {newest}"):
        rollback(published, "20000101T000000.000000Z")
    # What readers see is never the one that is cleared away.
    rollback(published, versions(published)[-1].name)
    publish(fill(tmp_path / "warehouse.duckdb", 9), published, kept=1)
    assert [version.is_current for version in versions(published)] == [True]
    assert number_in(published) == 9
    assert [file.suffix for file in published.with_suffix(".versions").iterdir()] == [".duckdb"]


def test_what_was_taken_back_is_not_what_one_goes_back_to(tmp_path: Path, published: Path) -> None:
    for number in (1, 2):
        publish(fill(tmp_path / "warehouse.duckdb", number), published, built_from=str(number))
    assert taken_back(published, "2") == []
    rollback(published)
    assert len(taken_back(published, "2")) == 1
    publish(fill(tmp_path / "warehouse.duckdb", 3), published, built_from="3")
    rollback(published)
    assert number_in(published) == 1
    assert taken_back(published, "1") == []


def no_links(*paths: object) -> None:
    raise OSError("no links on this disk")


@pytest.mark.parametrize("link", [os.link, no_links], ids=["links", "no links"])
def test_a_publication_that_was_killed_is_none_that_was_taken_back(
    tmp_path: Path, published: Path, monkeypatch, link
) -> None:
    monkeypatch.setattr(os, "link", link)
    publish(fill(tmp_path / "warehouse.duckdb", 1), published, built_from="1")

    def killed(*paths: object) -> None:
        raise KeyboardInterrupt

    for moment in ("point", "synced", "copy_marts"):
        with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
            patched.setattr(f"operate.publish.{moment}", killed)
            publish(fill(tmp_path / "warehouse.duckdb", 2), published, built_from="2")
        assert number_in(published) == 1
        assert len(versions(published)) == 1
        assert taken_back(published, "2") == []
    # Killed when readers have it and it has not got its name yet.
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(Path, "rename", killed)
        publish(fill(tmp_path / "warehouse.duckdb", 2), published, built_from="2")
    assert number_in(published) == 2
    rollback(published)
    assert number_in(published) == 1
    assert len(taken_back(published, "2")) == 1


def test_what_somebody_has_written_to_since_is_not_published(tmp_path: Path, published: Path) -> None:
    publish(fill(tmp_path / "warehouse.duckdb", 1), published)
    with pytest.raises(Refused, match="somebody has written to"):
        publish(fill(tmp_path / "warehouse.duckdb", 2), published, still=lambda: False)
    assert number_in(published) == 1


def test_a_copy_that_cannot_be_read_is_replaced_or_taken_back(tmp_path: Path, published: Path) -> None:
    publish(fill(tmp_path / "warehouse.duckdb", 1), published)
    (published.with_suffix(".versions") / "mine.duckdb").write_text("somebody put this here")
    published.unlink()
    published.write_text("no database")
    assert [version.is_current for version in versions(published)] == [False]
    rollback(published)
    assert number_in(published) == 1
    published.unlink()
    published.write_text("no database")
    publish(fill(tmp_path / "warehouse.duckdb", 2), published)
    assert number_in(published) == 2


def test_a_table_whose_model_is_gone_is_not_published_and_a_view_may_read_another(
    tmp_path: Path, published: Path
) -> None:
    warehouse = fill(tmp_path / "warehouse.duckdb", 1)
    with duckdb.connect(str(warehouse)) as connection:
        # By its name the first to be made, and it reads the other.
        connection.execute("create view training.above as from warehouse.training.both")
    words = {name: "words" for name in ("core.one", "features.two", "training.both", "training.above")}
    publish(warehouse, published, words)
    with duckdb.connect(str(published), read_only=True) as connection:
        assert connection.execute("select count(*) from training.above").fetchone() == (1000,)
        names = connection.execute("select schema_name || '.' || table_name from duckdb_tables() order by 1").fetchall()
    assert names == [("core.one",), ("features.two",), ("operations.publication",)]


def test_a_view_of_what_readers_do_not_get_is_published_with_its_rows(tmp_path: Path, published: Path) -> None:
    warehouse = fill(tmp_path / "warehouse.duckdb", 7)
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("create view intermediate.beneath as from warehouse.intermediate.one")
        connection.execute("create view features.above as select b.number from warehouse.intermediate.beneath as b")
        connection.execute("create view core.further as from warehouse.features.above")
    publish(warehouse, published)
    warehouse.unlink()
    with duckdb.connect(str(published), read_only=True) as connection:
        assert connection.execute("from core.further").fetchall() == [(7,)]
        names = connection.execute("select schema_name || '.' || table_name from duckdb_tables() order by 1").fetchall()
        assert ("features.above",) in names
        assert ("core.further",) not in names


def test_any_path_and_any_name_will_do(tmp_path: Path) -> None:
    folder = tmp_path / "o'brien"
    folder.mkdir()
    for name in ("temp.duckdb", "memory.duckdb", "shop.prod.duckdb"):
        warehouse = fill(folder / "warehouse.duckdb", 1).rename(folder / name)
        with duckdb.connect(str(warehouse)) as connection:
            (catalog,) = connection.execute("select current_database()").fetchone()
            connection.execute(
                f"create or replace view training.both as from {catalog}.core.one, {catalog}.features.two"
            )
        publish(warehouse, folder / "published.duckdb")
        with duckdb.connect(str(folder / "published.duckdb"), read_only=True) as connection:
            assert connection.execute("select count(*) from training.both").fetchone() == (1000,)
        (folder / "manifest.json").write_text('{"nodes": {}}')
        assert plan(warehouse, folder / "published.duckdb", folder).beyond(0.0) == {}


def test_nothing_to_publish_leaves_what_is_there(tmp_path: Path, published: Path) -> None:
    publish(fill(tmp_path / "warehouse.duckdb", 1), published)
    before = digest(published)
    empty = tmp_path / "empty.duckdb"
    duckdb.connect(str(empty)).close()
    (tmp_path / "broken.duckdb").write_text("no database")
    for warehouse, reason in ((empty, "nothing to publish"), (tmp_path / "broken.duckdb", "cannot be read")):
        with pytest.raises(Refused, match=reason):
            publish(warehouse, published)
    with one_at_a_time(published), pytest.raises(Refused, match="somebody else"):
        publish(tmp_path / "warehouse.duckdb", published)
    assert digest(published) == before
    assert len(versions(published)) == 1


def test_where_there_are_no_links_it_is_copied(tmp_path: Path, published: Path, monkeypatch) -> None:
    monkeypatch.setattr(os, "link", no_links)
    for number in range(3):
        publish(fill(tmp_path / "warehouse.duckdb", number), published, kept=2)
    assert number_in(published) == 2
    assert [version.is_current for version in versions(published)] == [True, False]
    rollback(published)
    assert number_in(published) == 1


def test_readers_never_notice(tmp_path: Path, published: Path) -> None:
    """Four readers, thirty publications, every third killed at some moment: no error, no mixture on either side."""
    publish(fill(tmp_path / "warehouse.duckdb", 0), published)
    stop = tmp_path / "stop"
    readers = [
        subprocess.Popen(
            [sys.executable, "-c", READER, published, stop], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        for _ in range(4)
    ]
    publisher = subprocess.Popen(
        [sys.executable, "-c", PUBLISHER, published], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    dice, killed = random.Random(7), 0
    try:
        for number in range(1, 31):
            warehouse = fill(tmp_path / f"warehouse_{number}.duckdb", number)
            if number % 3 == 0:
                print(warehouse, file=publisher.stdin, flush=True)
                victim = int(publisher.stdout.readline())
                time.sleep(dice.uniform(0, 0.9))
                os.kill(victim, signal.SIGKILL)
                assert publisher.stdout.readline() == "ended\n"
                killed += number_in(published) != number
            else:
                publish(warehouse, published, kept=3)
                assert number_in(published) == number
            warehouse.unlink()
    finally:
        stop.touch()
        publisher.communicate()
        said = [reader.communicate(timeout=60) for reader in readers]
    assert [errors.decode() for _, errors in said] == [""] * 4
    reads = [int(out.split()[0]) for out, _ in said]
    most = max(int(out.split()[1]) for out, _ in said)
    print(f"{sum(reads):,} reads of up to {most} copies, {killed} of 10 killed before they were done")
    assert min(reads) > 20
    assert killed > 1
    publish(fill(tmp_path / "warehouse.duckdb", 31), published, kept=3)
    assert not list(published.parent.rglob("*.part*"))


def operate(build: Build, *arguments: str, left_out: str = "unit_test") -> subprocess.CompletedProcess[str]:
    environment = build.environment | {"PUBLISHED": str(build.folder / "published.duckdb"), "COLUMNS": "120"}
    environment |= {"DBT_EXCLUDE_RESOURCE_TYPES": left_out}
    return run_fork("-m", "operate", *arguments, environment=environment)


def test_what_passed_is_published_and_what_failed_is_not(built: Build) -> None:
    published = built.folder / "published.duckdb"
    unasked = operate(built, "publish")
    assert unasked.returncode == 1
    assert "What landed" in unasked.stdout, unasked.stdout + unasked.stderr
    assert "models built" in unasked.stdout
    assert "features in 5 tables" in (built.folder / "target" / "site" / "index.html").read_text()
    assert "nobody said yes" in unasked.stderr
    assert not published.exists()
    modified = built.warehouse.stat().st_mtime_ns

    done = operate(built, "publish", "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Nothing has changed since the last build" in done.stdout
    assert built.warehouse.stat().st_mtime_ns == modified
    assert "a new table" in done.stdout
    report = json.loads((built.folder / "target" / "report.json").read_text())
    assert (report["outcome"], report["version"], report["failures"]) == (
        "published",
        publication(published)["version"],
        [],
    )
    with duckdb.connect(str(built.warehouse), read_only=True) as connection:
        models, seconds, memory, size = connection.execute(
            "select count(*), min(seconds), min(peak_memory_bytes), sum(table_bytes) from operations.run_costs "
            "where run_started_at = (select max(run_started_at) from operations.run_costs)"
        ).fetchone()
    assert models > 140
    assert seconds > 0
    assert memory > 50e6
    assert size > 5e6
    with duckdb.connect(str(published), read_only=True) as connection:
        names = connection.execute("select schema_name || '.' || table_name from duckdb_tables()").fetchall()
        for (table,) in names:
            assert canaries_in(connection, table) == [], table
        silent = connection.execute(
            "select schema_name || '.' || table_name || '.' || column_name from duckdb_columns() "
            "where comment is null and not internal and table_name <> 'publication'"
        ).fetchall()
        assert silent == []
        before = connection.execute("select count(*) from core.fct_orders").fetchone()[0]
    assert "Readers have this already" in operate(built, "publish", "--yes").stdout

    # What was taken back does not return by itself with the next run.
    publish(built.warehouse, published, built_from="a state of before")
    with_again = operate(built, "publish", "--yes", "--again")
    assert with_again.returncode == 0, with_again.stdout + with_again.stderr
    assert "a state of before" in operate(built, "rollback").stdout + str(publication(published))
    assert "taken back" in operate(built, "publish", "--yes").stdout
    assert publication(published)["built_from"] == "a state of before"

    kept = digest(published)
    with duckdb.connect(str(built.warehouse)) as connection:
        connection.execute("update operations.landed_records set records_landed = records_landed + 1")
    built.warehouse.with_suffix(".built.json").unlink()
    failed = operate(built, "publish", "--yes", left_out="unit_test model seed snapshot")
    assert failed.returncode == 1
    assert "the build failed" in failed.stderr
    assert "every_record_is_accounted_for" in failed.stdout
    report = json.loads((built.folder / "target" / "report.json").read_text())
    assert report["outcome"] == "failed"
    assert "every_record_is_accounted_for" in [failure["what"] for failure in report["failures"]]
    page = (built.folder / "target" / "site" / "run.html").read_text()
    assert "What did not pass" in page and "every_record_is_accounted_for" in page
    assert digest(published) == kept
    assert before > 100
    stamp = json.loads(built.warehouse.with_suffix(".built.json").read_text())
    assert "data" not in stamp, "the next build would take this one for done"


def test_a_feature_that_drifted_is_seen(company: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("operate.plan.LEAST", 20)
    published = tmp_path / "published.duckdb"
    publish(company.warehouse, published)
    artifacts = company.folder / "target"
    unchanged = plan(company.warehouse, published, artifacts)
    assert all(change.added in (0, None) and change.gone in (0, None) for change in unchanged.changes)
    assert len(unchanged.drift) > 50
    assert unchanged.beyond(0.0) == {}

    # Under the same name, by which its views know their tables.
    other = tmp_path / "other" / company.warehouse.name
    other.parent.mkdir()
    other.write_bytes(company.warehouse.read_bytes())
    with duckdb.connect(str(other)) as connection:
        connection.execute("drop view if exists training.training_candidate_features")
        connection.execute("update features.product_features set price = price * 1.6, category = 'Toys'")
        connection.execute(
            "delete from core.fct_orders where order_id in (select order_id from core.fct_orders limit 3)"
        )
        connection.execute("alter table core.dim_products add column weight double")
        connection.execute("drop table core.fct_sessions")
    made = plan(other, published, artifacts)
    assert set(made.beyond(0.25)) == {"features.product_features.price", "features.product_features.category"}
    changes = {change.table: change for change in made.changes}
    assert (changes["core.fct_orders"].added, changes["core.fct_orders"].gone) == (0, 3)
    assert changes["core.dim_products"].columns == ("+weight DOUBLE",)
    assert changes["core.fct_sessions"].after is None
    assert changes["core.fct_orders"].tests > 3


def test_the_index_is_what_the_formula_says(tmp_path: Path) -> None:
    """Half of the rows move from one value to the other: (0.75 - 0.25) * ln(3) twice, worked out by hand."""
    artifacts = tmp_path / "target"
    artifacts.mkdir()
    (artifacts / "manifest.json").write_text('{"nodes": {}}')

    def warehouse(name: str, share: float) -> Path:
        with duckdb.connect(str(tmp_path / f"{name}.duckdb")) as connection:
            connection.execute("create schema features")
            connection.execute(
                "create table features.f as select timestamp '2026-01-01' as feature_at, "
                f"case when range < {share} * 1000 then 'a' else 'b' end as word, "
                f"case when range < {share} * 1000 then null else 1 end as number from range(1000)"
            )
        return tmp_path / f"{name}.duckdb"

    before, after = warehouse("before", 0.25), warehouse("after", 0.75)
    publish(before, tmp_path / "published.duckdb")
    drift = plan(after, tmp_path / "published.duckdb", artifacts).drift
    assert drift == pytest.approx({"features.f.word": 1.0986123, "features.f.number": 1.0986123})


def test_a_table_that_runs_empty_and_a_newest_day_that_is_wrong_are_seen(tmp_path: Path) -> None:
    artifacts = tmp_path / "target"
    artifacts.mkdir()
    (artifacts / "manifest.json").write_text('{"nodes": {}}')

    def warehouse(name: str, days: int, wrong: bool = False, rows: int = 1000) -> Path:
        with duckdb.connect(str(tmp_path / f"{name}.duckdb")) as connection:
            connection.execute("create schema features")
            connection.execute(
                "create table features.f as select date '2026-01-01' + cast(day as integer) as feature_at, "
                f"row * case when {wrong} and day = {days - 1} then 1000 else 1 end as number, row as number_1d "
                f"from range({days}) as days(day), range(1000) as rows(row) where row < {rows} or day < {days - 1}"
            )
        return tmp_path / f"{name}.duckdb"

    published = tmp_path / "published.duckdb"
    publish(warehouse("before", 7), published)
    assert plan(warehouse("good", 8), published, artifacts).beyond(0.01) == {}
    assert set(plan(warehouse("wrong", 8, wrong=True), published, artifacts).beyond(0.25)) == {"features.f.number"}
    (empty,) = plan(warehouse("empty", 8, rows=3), published, artifacts).beyond(100.0)
    assert empty == "features.f has 3 rows on its last day, 1,000 before"


def test_a_build_that_somebody_keeps_from_the_warehouse_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def kept_out() -> int:
        raise duckdb.IOException("Could not set lock on file")

    monkeypatch.setattr("operate.run.build", kept_out)
    monkeypatch.setenv("WAREHOUSE", str(tmp_path / "warehouse.duckdb"))
    monkeypatch.setenv("DBT_TARGET_PATH", str(tmp_path))
    assert main(["publish", "--yes"]) == 1
    assert "Could not set lock" in capsys.readouterr().err
    assert json.loads((tmp_path / "report.json").read_text())["outcome"] == "failed"


def test_a_run_that_cannot_load_publishes_nothing(built: Build, tmp_path: Path) -> None:
    environment = built.environment | {
        "PUBLISHED": str(tmp_path / "published.duckdb"), "SOURCES__WEB__URL": str(tmp_path / "nowhere"),
    }  # fmt: skip
    clean = {name: value for name, value in os.environ.items() if not name.startswith("SOURCES__")}
    done = subprocess.run(
        [sys.executable, "-m", "operate", "run", "--yes"],
        cwd=ROOT,
        env=clean | environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1, done.stdout
    assert "a source failed to load" in done.stderr
    assert not (tmp_path / "published.duckdb").exists()
