"""The DAG in Airflow's own environment, run for real on a small company: `make test-airflow`."""

import os
import sqlite3
import subprocess
import sys
import venv
from collections.abc import Callable
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import duckdb
import pytest

from operate.publish import publication
from tests.conftest import ROOT, Build, run

HOME = ROOT / "examples" / "airflow"
pytestmark = pytest.mark.airflow


@pytest.fixture(scope="session")
def airflow() -> Path:
    """The folder of Airflow's commands; its environment is made from the lock, and again when the lock has changed."""
    place, lock = HOME / ".venv", HOME / "requirements.lock"
    made_of = place / "made_of"
    if not made_of.exists() or made_of.read_text() != lock.read_text():
        venv.create(place, with_pip=True, clear=True)
        install = ["install", "--quiet", "--disable-pip-version-check", "--require-hashes", "--no-deps"]
        subprocess.run([place / "bin/python", "-m", "pip", *install, "--requirement", lock], check=True)
        made_of.write_text(lock.read_text())
    return place / "bin"


@pytest.fixture
def dag(airflow: Path, standing: Build) -> Callable[[], subprocess.CompletedProcess[str]]:
    """Run the whole DAG once, as `airflow dags test` does, tasks and all; two sources of the company are connected."""
    environment = standing.environment | {
        "PATH": f"{airflow}:{os.environ['PATH']}",
        "AIRFLOW_HOME": str(standing.folder / "airflow"),
        "AIRFLOW__CORE__DAGS_FOLDER": str(HOME / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "false",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "false",
        "AIRFLOW__COSMOS__ENABLE_TELEMETRY": "false",
        "SHOPSMART": str(ROOT),
        "SHOPSMART_PYTHON": sys.executable,
        "SHOPSMART_MANIFEST": str(standing.folder / "target" / "manifest.json"),
        "SHOPSMART_SOURCES": "store web",
        "SOURCES__STORE__URL": str(standing.files / "store"),
        "SOURCES__WEB__URL": str(standing.files / "web"),
    }

    def does(*words: str) -> subprocess.CompletedProcess[str]:
        return run(airflow / "airflow", *words, environment=environment, cwd=standing.folder)

    migrated = does("db", "migrate")
    assert migrated.returncode == 0, migrated.stderr
    return lambda: does("dags", "test", "shopsmart")


def states(standing: Build) -> dict[str, str]:
    """Return what became of each task, by Airflow's own database."""
    with closing(sqlite3.connect(standing.folder / "airflow" / "airflow.db")) as database:
        return dict(database.execute("select task_id, state from task_instance").fetchall())


def test_the_dag_loads_builds_and_publishes(
    standing: Build, dag: Callable[[], subprocess.CompletedProcess[str]]
) -> None:
    done = dag()
    said = done.stdout[-3000:] + done.stderr[-3000:]
    ended = states(standing)
    assert {"load_store", "load_web", "publish", "dbt.dbt_producer_watcher", "dbt.customer_features_run"} <= set(ended)
    assert {name: state for name, state in ended.items() if state != "success"} == {}, said
    assert len(ended) > 140
    assert publication(standing.folder / "published.duckdb")["built_from"] != "what was before"


def test_a_failing_test_leaves_what_readers_have(
    standing: Build, dag: Callable[[], subprocess.CompletedProcess[str]]
) -> None:
    published = standing.folder / "published.duckdb"
    kept = sha256(published.read_bytes()).hexdigest()
    with duckdb.connect(str(standing.warehouse)) as connection:
        connection.execute("update raw_web.manifest set records_landed = records_landed + 1")
    done = dag()
    ended = states(standing)
    assert ended["load_web"] == "success"
    assert ended["dbt.dbt_producer_watcher"] == "failed"
    assert ended["publish"] == "upstream_failed"
    assert "every_record_is_accounted_for" in done.stdout + done.stderr
    assert sha256(published.read_bytes()).hexdigest() == kept
