"""Named moments at which a load or a build is killed: `python -m tests.proofs.failpoints SOURCE:MOMENT load [SOURCE…]`.

The process kills itself with SIGKILL, as the kernel would when memory runs out: nothing is cleaned up, nothing flushed.
"""

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from dlt.common.storages.load_package import PackageStorage
from dlt.common.storages.load_storage import LoadStorage
from dlt.destinations.impl.duckdb.duck import DuckDbClient, DuckDbCopyJob
from dlt.extract.extract import Extract
from dlt.pipeline.pipeline import Pipeline

from load.landing import Run

MOMENTS = {
    "read": "amid the reading: some records are handed over, none are packed",
    "packed": "all is read and packed, dlt has not noted of which source it is",
    "extracted": "all is read and packed, nothing normalised",
    "moved": "what is normalised is where it belongs, and what it was made of is still there",
    "normalised": "ready to be copied",
    "copying": "a copy has begun",
    "copied": "the first table's copy is committed, dlt has not noted it",
    "noted": "dlt has noted that the first copy is complete, the job has not moved",
    "all_copied": "all tables are copied and committed, the load is not complete",
    "bookkept": "the load is complete, dlt has not noted it",
    "loaded": "dlt has noted it, the run is not over",
}


def kill() -> None:
    """End this process at once."""
    os.kill(os.getpid(), signal.SIGKILL)


def arm(source: str, moment: str) -> None:
    """Make this process kill itself when the load of `source` reaches `moment`, one of MOMENTS."""
    pipeline = f"load_{source}"
    if moment == "read":
        _after(Run, "_wait", lambda run, *_: run.source == source)
    elif moment == "packed":
        _after(Pipeline, "_get_step_info", lambda this, step: this.pipeline_name == pipeline and type(step) is Extract)
    elif moment in ("extracted", "normalised", "loaded"):
        step = {"extracted": "extract", "normalised": "normalize", "loaded": "load"}[moment]
        _after(Pipeline, step, lambda this, *_: this.pipeline_name == pipeline)
    elif moment == "moved":
        _after(
            LoadStorage, "commit_new_load_package", lambda this, *_: f"/{pipeline}/" in f"{this.storage.storage_path}/"
        )
    elif moment in ("copying", "copied"):
        hook = _before if moment == "copying" else _after
        hook(DuckDbCopyJob, "run", lambda job, *_: f"/{pipeline}/" in job._file_path)
    elif moment == "noted":
        _after(PackageStorage, "save_pending_transition", lambda this, *_: f"/{pipeline}/" in this.storage.storage_path)
    elif moment in ("all_copied", "bookkept"):
        hook = _before if moment == "all_copied" else _after
        hook(DuckDbClient, "complete_load", lambda client, *_: client.schema.name == source)
    else:
        raise ValueError(f"There is no moment {moment!r}; there are {', '.join(MOMENTS)}.")


def _before(owner: type, name: str, here: Callable[..., bool]) -> None:
    original = getattr(owner, name)

    def replaced(*arguments: Any, **named: Any) -> Any:
        if here(*arguments):
            kill()
        return original(*arguments, **named)

    setattr(owner, name, replaced)


def _after(owner: type, name: str, here: Callable[..., bool]) -> None:
    original = getattr(owner, name)

    def replaced(*arguments: Any, **named: Any) -> Any:
        result = original(*arguments, **named)
        if here(*arguments):
            kill()
        return result

    setattr(owner, name, replaced)


if __name__ == "__main__":
    from load.__main__ import main

    where, _load, *sources = sys.argv[1:]
    arm(*where.split(":"))
    sys.exit(main(sources))
