"""What the HTTP server serves: contacts of the CRM, responses to campaigns, exchange rates."""

import json
from pathlib import Path

import numpy as np

from sample import flaws
from sample.behaviour import DAY, Sales
from sample.systems.shop import opened_at
from sample.world import People, Size

METRICS = {
    "M-RECEIVED": "Received Email",
    "M-OPENED": "Opened Email",
    "M-CLICKED": "Clicked Email",
    "M-LEFT": "Unsubscribed",
}
OPEN_RATE, CLICK_RATE, LEAVE_RATE = 0.35, 0.25, 0.004


def write_api(folder: Path, size: Size, people: People, sales: Sales, rates: dict) -> list[dict]:
    """Write all files below `folder`; return the merged contacts: contact, merged id, person."""
    folder.mkdir(parents=True, exist_ok=True)
    contacts, merged = make_contacts(size, people, sales)
    write_lines(folder / "contacts.jsonl", contacts)
    campaigns, events, profiles = make_marketing(size, people)
    write_lines(folder / "marketing_campaigns.jsonl", campaigns)
    write_lines(folder / "marketing_events.jsonl", events)
    write_lines(folder / "marketing_profiles.jsonl", profiles)
    metrics = [{"type": "metric", "id": key, "attributes": {"name": name}} for key, name in METRICS.items()]
    write_lines(folder / "marketing_metrics.jsonl", metrics)
    (folder / "rates.json").write_text(json.dumps({"base": "USD", "rates": rates}))
    return merged


def write_lines(file: Path, records: list[dict]) -> None:
    """Write one JSON object a line."""
    file.write_text("".join(json.dumps(record) + "\n" for record in records))


def iso(size: Size, seconds: float) -> str:
    """Return seconds from the first day as ISO 8601 in UTC, with milliseconds."""
    milliseconds = size.start.astype("datetime64[ms]").astype(np.int64) + round(seconds * 1000)
    return f"{np.datetime_as_string(np.datetime64(int(milliseconds), 'ms'))}Z"


def make_contacts(size: Size, people: People, sales: Sales) -> tuple[list[dict], list[dict]]:
    """Return the contacts as HubSpot has them after the last day, and which were merged into which person's contact.

    A merged contact is gone from the list; its survivor names it. A first order makes a lead a customer.
    """
    rng, changes = size.random("contacts"), size.random("addresses and cards")
    first_order = np.full(len(people.email), np.inf)
    np.minimum.at(first_order, sales.person, sales.at.astype(float))
    contacts, merged = [], []
    for person in np.flatnonzero((people.contact > 0) & (people.joined < size.days)).tolist():
        contact, created = int(people.contact[person]), contact_created(people, person)
        stages = [("lead", created)]
        if people.joined[person] < 0:
            stages.append(("customer", created + 5 * DAY if created + 5 * DAY < 0 else created + 60))
        elif np.isfinite(first_order[person]):
            stages.append(("customer", max(float(first_order[person]) + 300, created + 60)))
        consents = {
            name: [(bool(given), created)]
            for name, given in zip(
                ("marketing_consent", "personalization_consent"), people.consents[person], strict=True
            )
        }
        changed = rng.uniform(0, size.days * DAY)
        if rng.random() < 0.05 and changed > created:
            consents["personalization_consent"].append((not people.consents[person, 1], changed))
        twin = rng.random() < flaws.MERGED_CONTACTS
        email, card = str(people.email[person]), int(people.loyalty[person])
        email = email.upper() if rng.random() < flaws.SHOUTED_EMAILS else email
        late = float(changes.uniform(max(created, 0), size.days * DAY))
        is_changed, is_late = changes.random(2) < [flaws.CHANGED_EMAILS, flaws.LATE_CARDS]
        history = {
            "email": [(f"former.{email}", created), (email, late)] if is_changed else [(email, created)],
            "loyalty_id": [(card, late if is_late else created)] if card else [],
            "lifecyclestage": stages,
            **consents,
        }
        updated = min(max(at for values in history.values() for _, at in values), size.days * DAY - 1)
        if twin:
            merged.append(
                {"crm_contact_id": str(contact), "merged_contact_id": str(contact + 500_000), "person_id": person}
            )
            updated = min(updated + 3600, size.days * DAY - 1)
        properties = {
            "firstname": str(people.first[person]),
            "lastname": str(people.last[person]),
            "phone": str(people.phone[person]),
            "country": str(people.country[person]),
            "createdate": iso(size, created),
            "lastmodifieddate": iso(size, updated),
            "hs_merged_object_ids": str(contact + 500_000) if twin else None,
            **{name: as_text(values[-1][0]) if values else None for name, values in history.items()},
        }
        contacts.append({
            "id": str(contact),
            "properties": properties,
            "propertiesWithHistory": {
                name: [
                    {"value": as_text(value), "timestamp": iso(size, at), "sourceType": "CRM_UI"}
                    for value, at in reversed(values)
                ]
                for name, values in history.items()
            },
            "createdAt": iso(size, created),
            "updatedAt": iso(size, updated),
            "archived": bool(rng.random() < flaws.ARCHIVED_CONTACTS),
        })  # fmt: skip
    return contacts, merged


