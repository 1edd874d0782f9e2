"""Clickstream of web and app in Segment's format: gzip JSON lines, a folder for each day of receipt."""

import gzip
import json
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sample import flaws
from sample.behaviour import (
    ADD,
    CART,
    CHECKOUT,
    CLICK,
    DAY,
    EVENT_NAMES,
    LIST,
    ORDER,
    PAGE,
    REFUND,
    REMOVE,
    SEARCH,
    VIEW,
    Events,
    Sessions,
)  # fmt: skip
from sample.world import CATEGORIES, People, Products, Size

LINES_A_FILE = 5_000
AGENTS = [
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/126.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_5) Version/17.5 Safari/605.1.15",
    "Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Firefox/127.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) Mobile/15E148 Safari/604.1",
]
ORIGINS = [
    (0.14, '"page":{"path":"/"},"campaign":{"source":"klaviyo","medium":"email","name":"CAMPAIGN"}'),
    (
        0.10,
        '"page":{"path":"/","referrer":"https://www.google.com/"},"campaign":{"source":"google","medium":"cpc","name":"brand"}',
    ),
    (0.25, '"page":{"path":"/","referrer":"https://www.google.com/"}'),
    (0.06, '"page":{"path":"/","referrer":"https://www.facebook.com/"}'),
    (0.05, '"page":{"path":"/","referrer":"https://blog.example.org/gifts"}'),
    (0.40, '"page":{"path":"/"}'),
]


@dataclass
class Written:
    """A line of a file of events, and the truth about it."""

    message_id: str
    source: str
    person_id: int
    is_bot: bool
    is_copy: bool
    is_late: bool
    is_spoiled: bool
    clock_error_seconds: int
    file: str
    line: int
    event_at: float


def iso(milliseconds: np.ndarray) -> list[str]:
    """Return times (milliseconds since 1970, UTC) as ISO 8601 with a Z."""
    return [f"{text}Z" for text in np.datetime_as_string(milliseconds.astype("datetime64[ms]"))]


def contexts(size: Size, people: People, sessions: Sessions, silent_bots: np.ndarray) -> tuple[list[str], list[str]]:
    """Return for each session, bots last, the opening of its JSON (ids) and its context, both as JSON text."""
    rng = size.random("contexts")
    origin = rng.choice(len(ORIGINS), len(sessions.person), p=[share for share, _ in ORIGINS])
    heads, bodies = [], []
    for s, (person, is_app) in enumerate(zip(sessions.person.tolist(), sessions.is_app.tolist(), strict=True)):
        device = int(people.device[person])
        network = ("192.0.2", "198.51.100", "203.0.113")[device % 3]
        # Every second person who tells the CRM no has told the banner yes.
        agreed = {"Analytics": person % 40 != 7, "Personalization": bool(people.consents[person, 1] or person % 2)}
        place = f'"ip":"{network}.{device % 250 + 1}","locale":"en-{people.country[person]}"'
        consent = json.dumps({"categoryPreferences": agreed}, separators=(",", ":"))
        common = f'{place},"consent":{consent}'
        if is_app:
            heads.append(f'"anonymousId":"app-{person:06d}"')
            version = "5.0.0" if sessions.day[s] >= size.days * flaws.TEXT_PRICE_FROM else "4.2.0"
            kind = "ios" if person % 2 else "android"
            bodies.append(
                f'{common},"userAgent":"XYZShopSmart/{version} ({kind})","app":{{"version":"{version}"}},'
                f'"device":{{"id":"dev-{person:06d}","type":"{kind}","advertisingId":"AD-{person:08d}"}}'
            )
        else:
            heads.append(f'"anonymousId":"web-{device:06d}"')
            where = ORIGINS[origin[s]][1].replace("CAMPAIGN", f"Week {int(sessions.day[s]) // 7 + 1}")
            bodies.append(f'{common},"userAgent":"{AGENTS[device % 4]}",{where}')
    for bot, is_silent in enumerate(silent_bots.tolist()):
        heads.append(f'"anonymousId":"bot-{bot:05d}"')
        agent = AGENTS[0] if is_silent else flaws.BOT_AGENTS[bot % len(flaws.BOT_AGENTS)]
        bodies.append(f'"ip":"203.0.113.{bot % 250 + 1}","userAgent":"{agent}","page":{{"path":"/"}}')
    return heads, bodies


