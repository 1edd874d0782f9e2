"""The Prefect flow against a real server: what it records, what it tries again, what it never publishes."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import duckdb
import httpx
import pytest

from operate.publish import publication
from sample.__main__ import sources
from sample.systems.http import Server, Systems, serve
from tests.conftest import BIN, ROOT, Build

FLOW = [sys.executable, "-m", "operate", "flow"]
SOURCES = ["--source", "crm", "--source", "fx", "--source", "store"]
QUIET = {"PREFECT_SERVER_ANALYTICS_ENABLED": "false", "DO_NOT_TRACK": "1"}
"""Nothing is reported to anybody."""
SEEDS_AND_TESTS = {"DBT_EXCLUDE_RESOURCE_TYPES": "model snapshot unit_test"}
"""The models are built and have passed: of what a build does, these are enough to see each node in the server."""


@pytest.fixture(scope="module")
def prefect(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A Prefect server of the tests' own: the environment that leads to it."""
    home = tmp_path_factory.mktemp("prefect")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = QUIET | {"PREFECT_HOME": str(home)}
    command = [BIN / "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    with (home / "server.log").open("w") as log:
        server = subprocess.Popen(command, env=os.environ | environment, stdout=log, stderr=log, start_new_session=True)
    url = f"http://127.0.0.1:{port}/api"
    try:
        soon(lambda: httpx.get(f"{url}/health").status_code == 200, "no Prefect server", server)
        yield environment | {"PREFECT_API_URL": url}
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(30)


@contextmanager
def systems(build: Build, *names: str) -> Iterator[tuple[Server, dict[str, str]]]:
    """Serve the company's APIs; yield the server, and the environment that connects some sources of the company."""
    api = Systems.from_folder(build.files / "api")
    with serve(api) as server:
        connected = sources(build.files, server.url, api.token, 40)
        yield server, {key: value for key, value in connected.items() if key.split("__")[1].lower() in names}


def soon(true: Callable[[], bool], otherwise: str, process: subprocess.Popen, seconds: float = 90) -> None:
    """Wait until something is true."""
    until = time.monotonic() + seconds
    while True:
        try:
            if true():
                return
        except httpx.HTTPError:
            pass
        assert time.monotonic() < until and process.poll() is None, otherwise
        time.sleep(0.3)


def found(prefect: dict[str, str], what: str, **only: Any) -> list[dict[str, Any]]:
    """Return the runs that the server knows, `what` is flow_runs or task_runs, all pages of them."""
    runs: list[dict[str, Any]] = []
    while True:
        asked = {"limit": 200, "offset": len(runs), **only}
        page = httpx.post(f"{prefect['PREFECT_API_URL']}/{what}/filter", json=asked).raise_for_status().json()
        runs += page
        if len(page) < 200:
            return runs


def in_flow(run: dict[str, Any]) -> dict[str, Any]:
    return {"flow_runs": {"id": {"any_": [run["id"]]}}}


def digest(build: Build) -> str:
    return sha256((build.folder / "published.duckdb").read_bytes()).hexdigest()


def environment_of(standing: Build, prefect: dict[str, str], connected: dict[str, str]) -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("SOURCES__")}
    return clean | standing.environment | SEEDS_AND_TESTS | prefect | connected


def test_a_source_that_recovers_is_tried_again_and_what_passed_is_published(
    standing: Build, prefect: dict[str, str]
) -> None:
    with systems(standing, "crm", "fx", "store") as (server, connected):
        # The loader asks once here: what is tried again is the task.
        server.fail("/crm", 503, times=2)
        done = subprocess.run(
            [*FLOW, "--retry-seconds", "1", "--drift-limit", "9", *SOURCES],
            cwd=ROOT,
            env=environment_of(standing, prefect, connected | {"RUNTIME__REQUEST_MAX_ATTEMPTS": "1"}),
            capture_output=True,
            text=True,
        )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    (run,) = found(prefect, "flow_runs")
    assert run["state_type"] == "COMPLETED"
    assert publication(standing.folder / "published.duckdb")["built_from"] != "what was before"
    tasks = found(prefect, "task_runs", **in_flow(run))
    assert {task["state_type"] for task in tasks} == {"COMPLETED"}
    times = {task["name"]: task["run_count"] for task in tasks}
    assert (times["load crm"], times["load fx"], times["load store"]) == (3, 1, 1)
    assert "503" in done.stdout + done.stderr
    assert "Nothing has changed since the last build" in done.stdout + done.stderr


