"""The pipeline as a Prefect flow: every source and every node of dbt a task run, retries, a schedule.

It calls the commands that a person calls and keeps what they promise. Sources are read side by side and written one at
a time; a source that fails is tried again, and when it goes on failing nothing is built or published, though the others
have landed. A failing test is not tried again. Whatever somebody else has locked is tried again.
"""

import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from prefect import flow, get_run_logger, runtime, serve, task
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy, State, TaskRun
from prefect.deployments.runner import EntrypointType
from prefect.futures import wait
from prefect.settings import PREFECT_API_URL
from prefect.states import Cancelled, Completed, Failed, Running
from prefect.task_runners import ThreadPoolTaskRunner

from load.sources import SOURCES, unknown
from operate.commands import CommandFailed, end_all, said
from operate.publish import KEPT
from operate.state import GOOD, project_variables

LOCKED = "Could not set lock on file"
NAME = "shopsmart"


def log(lines: Iterator[str]) -> None:
    """Show what a command prints in the log of the run."""
    logger = get_run_logger()
    for line in filter(None, lines):
        logger.info(line)


def is_locked(_task: object, _run: TaskRun, state: State) -> bool:
    """Return whether a task failed because somebody else has the warehouse open."""
    return LOCKED in (state.message or "")


@task(task_run_name="load {source}")
def load(source: str) -> None:
    """Land what is new in a source; raises `CommandFailed`."""
    log(said("load", source))


@task
def build() -> None:
    """Build and test what is new, each of dbt's nodes a task run; raises `CommandFailed`."""
    with get_client(sync_client=True) as client:
        nodes = Nodes(client)
        try:
            log(line for line in said("operate", "build", "--log-format", "json") if not nodes.heard(line))
        finally:
            nodes.end()


@task
def publish(started: str, drift_limit: float, keep: int, yes: bool) -> None:
    """Show what would change, publish it, report the run; raises `CommandFailed` with why nothing is published."""
    given = ["--since", started, "--drift-limit", str(drift_limit), "--keep", str(keep), *(["--yes"] if yes else [])]
    log(said("operate", "publish", *given))


@task(name="dbt")
def dbt_node() -> None:
    """Stand for a node of dbt's: its runs are not called but recorded, as dbt tells of them."""


class Nodes:
    """Records the nodes of a running dbt as task runs of the flow."""

    def __init__(self, client: SyncPrefectClient) -> None:
        """Record by `client`, in the flow run that this is called in."""
        self.client, self.running = client, {}

    def heard(self, line: str) -> bool:
        """Take a line that dbt or the command printed; return False when it is not for machines."""
        if not line.startswith("{"):
            return False
        event = json.loads(line)
        node = event.get("data", {}).get("node_info", {})
        if event["info"]["name"] == "NodeStart":
            self.begin(node)
        elif event["info"]["name"] == "NodeFinished":
            run = self.running.pop(node["unique_id"], None) or self.begin(node)
            self.running.pop(node["unique_id"], None)
            self.client.set_task_run_state(run, ended(node["node_status"], event["data"]), force=True)
        return True

    def begin(self, node: dict[str, Any]) -> object:
        """Record that a node runs; return the id of its task run."""
        self.running[node["unique_id"]] = self.client.create_task_run(
            dbt_node,
            flow_run_id=runtime.flow_run.id,
            # The build may be tried again.
            dynamic_key=f"{node['unique_id']} {runtime.task_run.run_count}",
            name=f"{node['resource_type']} {node['node_name']}",
            state=Running(),
        ).id
        return self.running[node["unique_id"]]

    def end(self) -> None:
        """Say of what still seems to run that it does not."""
        for run in self.running.values():
            self.client.set_task_run_state(run, Cancelled(message="dbt ended before the node did"), force=True)


def ended(status: str, data: dict[str, Any]) -> State:
    """Return what Prefect calls a status of dbt's."""
    if status in GOOD:
        return Completed(message=status)
    if status == "skipped":
        return Cancelled(name="Skipped", message="something before it failed")
    return Failed(message=" ".join(str(data.get("run_result", {}).get("message") or status).split()))


@flow(name=NAME, task_runner=ThreadPoolTaskRunner(max_workers=4))
def shopsmart(
    sources: list[str] | None = None,
    drift_limit: float = project_variables()["drift_limit"],
    keep: int = KEPT,
    yes: bool = True,
    retries: int = 3,
    retry_seconds: float = 300,
) -> None:
    """Load what is new, build, test, and publish what passed.

    `sources` are those to load, all unless some are named. Nothing is published when a feature drifted further than
    `drift_limit` (population stability index), or without `yes`; `keep` copies of what was published are kept. What
    fails for a reason that may go away is tried again `retries` times, `retry_seconds` later.
    """
    sources = list(dict.fromkeys(sources or SOURCES))
    if words := unknown(sorted(sources)):
        raise ValueError(words)
    started = datetime.now(UTC).isoformat()
    again = {"retries": retries, "retry_delay_seconds": retry_seconds}
    loads = {source: load.with_options(**again).submit(source) for source in sources}
    try:
        wait(list(loads.values()))
    except BaseException:
        # What is loading in other threads hears of no signal.
        end_all()
        raise
    if failed := [source for source, future in loads.items() if not future.state.is_completed()]:
        landed = "; the others landed" if len(failed) < len(loads) else ""
        reasons = "\n".join(str(loads[source].state.message) for source in failed)
        raise told(started, f"nothing is published: {', '.join(failed)} failed to load{landed}\n{reasons}")
    try:
        build.with_options(retry_condition_fn=is_locked, **again)()
    except CommandFailed as problem:
        raise told(started, f"nothing is published: the build failed\n{problem}") from None
    publish.with_options(retry_condition_fn=is_locked, **again)(started, drift_limit, keep, yes)


def told(started: str, reason: str) -> CommandFailed:
    """Report a flow that began at `started` (ISO, UTC) and never came to publishing; return why, to be raised."""
    log(said("operate", "report", "--since", started, "--failed", reason))
    return CommandFailed(reason)


def serve_on(cron: str | None, interval: float | None, parameters: dict[str, Any]) -> int:
    """Run the flow on a schedule, a cron line in UTC or every so many seconds, until it is stopped; return 0, or 1.

    Two runs never overlap: one that is due while another runs is cancelled, and the next one brings what it would have.
    """
    if not PREFECT_API_URL.value():
        print(
            "a schedule needs a Prefect server that goes on running. Start one, and say where it is:\n"
            "  prefect server start\n"
            "  export PREFECT_API_URL=http://127.0.0.1:4200/api",
            file=sys.stderr,
        )
        return 1
    serve(
        shopsmart.to_deployment(
            NAME,
            cron=cron,
            interval=None if interval is None else timedelta(seconds=interval),
            parameters=parameters,
            concurrency_limit=ConcurrencyLimitConfig(limit=1, collision_strategy=ConcurrencyLimitStrategy.CANCEL_NEW),
            entrypoint_type=EntrypointType.MODULE_PATH,
        )
    )
    return 0