def contact_created(people: People, person: int) -> float:
    """Return when a contact was created: a minute after the account, or up to five days before for a lead in ten."""
    opened = opened_at(people, np.array([person]))[0]
    return float(opened - (person % 5 + 1) * DAY if person % 10 == 3 else opened + 60)


def as_text(value: object) -> str:
    """Return a property's value as HubSpot keeps it: as text."""
    return str(value).lower() if isinstance(value, bool | np.bool_) else str(value)


def make_marketing(size: Size, people: People) -> tuple[list[dict], list[dict], list[dict]]:
    """Return a campaign a week, the responses of those who agreed to them, by time, and their profiles."""
    rng = size.random("marketing")
    agreed = np.flatnonzero(people.consents[:, 0] & ((people.account > 0) | (people.contact > 0)) & (people.joined < 0))
    campaigns, responses = [], []
    left = np.zeros(len(people.email), dtype=bool)
    for week in range(-(-size.days // 7)):
        sent = week * 7 * DAY + 9 * 3600
        key, name = f"01CAMPAIGN{week:04d}", f"Week {week + 1}"
        campaigns.append({"type": "campaign", "id": key, "attributes": {
            "name": name, "status": "Sent", "channel": "email", "send_time": iso(size, sent),
            "created_at": iso(size, sent - DAY), "updated_at": iso(size, sent),
        }})  # fmt: skip
        reached = agreed[~left[agreed] & (rng.random(len(agreed)) < 0.9)]
        opens = rng.random(len(reached)) < OPEN_RATE * (0.5 + people.activity[reached] / (1 + people.activity[reached]))
        clicks = opens & (rng.random(len(reached)) < CLICK_RATE)
        leaves = opens & (rng.random(len(reached)) < LEAVE_RATE)
        opened = sent + 120 + rng.exponential(6 * 3600, len(reached))
        left[reached[leaves]] = True
        for metric, who, at in (
            ("M-RECEIVED", reached, np.full(len(reached), sent + 60.0)),
            ("M-OPENED", reached[opens], opened[opens]),
            ("M-CLICKED", reached[clicks], opened[clicks] + 45),
            ("M-LEFT", reached[leaves], opened[leaves] + 90),
        ):
            responses += [
                (t, p, metric, key, name) for t, p in zip(at.tolist(), who.tolist(), strict=True) if t < size.days * DAY
            ]
    responses.sort()
    events = [
        {
            "type": "event", "id": f"R{number:08d}",
            "attributes": {"datetime": iso(size, at), "timestamp": int(at),
                           "event_properties": {"Campaign Name": name, "$message": key, "Subject": f"New: {name}"}},
            "relationships": {"metric": {"data": {"type": "metric", "id": metric}},
                              "profile": {"data": {"type": "profile", "id": f"P{person:07d}"}}},
        }
        for number, (at, person, metric, key, name) in enumerate(responses)
    ]  # fmt: skip
    profiles = [
        {"type": "profile", "id": f"P{person:07d}", "attributes": {
            "email": str(people.email[person]), "phone_number": str(people.phone[person]),
            "first_name": str(people.first[person]), "last_name": str(people.last[person])}}
        for person in agreed.tolist()
    ]  # fmt: skip
    return campaigns, events, profiles