def test_a_schedule_starts_runs_that_do_not_overlap_and_publish_nothing_that_failed(
    standing: Build, prefect: dict[str, str]
) -> None:
    before = {run["id"] for run in found(prefect, "flow_runs")}
    kept = digest(standing)
    with duckdb.connect(str(standing.warehouse)) as connection:
        connection.execute("update operations.landed_records set records_landed = records_landed + 1")

    def runs(*states: str) -> list[dict[str, Any]]:
        new = [run for run in found(prefect, "flow_runs") if run["id"] not in before]
        return [run for run in new if run["state_type"] in states]

    with systems(standing, "store") as (_, connected):
        served = subprocess.Popen(
            [*FLOW, "--serve", "--interval", "15", "--source", "store"],
            cwd=ROOT,
            env=environment_of(standing, prefect, connected),
            stdout=(standing.folder / "served.log").open("w"),
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            soon(lambda: bool(runs("FAILED", "COMPLETED", "CRASHED")), "nothing has run", served, seconds=300)
            ended = runs("FAILED", "COMPLETED", "CRASHED")
            assert runs("CANCELLED"), "what was due meanwhile was not cancelled"
        finally:
            os.killpg(served.pid, signal.SIGTERM)
            served.wait(30)
    (run,) = ended
    assert run["state_type"] == "FAILED"
    assert run["auto_scheduled"]
    assert "every_record_is_accounted_for" in run["state"]["message"]
    failed = [task for task in found(prefect, "task_runs", **in_flow(run)) if task["state_type"] == "FAILED"]
    assert {"test every_record_is_accounted_for"} < {task["name"] for task in failed}
    assert [task["run_count"] for task in failed if task["name"].startswith("build")] == [1]
    assert digest(standing) == kept
    # Every node that dbt came to is there, by its name.
    manifest = json.loads((standing.folder / "target" / "manifest.json").read_text())
    built = ("seed", "test")
    nodes = [node for node in manifest["nodes"].values() if node["resource_type"] in built]
    names = Counter(f"{node['resource_type']} {node['name']}" for node in nodes)
    told = Counter(task["name"] for task in found(prefect, "task_runs", **in_flow(run)))
    assert names - told == Counter()


def test_a_source_that_stays_down_stops_what_follows(standing: Build, prefect: dict[str, str]) -> None:
    kept = digest(standing)
    with systems(standing, "store") as (_, connected):
        connected |= {"SOURCES__WEB__URL": str(standing.folder / "nowhere")}
        done = subprocess.run(
            [*FLOW, "--retries", "1", "--retry-seconds", "0.1", "--source", "web", "--source", "store"],
            cwd=ROOT,
            env=environment_of(standing, prefect, connected),
            capture_output=True,
            text=True,
        )
    assert done.returncode == 1
    (run,) = [run for run in found(prefect, "flow_runs") if "nowhere" in (run["state"]["message"] or "")]
    assert "nothing is published: web failed to load; the others landed" in run["state"]["message"]
    tasks = {task["name"]: task for task in found(prefect, "task_runs", **in_flow(run))}
    assert {name: task["state_type"] for name, task in tasks.items()} == {
        "load web": "FAILED",
        "load store": "COMPLETED",
    }
    assert tasks["load web"]["run_count"] == 2
    assert digest(standing) == kept


def test_without_prefect_or_a_server_it_says_what_to_do(standing: Build, tmp_path: Path) -> None:
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    (hidden / "prefect.py").write_text("raise ModuleNotFoundError('No module named prefect', name='prefect')")
    environment = environment_of(standing, QUIET, {"PREFECT_HOME": str(tmp_path / "home")})
    command = [*FLOW, "--serve"]
    without = subprocess.run(
        command, cwd=ROOT, env=environment | {"PYTHONPATH": str(hidden)}, capture_output=True, text=True
    )
    assert without.returncode == 1
    assert "pip install 'prefect==3.8.8'" in without.stderr
    alone = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert alone.returncode == 1
    assert "prefect server start" in alone.stderr