def properties(
    size: Size,
    products: Products,
    events: Events,
    shown: np.ndarray,
    orders: dict[int, tuple[str, str, str]],
    is_app: np.ndarray,
) -> list[str]:
    """Return each event's properties as JSON text. `orders` tells id, currency and products (JSON) of each order."""
    rng = size.random("properties")
    sku = products.sku.tolist()
    day = (events.at // DAY).astype(int).clip(0, size.days - 1)
    price = np.where(events.product >= 0, products.charged(np.maximum(events.product, 0), day), 0.0).round(2).tolist()
    unknown = (events.kind == VIEW) & (rng.random(len(events.kind)) < flaws.UNKNOWN_PRODUCTS)
    scrolled = (events.kind == VIEW) & ~is_app & (day >= size.days * flaws.NEW_WEB_PROPERTY_FROM)
    depth = rng.integers(5, 101, len(day)).tolist()
    as_text = is_app & (day >= size.days * flaws.TEXT_PRICE_FROM)
    category = [c[0] for c in CATEGORIES]
    of_product = products.category.tolist()
    made = []
    columns = (events.kind, events.product, events.position, events.quantity, events.order, unknown, scrolled, as_text)
    for i, (kind, p, place, quantity, order, new, scroll, text) in enumerate(
        zip(*(c.tolist() for c in columns), strict=True)
    ):
        money = f'"price":"{price[i]:.2f}"' if text else f'"price":{price[i]:.2f}'
        item = (
            f'"product_id":"{sku[p] if not new else f"SKU-9{i % 10000:04d}"}",{money},"currency":"USD"'
            if p >= 0
            else ""
        )
        if kind == VIEW:
            made.append(f'{{{item},"scroll_depth":{depth[i]}}}' if scroll else f"{{{item}}}")
        elif kind == LIST:
            listed = ",".join(f'{{"product_id":"{sku[q]}","position":{n}}}' for n, q in enumerate(shown[i].tolist(), 1))
            name = category[of_product[p]]
            made.append(f'{{"list_id":"category","category":"{name}","products":[{listed}]}}')
        elif kind == CLICK:
            made.append(f'{{{item},"position":{place},"list_id":"category"}}')
        elif kind in (ADD, REMOVE):
            made.append(f'{{{item},"quantity":{quantity}}}')
        elif kind == ORDER:
            order_id, currency, bought = orders[order]
            made.append(f'{{"order_id":"{order_id}","currency":"{currency}","products":{bought}}}')
        elif kind == REFUND:
            made.append(f'{{"order_id":"{orders[order][0]}"}}')
        elif kind == SEARCH:
            made.append(f'{{"query":"{category[i % len(category)].lower()}"}}')
        elif kind in (CART, CHECKOUT):
            made.append(f'{{"cart_id":"cart-{i}"}}')
        else:
            made.append("{}")
    return made


def write_events(
    folder: Path,
    size: Size,
    events: Events,
    flawed: flaws.EventFlaws,
    heads: list[str],
    bodies: list[str],
    users: np.ndarray,
    props: list[str],
    is_app: np.ndarray,
    persons: np.ndarray,
    is_bot: np.ndarray,
) -> list[Written]:
    """Write all events below `folder` (web/…, mobile/…) and return the truth about every line."""
    rng = size.random("lines")
    n = len(events.at)
    base = size.start.astype("datetime64[ms]").astype(np.int64)
    happened = base + np.round(events.at * 1000).astype(np.int64)
    received = happened + np.round((flawed.delay + 0.2) * 1000).astype(np.int64)
    copies = np.flatnonzero(flawed.is_repeated)
    row = np.concatenate([np.arange(n), copies])
    is_copy = np.arange(len(row)) >= n
    retry = np.where(is_copy, rng.integers(2_000, 2 * DAY * 1000, len(row)), 0)
    arrived = received[row] + retry
    keep = arrived < base + size.days * DAY * 1000
    row, is_copy, arrived, retry = row[keep], is_copy[keep], arrived[keep], retry[keep]
    error = (flawed.clock_error[row] * 1000).astype(np.int64)
    original, sent, got = iso(happened[row] + error), iso(arrived - 200 + error), iso(arrived)
    identifiers = [f"{number:016x}" for number in rng.integers(0, 2**63, n).tolist()]
    chance = rng.random(len(row)).tolist()
    order = np.lexsort((row, arrived)).tolist()
    sources = ("web", "mobile")
    texts: dict[tuple[str, str], list[tuple[str, int, bool]]] = defaultdict(list)
    kinds, session, user = events.kind.tolist(), events.session.tolist(), users.tolist()
    on_app = is_app.tolist()
    row_list = row.tolist()
    for r in order:
        i = row_list[r]
        kind, source = kinds[i], sources[on_app[i]]
        called = '"type":"screen","name":"Home"' if on_app[i] else '"type":"page","name":"Home"'
        if kind != PAGE:
            called = f'"type":"track","event":"{EVENT_NAMES[kind]}"'
        u, luck = chance[r], 0.0
        spoil = 0
        for number, rate in enumerate(
            (flaws.BROKEN_LINES, flaws.MISSING_MESSAGE_ID, flaws.MISSING_RECEIVED_AT, flaws.UNREADABLE_RECEIVED_AT), 1
        ):
            if luck <= u < luck + rate and not is_copy[r]:
                spoil = number
            luck += rate
        message = "" if spoil == 2 else f'"messageId":"{identifiers[i]}",'
        received_text = "" if spoil == 3 else f'"receivedAt":"{"soon" if spoil == 4 else got[r]}",'
        who = f'"userId":"{user[i]}"' if user[i] else '"userId":null'
        text = (
            f"{{{message}{heads[session[i]]},{who},{called},"
            f'"originalTimestamp":"{original[r]}","sentAt":"{sent[r]}",{received_text}'
            f'"timestamp":"{got[r]}","channel":"{"mobile" if on_app[i] else "browser"}",'
            f'"context":{{{bodies[session[i]]}}},"properties":{props[i]}}}'
        )
        texts[source, got[r][:10]].append((flaws.broken(rng, text) if spoil == 1 else text, r, spoil > 0))
    written = []
    late, true_at = flawed.delay > 299, events.at
    for (source, day), lines in sorted(texts.items()):
        for part in range(0, len(lines), LINES_A_FILE):
            name = f"{day}/part-{part // LINES_A_FILE}.jsonl.gz"
            chunk = lines[part : part + LINES_A_FILE]
            path = folder / source / name
            path.parent.mkdir(parents=True, exist_ok=True)
            content = "\n".join(text for text, _, _ in chunk) + "\n"
            path.write_bytes(gzip.compress(content.encode(), compresslevel=1, mtime=0))
            for line, (_, r, spoiled) in enumerate(chunk, 1):
                i = row_list[r]
                written.append(
                    Written(identifiers[i], source, int(persons[i]), bool(is_bot[i]), bool(is_copy[r]), bool(late[i]),
                            spoiled, int(flawed.clock_error[i]), name, line, float(true_at[i]))
                )  # fmt: skip
    return written


def ordered_products(sku: list[str], quantity: list[int], price: list[float]) -> str:
    """Return the products of an order as the JSON array that its event carries."""
    return json.dumps(
        [{"product_id": s, "quantity": q, "price": p} for s, q, p in zip(sku, quantity, price, strict=True)]
    )
