"""Who is who and what is a bot, scored against what the sample company knows to be true. Prints the scores."""

from collections import defaultdict

import duckdb
import pyarrow.parquet as pq
import pytest

from tests.conftest import Build
from tests.proofs import from_files


@pytest.fixture(scope="module")
def people(company: Build) -> dict[str, int]:
    """Who each published customer is in truth."""
    with duckdb.connect(str(company.warehouse), read_only=True) as connection:
        hashes = dict(
            connection.execute("""
                select email, email_hash from staging.stg_shop__orders where email is not null
                union select email, email_hash from staging.stg_crm__contacts where email is not null
            """).fetchall()
        )
    found = {}
    for person in pq.read_table(company.files / "truth" / "persons.parquet").to_pylist():
        names = [
            person["shop_customer_id"],
            f"crm-{person['crm_contact_id']}",
            f"card-{person['loyalty_id']}",
            f"guest-{hashes.get(person['email'].lower(), '')[:16]}",
        ]
        found |= {name: person["person_id"] for name in names if name and not name.endswith(("-None", "guest-"))}
    for merged in pq.read_table(company.files / "truth" / "merged_contacts.parquet").to_pylist():
        found[f"crm-{merged['merged_contact_id']}"] = merged["person_id"]
    return found


def truth(company: Build) -> dict[tuple[str, str], dict]:
    """Return the truth about each event, by source and id: its copies have the same."""
    rows = pq.read_table(company.files / "truth" / "events.parquet").to_pylist()
    return {(row["source"], row["message_id"]): row for row in rows}


def published(company: Build) -> list[tuple]:
    """Return source, id, customer and whether it is a bot's of each published event, what was planted left out."""
    with duckdb.connect(str(company.warehouse), read_only=True) as connection:
        return connection.execute(
            """select source, event_id, customer_id, is_bot
            from core.fct_events where event_id not similar to '(canary|odd).*'"""
        ).fetchall()


def test_events_belong_to_who_made_them(company: Build, people: dict[str, int]) -> None:
    true = truth(company)
    events = {(e.source, e.id): e for e in from_files.events(company.files)}
    # Who ever showed themselves on a device can be known to have been there; nobody can know of others.
    shown = defaultdict(set)
    for key, event in events.items():
        if (event.user or event.order) and key in true:
            shown[event.device].add(true[key]["person_id"])
    right = attributed = knowable = 0
    for source, event_id, customer, is_bot in published(company):
        person = true[source, event_id]["person_id"]
        if is_bot or true[source, event_id]["is_bot"]:
            continue
        is_right = people.get(customer) == person
        attributed += customer is not None
        right += is_right
        knowable += person in shown[events[source, event_id].device]
    precision, recall = right / attributed, right / knowable
    print(
        f"events: precision {precision:.4f} of {attributed:,} attributed, recall {recall:.4f} of {knowable:,} knowable"
    )
    assert knowable > 5_000
    assert precision >= 0.99
    assert recall >= 0.95


def test_orders_belong_to_who_placed_them(company: Build, people: dict[str, int]) -> None:
    lines = pq.read_table(company.files / "truth" / "order_lines.parquet").to_pylist()
    placed = {f"{line['channel']}-{line['order_id']}": line["person_id"] for line in lines}
    with duckdb.connect(str(company.warehouse), read_only=True) as connection:
        orders = dict(
            connection.execute(
                "select sales_channel || '-' || source_order_id, customer_id "
                "from core.fct_orders where customer_id is not null"
            ).fetchall()
        )
    scored = {order: customer for order, customer in orders.items() if order in placed and customer in people}
    right = sum(people[customer] == placed[order] for order, customer in scored.items())
    print(f"orders: {right:,} of {len(scored):,} with a customer are given to the right person")
    assert len(scored) > 200
    assert right / len(scored) >= 0.99


def test_bots_are_told_from_people(company: Build) -> None:
    true = truth(company)
    verdicts = [(is_bot, true[source, event_id]["is_bot"]) for source, event_id, _, is_bot in published(company)]
    found = sum(said and is_true for said, is_true in verdicts)
    precision, recall = found / sum(said for said, _ in verdicts), found / sum(is_true for _, is_true in verdicts)
    print(f"bots: precision {precision:.4f}, recall {recall:.4f} of {sum(is_true for _, is_true in verdicts):,} events")
    assert precision >= 0.99
    assert recall >= 0.95
