"""Planted leaks: what the proofs are worth is whether they see these. `python -m tests.proofs.mutations` plants all.

Each is a small change in a copy of the project, of the kind that people make by mistake. A company's features are built
with it, and the proofs run: the rule that works features out anew from the facts, leakage, replay. One has to object.
"""

import argparse
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time
from pathlib import Path

import duckdb
from rich.console import Console

from operate.dbt import dbt_on
from operate.proofs import proofs
from operate.proofs.proofs import FEATURES
from tests.conftest import ROOT, Build, make_company

TILES, EVENTS, ORDERS = "models/intermediate/tiles", "models/intermediate/events", "models/intermediate/orders"
PROJECT = ["models", "macros", "seeds", "snapshots", "operate", "dbt_project.yml", "profiles.yml"]


@dataclass(frozen=True)
class Mutation:
    """A leak: its name, the file it is in, the text that it replaces, and by what; one of `DAYS` that shows it best."""

    name: str
    file: str
    text: str
    replacement: str
    day: str = ""


MUTATIONS = [
    Mutation(
        "a late event counts before it is known", f"{TILES}/int_customer_behaviour__windowed.sql",
        "        and day_versions.known_date < spine.feature_date\n", "",
    ),
    Mutation(
        "what becomes known on the day itself counts", f"{TILES}/int_customer_products__windowed.sql",
        "and versions.known_date < spine.feature_date", "and versions.known_date <= spine.feature_date",
    ),
    Mutation(
        "a product's late events count before they are known", f"{TILES}/int_product_days__windowed.sql",
        "greatest({{ days_after('tiles.known_date', 1) }}, first_days.first_date)",
        "greatest({{ days_after('tiles.event_date', 1) }}, first_days.first_date)",
    ),
    Mutation(
        "an event is a customer's before the login is known", f"{EVENTS}/int_events__attributed.sql",
        "cast(greatest(events.known_at, links.linked_at) as date) as attributed_date",
        "events.known_date as attributed_date",
    ),
    Mutation(
        "an order is an account's before the account is known", f"{ORDERS}/int_orders__attributed.sql",
        "greatest(orders.valid_from, links.linked_at) as attributed_at", "orders.valid_from as attributed_at",
    ),
    Mutation(
        "a cancellation is known with the order", f"{TILES}/int_order_changes__valued.sql",
        "greatest(cancellations.cancelled_at, told.known_at) as cancelled_at", "told.known_at as cancelled_at",
        day="between an order and its cancellation",
    ),
    Mutation(
        "a refund is known with the order", f"{ORDERS}/int_order_changes__told.sql",
        "greatest(refunds.known_at, spans.first_known_at) as known_at", "spans.first_known_at as known_at",
        day="between an order and a refund",
    ),
    Mutation(
        "a loyalty card is known with the contact", "models/intermediate/customers/int_contacts__identified.sql",
        "greatest(min(told.known_at), min(contacts.created_at)) as known_at", "min(contacts.created_at) as known_at",
        day="between a contact and its card",
    ),
    Mutation(
        "a sale counts before the till sends it", "models/staging/store/stg_store__transactions.sql",
        "(greatest(date_trunc('day', sold_at_local), written_on) + interval 1 day)",
        "(date_trunc('day', sold_at_local) + interval 1 day)",
        day="between a sale and the till's file",
    ),
    Mutation(
        "what becomes of an item is known with its price",
        "models/staging/marketplace/stg_marketplace__sales_line_versions.sql",
        "    updated_at as known_at,", "    priced_at as known_at,",
        day="between an item's price and its cancellation",
    ),
    Mutation(
        "today's price for yesterday's", "models/intermediate/catalog/int_product_prices__daily.sql",
        "on days.feature_date > feed_days.feed_date", "on days.feature_date >= feed_days.feed_date",
    ),
    Mutation(
        "prices are ranked among those of all time", "models/intermediate/catalog/int_products__ranked.sql",
        "partition by feed_date, category, price is null", "partition by category, price is null",
    ),
    Mutation(
        "tomorrow's exchange rate", "models/intermediate/money/int_conversion_rates__crossed.sql",
        "    known_at as valid_from,", "    known_at - interval 2 day as valid_from,",
    ),
    Mutation(
        "the CRM's stage of today", f"{TILES}/int_customer_segments__daily.sql",
        "        and spine.feature_at > history.valid_from\n        and spine.feature_at <= history.valid_to\n",
        "        and history.valid_to = timestamp '9999-12-31 00:00:00'\n",
        day="before a customer's stage changes",
    ),
    Mutation(
        "who refused once never agreed", f"{EVENTS}/int_events__attributed.sql",
        "        and owned.event_at >= refusals.valid_from\n        and owned.event_at < refusals.valid_to\n", "",
    ),
    Mutation(
        "a bot was always known to be one", f"{TILES}/int_product_days__tiled.sql",
        "and (bots.flagged_date is null or bots.flagged_date > events.known_date)", "and bots.flagged_date is null",
        day="before a device is known to be a bot",
    ),
    Mutation(
        "sessions are cut with hindsight", f"{TILES}/int_customer_sessions__known.sql",
        "        and days.known_date >= visits.known_date\n", "",
        day="between a session and what makes it another customer's",
    ),
    Mutation(
        "pairs of products are counted with hindsight", "models/intermediate/pairs/int_product_pairs__windowed.sql",
        "    and tiles.known_date < spine.feature_date\n", "",
    ),
]  # fmt: skip


