"""A load or a build that is killed anywhere is finished by the next one: nothing lost, nothing twice."""

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from tests.conftest import ROOT, Build, make_company, run_fork
from tests.proofs.crashes import connected, differing_marts, landed_records
from tests.proofs.failpoints import MOMENTS

KINDS = ("web", "crm", "shop")
"""A source of files, one behind an API and a database: whatever differs on the way into the warehouse."""


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Build:
    """A company of 60 customers and 8 days, whose KINDS have landed undisturbed."""
    folder = tmp_path_factory.mktemp("small")
    build = Build(make_company(folder / "files", customers=60, days=8), folder)
    landed = load(build)
    assert landed.returncode == 0, landed.stdout + landed.stderr
    return build


def load(build: Build, *command: str) -> subprocess.CompletedProcess[str]:
    """Land KINDS, or run another command, with the company's sources connected."""
    return connected(build, *(command or ("load", *KINDS)))


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_load_killed_at_any_step_is_finished_by_the_next(small: Build, tmp_path: Path, moment: str) -> None:
    build = replace(small, folder=tmp_path)
    for source in KINDS:
        killed = load(build, "tests.proofs.failpoints", f"{source}:{moment}", "load", source)
        assert killed.returncode == -signal.SIGKILL, killed.stdout + killed.stderr
    ended = load(build)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert landed_records(build.warehouse) == landed_records(small.warehouse)
    with duckdb.connect(str(build.warehouse)) as connection:
        for source in KINDS:
            assert (
                connection.execute(
                    f"select table_name, source_file, count(*), any_value(records_landed) from raw_{source}.manifest "
                    f"where _dlt_load_id not in (select load_id from raw_{source}._dlt_loads) "
                    "or records_read != records_landed + records_unchanged group by all"
                ).fetchall()
                == []
            )


def test_a_load_of_sources_side_by_side_that_is_killed_is_finished_by_the_next(small: Build, tmp_path: Path) -> None:
    build = replace(small, folder=tmp_path)
    killed = load(build, "tests.proofs.failpoints", "crm:copied", "load", "--side-by-side", str(len(KINDS)), *KINDS)
    assert killed.returncode == -signal.SIGKILL, killed.stdout + killed.stderr
    # What the killed one left behind is taken up once: by the next load, and not by the one after it.
    for _ in range(2):
        ended = load(build, "load", "--side-by-side", "4", *KINDS)
        assert ended.returncode == 0, ended.stdout + ended.stderr
        assert landed_records(build.warehouse) == landed_records(small.warehouse)


def test_a_build_killed_in_any_node_is_finished_by_the_next(company: Build, tmp_path: Path) -> None:
    """One node in forty, and at least one of each way of making a table; by hand or nightly all of them."""
    build = replace(company, folder=tmp_path)
    shutil.copy(company.warehouse, build.warehouse)
    done = run_fork("-m", "tests.proofs.killed_builds", "40", environment=build.dbt_environment, cwd=build.folder)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    killed = json.loads(done.stdout.splitlines()[-1])
    assert len(killed) > 4
    build.dbt("build", "--exclude-resource-type", "unit_test")
    assert differing_marts(company.warehouse, build.warehouse) == []


def test_a_full_disk_leaves_the_last_good_state(small: Build, tmp_path: Path) -> None:
    """No file may grow beyond a limit, which is how a quota or a full disk shows: the write fails."""
    build = replace(small, folder=tmp_path, files=tmp_path / "files")
    shutil.copytree(small.files, build.files)
    shutil.copy(small.warehouse, build.warehouse)
    before = landed_records(build.warehouse)
    lines = [json.dumps({"messageId": str(n), "noise": os.urandom(400).hex()}) for n in range(20_000)]
    (build.files / "web" / "large.jsonl").write_text("\n".join(lines))
    environment = os.environ | build.environment | {"SOURCES__WEB__URL": str(build.files / "web")}
    limit = build.warehouse.stat().st_size + 1_000_000
    full = subprocess.run(
        [sys.executable, "-m", "load", "web"], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )  # fmt: skip
    assert full.returncode == 1, full.stdout + full.stderr
    assert "failed: web:" in full.stdout
    assert "is full" in full.stdout
    assert "Make room" in full.stdout
    assert "Traceback" not in full.stderr
    assert landed_records(build.warehouse) == before
    roomy = subprocess.run([sys.executable, "-m", "load", "web"], cwd=ROOT, env=environment, capture_output=True)
    assert roomy.returncode == 0
    assert sum((landed_records(build.warehouse) - Counter(before)).values()) == 20_000
