"""The same commands as an Airflow DAG: a task a source, a task a node of dbt's, then the publication.

Cosmos shows every model, seed and snapshot. One process builds them all, as a file of DuckDB's has one writer (cosmos'
WATCHER mode): the task of a node says what became of it there. Nothing is caught up by Airflow: the next run brings
what missed days left out.
"""

import os
from datetime import datetime, timedelta
from pathlib import Path

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG, Param
from cosmos import DbtTaskGroup, ExecutionConfig, ProfileConfig, ProjectConfig, RenderConfig
from cosmos.constants import ExecutionMode, InvocationMode, LoadMode, TestBehavior

PROJECT = Path(os.environ.get("SHOPSMART", Path(__file__).parents[3]))
PYTHON = os.environ.get("SHOPSMART_PYTHON", str(PROJECT / ".venv/bin/python"))
"""dbt, dlt and Airflow want different versions of the same packages: the project runs in its own environment."""
MANIFEST = Path(os.environ.get("SHOPSMART_MANIFEST", PROJECT / "target/manifest.json"))
EVERY = sorted(module.stem for module in (PROJECT / "load" / "sources").glob("[a-z]*.py"))
SOURCES = os.environ.get("SHOPSMART_SOURCES", " ".join(EVERY)).split()


def command(task: str, arguments: str, retries: int) -> BashOperator:
    """Return a task that runs a command of the project in its own environment."""
    return BashOperator(
        task_id=task, bash_command=f"'{PYTHON}' -m {arguments}", cwd=str(PROJECT), append_env=True, retries=retries
    )


with DAG(
    "shopsmart",
    schedule="0 3 * * *",
    start_date=datetime(2026, 1, 1),
    catchup=False,
    max_active_runs=1,
    default_args={"retry_delay": timedelta(minutes=5)},
    params={"drift_limit": Param(0.25, type="number"), "keep": Param(5, type="integer", minimum=1)},
    doc_md=__doc__,
):
    loads = [command(f"load_{source}", f"load {source}", retries=3) for source in SOURCES]
    nodes = DbtTaskGroup(
        group_id="dbt",
        project_config=ProjectConfig(dbt_project_path=PROJECT, manifest_path=MANIFEST, install_dbt_deps=False),
        profile_config=ProfileConfig(
            profile_name="shopsmart", target_name="duckdb", profiles_yml_filepath=PROJECT / "profiles.yml"
        ),
        # dbt's tests are run in the build, and fail it; a task each would show nothing more.
        render_config=RenderConfig(load_method=LoadMode.DBT_MANIFEST, test_behavior=TestBehavior.NONE),
        execution_config=ExecutionConfig(
            execution_mode=ExecutionMode.WATCHER,
            invocation_mode=InvocationMode.SUBPROCESS,
            dbt_executable_path=Path(__file__).parents[1] / "dbt",
        ),
        # What failed once fails again; a node that is tried by itself would be a second writer.
        operator_args={"append_env": True, "retries": 0},
    )
    published = command(
        "publish",
        "operate publish --yes --drift-limit {{ params.drift_limit }} --keep {{ params.keep }}",
        retries=0,
    )
    build = nodes.get_child_by_label("dbt_producer_watcher")
    # Cosmos lets nodes wait beside the build. Where tasks run one by one, as in `airflow dags test`, they never end.
    for root in [task for task in nodes.get_roots() if task is not build]:
        root.trigger_rule = "all_done"
        build >> root
    loads >> build
    nodes >> published
