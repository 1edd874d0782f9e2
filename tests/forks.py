"""Commands in forks of a process that has imported what they need and read the dbt project.

Tests call dbt and the loaders a hundred times, and importing dbt or dlt and reading the project takes longer than what
most of these calls do on a small company. A fork is a process of its own, with its environment, folder, output and exit
code, and can be killed. Forks share what they imported, the seed of hashes, and dbt's manifest; that the commands do as
well when a person types them is for tests that type them.
"""

import atexit
import gc
import os
import runpy
import sys
from multiprocessing import get_context
from pathlib import Path
from subprocess import CompletedProcess, TimeoutExpired
from tempfile import TemporaryDirectory

FORKS = get_context("forkserver")
FORKS.set_forkserver_preload(["tests.imported"])


def fork(*command: str, environment: dict[str, str], cwd: Path, timeout: float = 600) -> CompletedProcess[str]:
    """Run `dbt …`, or `-m MODULE …` as Python would, to its end; return it with its output.

    `environment` is all that it has. dbt writes no log and makes no messages for debugging. Its `--vars` reach what is
    compiled, not what was read.
    """
    with TemporaryDirectory() as output:
        process = FORKS.Process(target=_run, args=(command, environment, cwd, Path(output)))
        process.start()
        try:
            process.join(timeout)
            if process.exitcode is None:
                raise TimeoutExpired(command, timeout)
        finally:
            process.kill()
            process.join()
        said = [(Path(output) / name).read_text() for name in ("stdout", "stderr")]
        return CompletedProcess(command, process.exitcode, *said)


def _run(command: tuple[str, ...], environment: dict[str, str], cwd: Path, output: Path) -> None:
    from dbt.cli.main import dbtRunner

    from tests.imported import ENVIRONMENT

    for number, name in ((1, "stdout"), (2, "stderr")):
        os.dup2(os.open(output / name, os.O_CREAT | os.O_WRONLY | os.O_APPEND), number)
    os.environ.clear()
    os.environ.update({"DBT_LOG_LEVEL_FILE": "none"} | ENVIRONMENT | environment)
    os.chdir(cwd)
    # It ends before memory runs out, and looking for garbage in all that was read takes a tenth of its time.
    gc.disable()
    _begin_with_what_was_read()
    _without_debugging()
    _on_one_core()
    try:
        if command[0] == "dbt":
            sys.exit(0 if dbtRunner().invoke(list(command[1:])).success else 1)
        sys.argv = list(command[1:])
        runpy.run_module(command[1], run_name="__main__", alter_sys=True)
    finally:
        # A process that was typed does so when it ends; then DuckDB's files are whole without their logs.
        atexit._run_exitfuncs()


def _begin_with_what_was_read() -> None:
    """Give dbt the project as it was read. Reading it anew, it would wait for threads that a fork has not got."""
    from dbt.cli.main import dbtRunner

    from tests.imported import MANIFEST, ROOT

    begin = dbtRunner.__init__

    def begin_with_it(runner, manifest=None, callbacks=None) -> None:
        if Path(os.environ.get("DBT_PROJECT_DIR", os.curdir)).resolve() != ROOT:
            raise RuntimeError("a fork cannot read another project")
        begin(runner, manifest or MANIFEST, callbacks)

    dbtRunner.__init__ = begin_with_it


def _without_debugging() -> None:
    """Spare dbt its messages for debugging where nothing listens: they take a sixth of a run on a small company."""
    from dbt_common.events.base_types import EventLevel
    from dbt_common.events.event_manager import EventManager

    fire = EventManager.fire_event

    def fire_what_is_read(manager, event, level=None, *rest, **named) -> None:
        if manager.callbacks or (level or event.level_tag()) != EventLevel.DEBUG:
            fire(manager, event, level, *rest, **named)

    EventManager.fire_event = fire_what_is_read


def _on_one_core() -> None:
    """Have dbt and DuckDB take one core: a small company keeps no more busy, and other tests run beside it."""
    from dbt.adapters.duckdb.environments import Environment
    from dbt.cli import requires

    load_profile = requires.load_profile

    def load_profile_for_one(*given, **named):
        profile = load_profile(*given, **named)
        profile.threads = 1
        return profile

    requires.load_profile = load_profile_for_one

    connect = Environment.initialize_db.__func__

    def connect_for_one(environment, *given, **named):
        connection = connect(environment, *given, **named)
        connection.execute("set threads = 1")
        return connection

    Environment.initialize_db = classmethod(connect_for_one)
