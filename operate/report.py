"""Tells whoever watches how a run ended: a JSON file, and a message to a webhook when somebody should look."""

import json
import os
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import duckdb
from requests import RequestException

from load.sources import SOURCES
from operate.literals import literal
from operate.run_page import RESULTS, run_page, test_results
from operate.state import variables_of_drift

WEBHOOK = "ALERT_WEBHOOK"
"""The environment variable that holds the address; it may be a secret, so it is shown nowhere."""
LANDED = """
    select
        manifest.source, sum(manifest.records_landed), sum(built.records_accepted), sum(built.records_rejected),
        sum(built.records_duplicate)
    from raw_{source}.manifest as manifest
    left join operations.landed_records as built
        on manifest.source = built.source and manifest._dlt_load_id = built.load_id
        and manifest.table_name = built.table_name and manifest.source_file = built.source_file
    where
        manifest.landed_at >= $since
        and manifest._dlt_load_id in (select load_id from raw_{source}._dlt_loads where status = 0)
    group by manifest.source
"""
"""What was not built yet is neither accepted nor rejected."""
LATE = """
    select source || '.' || table_name, status, hours_since_landed, warn_after_hours from operations.source_freshness
    where status in ('late', 'stale') order by 1
"""
DRIFTED = """
    select feature, psi from operations.feature_drift
    where
        feature_at = (select max(feature_at) from operations.feature_drift)
        and psi > {drift_limit}
        and not list_contains({drifts_by_nature}, feature)
    order by psi desc
"""


@dataclass(frozen=True)
class Outcome:
    """How a run ended: `published`, `unchanged` or `failed`, why, which copy readers have, how features drifted
    against what readers had (PSI), what somebody should look at beside."""

    state: str
    words: str
    version: str | None = None
    drift: dict[str, float] = field(default_factory=dict)
    warnings: list[dict[str, str]] = field(default_factory=list)


def report(outcome: Outcome, started: datetime, warehouse: Path, published: Path, artifacts: Path) -> dict:
    """Return what there is to tell of a run that began at `started` (UTC), as JSON can hold it.

    `failures` and `warnings` are the tests and models that did not pass in this run, if it built anything, and the
    sources that are later than their limit now. `landed` is what this run landed, by source.
    """
    now = datetime.now(UTC)
    built_at = (artifacts / RESULTS).stat().st_mtime if (artifacts / RESULTS).exists() else 0
    tests = test_results(artifacts)[0] if built_at >= started.timestamp() else []
    odd = [(test.status == "warn", {"what": test.name, "words": test.words}) for test in tests]
    late, landed, drifted = [], {}, []
    try:
        with duckdb.connect(str(warehouse), read_only=True) as connection:
            late = connection.execute(LATE).fetchall()
            drifted = connection.execute(
                DRIFTED.format(**{name: literal(value) for name, value in variables_of_drift().items()})
            ).fetchall()
            for source in SOURCES:
                for name, *numbers in connection.execute(LANDED.format(source=source), {"since": started}).fetchall():
                    landed[name] = dict(zip(("landed", "accepted", "rejected", "duplicate"), numbers, strict=True))
    except duckdb.Error as problem:
        odd.append((True, {"what": "report", "words": f"the warehouse does not say what landed: {problem}"}))
    return {
        "outcome": outcome.state,
        "reason": outcome.words,
        "version": outcome.version,
        "started_at": started.isoformat(timespec="seconds"),
        "finished_at": now.isoformat(timespec="seconds"),
        "seconds": round((now - started).total_seconds(), 1),
        "warehouse": str(warehouse),
        "published": str(published),
        "page": str(run_page(artifacts)),
        "landed": landed,
        "failures": [told for is_warning, told in odd if not is_warning],
        "warnings": outcome.warnings
        + [told for is_warning, told in odd if is_warning]
        + [
            {"what": table, "words": f"{status}: nothing has landed for {hours:.0f} hours, the limit is {limit:.0f}"}
            for table, status, hours, limit in late
        ],
        "drifted_last_week": {name: round(psi, 3) for name, psi in drifted},
        "drifted_since_published": {name: round(psi, 3) for name, psi in outcome.drift.items()},
    }


def tell(told: dict, file: Path) -> None:
    """Write a report to a file, and send it to the webhook when the run failed or there are warnings.

    The message is JSON: `text` for people, which chats show, and the report. A webhook that does not answer changes
    nothing but for a line on stderr, and so does a file that cannot be written.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        part = file.with_suffix(".part")
        part.write_text(json.dumps(told, indent=2) + "\n")
        part.replace(file)
    except OSError as problem:
        print(f"the report could not be written: {problem}", file=sys.stderr)
    address = os.environ.get(WEBHOOK)
    if not address or (told["outcome"] != "failed" and not told["warnings"]):
        return
    # dlt takes a second to import, and who is told of nothing need not wait for it.
    from dlt.sources.helpers.requests import Client

    try:
        client = Client(request_timeout=10, request_max_attempts=3, request_max_retry_delay=5)
        client.post(address, json={"text": sentence(told), **told}).raise_for_status()
    except (RequestException, ValueError) as problem:
        # The address may hold a token, and so may what the library says of it.
        name = type(problem).__name__
        print(f"nobody was told: the webhook of {WEBHOOK} did not take the report ({name})", file=sys.stderr)


def sentence(told: dict) -> str:
    """Return a report in a few lines for people."""
    lines = [f"Recommender data: {told['outcome']} after {told['seconds']:,.0f} s. {told['reason']}"]
    lines += [f"✗ {item['what']}: {item['words']}" for item in told["failures"]]
    lines += [f"! {item['what']}: {item['words']}" for item in told["warnings"]]
    return "\n".join(lines)
