"""What all forks begin with, see `tests.forks`: the modules that take long to import, and the project as dbt reads it.

It is read at `target/tests`, where the next run of the tests finds what has not changed since.
"""

import os
from contextlib import chdir
from fcntl import LOCK_EX, flock
from importlib import import_module
from pathlib import Path
from unittest.mock import patch

from operate.dbt import dbt_call
from operate.proofs.raw import parsed_project

ROOT = Path(__file__).parents[1]


def manifest() -> object:
    """Return dbt's manifest for a warehouse of the name that all tests give theirs."""
    folder = ROOT / "target" / "tests"
    folder.mkdir(parents=True, exist_ok=True)
    _, environment, _ = dbt_call(folder / "warehouse.duckdb", folder, ROOT)
    with (folder / "lock").open("w") as lock, patch.dict(os.environ, environment), chdir(folder):
        flock(lock, LOCK_EX)
        return parsed_project()


before = set(os.environ)
for name in ("dlt.sources.sql_database", "load.pipeline"):
    import_module(name)

ENVIRONMENT = {name: os.environ[name] for name in set(os.environ) - before}
"""What modules set for themselves when they are imported."""
MANIFEST = manifest()