def planted(mutation: Mutation, folder: Path) -> Path:
    """Copy the project to `folder` with the leak in it; raises `LookupError` when the text is not there (any more)."""
    for name in PROJECT:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name)
        else:
            shutil.copy(source, folder / name)
    (folder / "tests" / "rules").mkdir(parents=True)
    shutil.copytree(ROOT / "tests" / "generic", folder / "tests" / "generic")
    shutil.copy(ROOT / "tests/rules/no_feature_reads_the_future.sql", folder / "tests/rules")
    file = folder / mutation.file
    text = file.read_text()
    if text.count(mutation.text) != 1:
        raise LookupError(f"{mutation.file} does not hold this once, for {mutation.name!r}: {mutation.text!r}")
    file.write_text(text.replace(mutation.text, mutation.replacement))
    return folder


def objections(mutation: Mutation, landed: Path, folder: Path, at: list[datetime]) -> Iterator[str]:
    """Build a landed company with a leak and yield the proofs that object to it; history is cut at these moments."""
    project = planted(mutation, folder / "project")
    console = Console(file=(folder / "proofs.txt").open("w"), width=200)
    warehouse = Path(shutil.copy(landed, folder / "built.duckdb"))
    manifest = dbt_on(warehouse, folder, "parse", project=project)
    shop = proofs.Workshop(folder, warehouse, console, manifest, project)
    shop.build(warehouse, "--full-refresh")
    try:
        rule = ("test", "--select", "no_feature_reads_the_future")
        dbt_on(warehouse, folder, *rule, project=project, manifest=manifest)
    except RuntimeError:
        yield "rule"
    if not proofs.leakage(shop, at):
        yield "leakage"
    if not proofs.replay(shop, at[0], days=2):
        yield "replay"


def landed_company(folder: Path) -> Build:
    """Make and land a small company with seeds in place."""
    build = Build(make_company(folder / "files", customers=200, days=40), folder)
    build.load()
    build.dbt("seed", "--quiet")
    return build


LATE = datetime(2026, 6, 20)
"""Where history is cut for all leaks: late."""

