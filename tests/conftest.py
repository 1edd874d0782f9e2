"""What tests share: a small sample company, landed and built once for all that look at it."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from fcntl import LOCK_EX, flock
from pathlib import Path
from subprocess import PIPE

import pytest

from operate.dbt import dbt_call
from tests.forks import fork

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent

LONG = (
    "test_proofs", "test_crashes", "test_publish", "test_flow", "test_missing_sources", "test_training_sets",
    "test_online_retail", "test_later_versions", "test_histories", "test_build",
)  # fmt: skip
"""Files that take minutes: begun first, so that no core is idle at the end."""

NO_UNIT_TESTS = {"DBT_EXCLUDE_RESOURCE_TYPES": "unit_test"}
"""What builds have in their environment: the unit tests are run by test_build."""

READER = """
import duckdb, sys
with duckdb.connect(sys.argv[1], read_only=True):
    print(flush=True)
    sys.stdin.read()
"""
"""A program that reads a warehouse until its input ends."""

# Whoever runs the tests may have sources and a warehouse of their own connected: no test may touch them.
for _name in [
    name for name in os.environ if name.startswith(("SOURCES__", "DBT_")) or name in ("WAREHOUSE", "PII_KEY")
]:
    del os.environ[_name]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests of long files first, the rest as they were."""
    items.sort(key=lambda item: LONG.index(item.path.stem) if item.path.stem in LONG else len(LONG))


def run(*command: str | Path, environment: dict[str, str], cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run a command to its end and return it with its output; a test's monkeypatched sources do not leak into it."""
    given = [str(part) for part in command]
    return subprocess.run(given, cwd=cwd, env=own(environment), capture_output=True, text=True, timeout=600)


def run_fork(
    *command: str | Path, environment: dict[str, str], cwd: Path = ROOT, timeout: float = 600
) -> subprocess.CompletedProcess[str]:
    """Do as `run` does in a fork of a process that has imported it all: `dbt …`, or `-m MODULE …` for Python.

    Not for what reads another project than this one. It is killed when it takes longer than `timeout`, and
    `TimeoutExpired` raised.
    """
    return fork(*(str(part) for part in command), environment=own(environment), cwd=cwd, timeout=timeout)


def run_well(*command: str | Path, environment: dict[str, str], cwd: Path = ROOT) -> str:
    """Run a command that has to go well; return what it printed."""
    return well(run(*command, environment=environment, cwd=cwd))


def own(environment: dict[str, str]) -> dict[str, str]:
    """Return this process's environment with some variables set, and without sources that a test connected."""
    return {name: value for name, value in os.environ.items() if not name.startswith("SOURCES__")} | environment


def well(done: subprocess.CompletedProcess[str]) -> str:
    """Return what a command printed that has to have gone well."""
    assert done.returncode == 0, f"{' '.join(map(str, done.args))}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
    return done.stdout


@dataclass(frozen=True)
class Build:
    """A company's files and the warehouse, artifacts and logs that were built from them."""

    files: Path
    folder: Path
    pii_key: str = "a key that no file may hold 0123"

    @property
    def warehouse(self) -> Path:
        """The DuckDB file."""
        return self.folder / "warehouse.duckdb"

    @property
    def environment(self) -> dict[str, str]:
        """What every command on this build needs in its environment."""
        return {
            "WAREHOUSE": str(self.warehouse),
            "DBT_TARGET_PATH": str(self.folder / "target"),
            "DBT_LOG_PATH": str(self.folder / "logs"),
            "PII_KEY": self.pii_key,
        }

    @property
    def dbt_environment(self) -> dict[str, str]:
        """What dbt itself needs, called beside the warehouse as `dbt_call` says."""
        return dbt_call(self.warehouse, self.folder, ROOT)[1] | {"PII_KEY": self.pii_key}

    def load(self) -> str:
        """Land what is new in the company's files; return what the command printed."""
        return run_well(
            sys.executable, "-m", "sample", "serve", "--from", self.files, "--", sys.executable, "-m", "load",
            environment=self.environment,
        )  # fmt: skip

    def dbt(self, *arguments: str, timeout: float = 600) -> str:
        """Run dbt on the warehouse; return what it printed. It is killed as in `run_fork`."""
        return well(
            run_fork("dbt", *arguments, environment=self.dbt_environment, cwd=self.folder.resolve(), timeout=timeout)
        )


def make_company(to: Path, customers: int, days: int, seed: int = 7) -> Path:
    """Make a sample company of that size at `to` and return the folder."""
    run_well(
        sys.executable, "-m", "sample", "make", "--customers", str(customers), "--days", str(days), "--seed", str(seed),
        "--to", to, environment={},
    )  # fmt: skip
    return to


@pytest.fixture(scope="session")
def company(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[Build]:
    """A company of 300 customers and 40 days with planted personal data and odd sales, landed, built and documented.

    All workers look at one, and each keeps a reader on it: a test that writes to it always fails, not only beside
    another that reads. Whoever wants to change it takes a copy.
    """
    from tests.proofs import canaries, odd_sales

    base = tmp_path_factory.getbasetemp()
    folder = (base if worker_id == "master" else base.parent) / "company"
    build, finished = Build(folder / "files", folder), folder / "finished"
    with folder.with_suffix(".lock").open("w") as lock:
        flock(lock, LOCK_EX)
        if not finished.exists():
            folder.mkdir()
            make_company(build.files, customers=300, days=40)
            canaries.plant(build.files)
            odd_sales.plant(build.files)
            build.load()
            environment = build.environment | NO_UNIT_TESTS
            run_well(sys.executable, "-m", "operate", "build", environment=environment)
            # The build compiles what it builds, and no analysis.
            build.dbt("compile", "--no-write-json", "--select", "path:analyses")
            finished.touch()
    with subprocess.Popen([sys.executable, "-c", READER, str(build.warehouse)], stdin=PIPE, stdout=PIPE) as reader:
        reader.stdout.readline()
        yield build
        reader.stdin.close()
