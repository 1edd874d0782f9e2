"""The sample company.

python -m sample make [--customers N] [--days N] [--seed N] [--events N] [--to DIR]    makes it, once
python -m sample serve [--from DIR] [--port N] [-- COMMAND …]                          serves it, or runs COMMAND on it
"""

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from rich.console import Console

from operate.publish import versions_path

HOME = Path("sample/company")
EVENTS_A_CUSTOMER_AND_DAY = 0.5  # 5,000 customers in 120 days: 300,000 events
SERVED = {"web", "mobile", "catalog", "marketplace", "store"}


def main(arguments: list[str]) -> int:
    """Run a command; return its exit code."""
    command = arguments[arguments.index("--") + 1 :] if "--" in arguments else []
    parser = argparse.ArgumentParser(
        prog="python -m sample", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    making = commands.add_parser("make", help="make the company")
    making.add_argument("--customers", type=positive, default=5000)
    making.add_argument("--days", type=positive, default=120)
    making.add_argument("--seed", type=int, default=7)
    making.add_argument(
        "--events", type=positive, help="events of web and app, about; by default 0.5 a customer and day"
    )
    making.add_argument("--to", type=Path, default=HOME)
    making.add_argument("--warehouse", type=Path, help="begin this warehouse anew if it holds another sample company")
    serving = commands.add_parser(
        "serve", help="serve the company's APIs, and run a command with its sources connected"
    )
    serving.add_argument("--from", type=Path, default=HOME, dest="folder")
    serving.add_argument("--port", type=int, default=0)
    options = parser.parse_args(arguments[: arguments.index("--")] if "--" in arguments else arguments)
    if options.command == "serve":
        return serve_company(options.folder, options.port, command)
    events = options.events or max(round(options.customers * options.days * EVENTS_A_CUSTOMER_AND_DAY), 1)
    made = make(options.to, options.customers, options.days, events, options.seed)
    return made or (claim(options.warehouse, options.to) if options.warehouse else 0)


def positive(text: str) -> int:
    """Return a whole number above zero; argparse says so when it is none."""
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is no whole number above zero")
    return int(text)


def make(to: Path, customers: int, days: int, events: int, seed: int) -> int:
    """Make the company at `to` unless the same one, by the same code, is there already."""
    console = Console()
    stamp, made_of = (
        to / "made.json",
        {"customers": customers, "days": days, "events": events, "seed": seed, "code": code()},
    )
    if stamp.exists() and json.loads(stamp.read_text()) == made_of:
        console.print(f"The sample company is there already: {to}", highlight=False, soft_wrap=True)
        return 0
    if to.exists() and any(to.iterdir()) and not (stamp.exists() or (to / "shop.db").exists()):
        console.print(
            f"[red]{to} holds something else. Name an empty folder: --to DIR[/red]", highlight=False, soft_wrap=True
        )
        return 1
    from sample.company import make_company
    from sample.world import Size

    started = time.monotonic()
    shutil.rmtree(to, ignore_errors=True)
    to.mkdir(parents=True)
    counts = make_company(to, Size(customers, days, events, seed))
    stamp.write_text(json.dumps(made_of))
    told = ", ".join(f"{count:,} {name}" for name, count in counts.items())
    console.print(
        f"Made the sample company in {time.monotonic() - started:.1f} s: {told}", highlight=False, soft_wrap=True
    )
    return 0


def claim(warehouse: Path, company: Path) -> int:
    """Make sure that `warehouse` holds `company` or nothing: two companies in one would mix.

    What another sample company left there goes, and what was published of it beside it. A warehouse that was never a
    sample company's is left alone: returns 1.
    """
    mark, made_of = warehouse.with_suffix(".sample.json"), (company / "made.json").read_text()
    if not holds_records(warehouse) or (mark.exists() and mark.read_text() == made_of):
        mark.parent.mkdir(parents=True, exist_ok=True)
        mark.write_text(made_of)
        return 0
    if not mark.exists():
        print(
            f"{warehouse} holds data that are not the sample company's, and would be mixed with it.\n"
            "Name another file: make build WAREHOUSE=warehouse/sample.duckdb",
            file=sys.stderr,
        )
        return 1
    published = warehouse.parent / "published.duckdb"
    for old in (warehouse, warehouse.with_suffix(".built.json"), published):
        old.unlink(missing_ok=True)
    for old in (warehouse.parent / "pipelines" / warehouse.stem, versions_path(published)):
        shutil.rmtree(old, ignore_errors=True)
    mark.write_text(made_of)
    Console().print(f"{warehouse} held another sample company and begins anew", highlight=False, soft_wrap=True)
    return 0


def holds_records(warehouse: Path) -> bool:
    """Return whether anything has landed in `warehouse`; a load without sources leaves empty tables."""
    if not warehouse.exists():
        return False
    import duckdb

    with duckdb.connect(str(warehouse), read_only=True) as connection:
        manifests = connection.execute(
            "select table_schema from information_schema.tables where table_name = 'manifest'"
        ).fetchall()
        return any(connection.execute(f"select count(*) from {name}.manifest").fetchone()[0] for (name,) in manifests)


def code() -> str:
    """Return a hash of the code that makes the company."""
    digest = hashlib.sha256()
    for file in sorted(Path(__file__).parent.rglob("*.py")):
        digest.update(file.read_bytes())
    return digest.hexdigest()


def serve_company(folder: Path, port: int, command: list[str]) -> int:
    """Serve the APIs of the company in `folder`; run `command` with all sources connected, or wait for Ctrl-C."""
    from sample.systems.http import Systems, serve

    if not (folder / "made.json").exists():
        print(f"There is no sample company in {folder}. Make it first: python -m sample make", file=sys.stderr)
        return 1
    place = folder.resolve()
    systems = Systems.from_folder(place / "api")
    with serve(systems, port) as server:
        made_of = json.loads((folder / "made.json").read_text())
        environment = sources(place, server.url, systems.token, made_of["days"])
        if command:
            return subprocess.run(command, env=os.environ | environment, check=False).returncode
        for name, value in environment.items():
            print(f"export {name}={value}", flush=True)
        try:
            while True:
                time.sleep(3600)
        except KeyboardInterrupt:
            return 0


def sources(place: Path, url: str, token: str, days: int) -> dict[str, str]:
    """Return the environment that connects all sources to the company at `place`, its APIs at `url`."""
    from sample.world import LAST_DAY

    files = {f"SOURCES__{name.upper()}__URL": str(place / name) for name in sorted(SERVED)}
    return files | {
        "SOURCES__SHOP__CREDENTIALS": f"sqlite:///{place / 'shop.db'}",
        "SOURCES__CRM__URL": url,
        "SOURCES__CRM__TOKEN": token,
        "SOURCES__MARKETING__URL": url,
        "SOURCES__MARKETING__TOKEN": token,
        "SOURCES__FX__URL": url,
        "SOURCES__FX__SINCE": str(LAST_DAY - (days + 9)),
        "SOURCES__FX__UNTIL": str(LAST_DAY),
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