# Days on whose features a leak of the kind must show: each is SQL on the company as it is built without a leak.
DAYS = {
    "between an order and its cancellation": """
        select max(cast(cancelled_at as date)) from raw_shop.orders
        where cast(cancelled_at as date) > cast(created_at as date) + 1 and customer_id is not null
    """,
    "between an order and a refund": """
        select max(cast(refunds.created_at as date)) from raw_shop.refund as refunds
        inner join raw_shop.orders as orders on refunds.order_id = orders.id
        where cast(refunds.created_at as date) > cast(orders.created_at as date) + 1
    """,
    "between a contact and its card": """
        select max(cast(cards.known_at as date)) from intermediate.int_contacts__identified as cards
        inner join staging.stg_crm__contacts as contacts using (contact_id)
        inner join staging.stg_store__transactions as sales
            on cards.identifier = sales.loyalty_id and cards.known_at > sales.known_at + interval 1 day
        where cards.known_at > contacts.created_at + interval 1 day
    """,
    "between a sale and the till's file": """
        select max(cast(written_on as date)) from staging.stg_store__transactions
        where cast(written_on as date) > sold_on + 1 and record_status = 'accepted'
    """,
    "between an item's price and its cancellation": """
        select max(cast(updated_at as date)) from staging.stg_marketplace__items
        where is_latest_version and quantity = 0 and cast(updated_at as date) > cast(priced_at as date) + 1
    """,
    "before a customer's stage changes": """
        select max(cast(features.feature_at as date)) from features.customer_features as features
        inner join core.dim_customers_history as history
            on features.customer_id = history.customer_id and features.feature_at <= history.valid_from
            and features.lifecycle_stage <> history.lifecycle_stage
        where history.valid_to = timestamp '9999-12-31'
    """,
    "between a session and what makes it another customer's": """
        select max(known.known_date) from intermediate.int_customer_sessions__known as known
        inner join features.customer_features as features
            on known.customer_id = features.customer_id and known.event_date = cast(features.feature_at as date)
        where known.sessions < 0 and known.known_date > known.event_date + 2
    """,
    "before a device is known to be a bot": """
        select max(bots.flagged_date) from intermediate.int_bots__flagged as bots
        inner join intermediate.int_events__unioned as events using (device_id)
        where events.known_date < bots.flagged_date and events.product_id is not null
    """,
}


def days_of(company: Build) -> dict[str, datetime]:
    """Build the company's features; return when each of `DAYS` begins.

    Raises `LookupError` when the company has no such day.
    """
    built = Path(shutil.copy(company.warehouse, company.folder / "built.duckdb"))
    dbt_on(built, company.folder, "run", "--select", FEATURES)
    with duckdb.connect(str(built), read_only=True) as connection:
        days = {name: connection.execute(sql).fetchone()[0] for name, sql in DAYS.items()}
    built.unlink()
    if missing := [name for name, day in days.items() if day is None]:
        raise LookupError(f"the company has no day {', none '.join(missing)}")
    return {name: datetime.combine(day, time()) for name, day in days.items()}


def main() -> int:
    """Plant every leak, or those whose name holds a word; return 0 when each is seen, 1 otherwise."""
    parser = argparse.ArgumentParser(prog="python -m tests.proofs.mutations", description=__doc__)
    parser.add_argument("word", nargs="?", default="", help="only leaks whose name holds it")
    parser.add_argument("--all-proofs", action="store_true", help="do not stop at the first proof that objects")
    options, unseen = parser.parse_args(), 0
    with tempfile.TemporaryDirectory() as temporary:
        company = landed_company(Path(temporary) / "company")
        days = days_of(company)
        for number, mutation in enumerate(m for m in MUTATIONS if options.word in m.name):
            folder = Path(temporary) / str(number)
            folder.mkdir()
            shown = [days[mutation.day]] if mutation.day else sorted(set(days.values()))
            found = objections(mutation, company.warehouse, folder, [LATE, *shown])
            said = list(found) if options.all_proofs else [next(found, None)]
            seen = [name for name in said if name]
            unseen += not seen
            print(f"{'seen by ' + ', '.join(seen) if seen else 'NOT SEEN':24} {mutation.name}", flush=True)
            shutil.rmtree(folder)
    print(f"{unseen} leaks were not seen" if unseen else "every leak was seen")
    return 1 if unseen else 0


if __name__ == "__main__":
    sys.exit(main())
