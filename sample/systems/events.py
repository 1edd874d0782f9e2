"""Clickstream of web and app in Segment's format: gzip JSON lines, a folder for each day of receipt."""

import gzip
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

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
LINES_AT_A_TIME = 100_000  # so that memory does not grow with the company while lines are put together
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


def contexts(size: Size, people: People, sessions: Sessions, silent_bots: np.ndarray) -> tuple[list[str], list[str]]:
    """Return for each session, bots last, the opening of its JSON (ids) and its context, both as JSON text."""
    rng = size.random("contexts")
    origin = rng.choice(len(ORIGINS), len(sessions.person), p=[share for share, _ in ORIGINS])
    heads, bodies, days = [], [], sessions.day.tolist()
    for s, (person, is_app) in enumerate(zip(sessions.person.tolist(), sessions.is_app.tolist(), strict=True)):
        device = int(people.device[person])
        network = ("192.0.2", "198.51.100", "203.0.113")[device % 3]
        consent = str(bool(people.consents[person, 1])).lower()
        place = f'"ip":"{network}.{device % 250 + 1}","locale":"en-{people.country[person]}"'
        common = f'{place},"consent":{{"personalization":{consent}}}'
        if is_app:
            heads.append(f'"anonymousId":"app-{person:06d}"')
            version = "5.0.0" if days[s] >= size.days * flaws.TEXT_PRICE_FROM else "4.2.0"
            kind = "ios" if person % 2 else "android"
            bodies.append(
                f'{common},"userAgent":"XYZShopSmart/{version} ({kind})","app":{{"version":"{version}"}},'
                f'"device":{{"id":"dev-{person:06d}","type":"{kind}","advertisingId":"AD-{person:08d}"}}'
            )
        else:
            heads.append(f'"anonymousId":"web-{device:06d}"')
            where = ORIGINS[origin[s]][1].replace("CAMPAIGN", f"Week {days[s] // 7 + 1}")
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
    unknown: np.ndarray,
) -> list[str]:
    """Return each event's properties as JSON text. `orders` tells id, currency and products (JSON) of each order."""
    rng = size.random("properties")
    sku = products.sku.tolist()
    day = (events.at // DAY).astype(int).clip(0, size.days - 1)
    price = np.where(events.product >= 0, products.charged(np.maximum(events.product, 0), day), 0.0).round(2).tolist()
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
        item = f'"product_id":"{flaws.unknown_sku(i) if new else sku[p]}",{money},"currency":"USD"' if p >= 0 else ""
        if kind == VIEW:
            made.append(f'{{{item},"scroll_depth":{depth[i]}}}' if scroll else f"{{{item}}}")
        elif kind == LIST:
            listed = ",".join(
                f'{{"product_id":"{sku[q]}","position":{n}}}' for n, q in enumerate(shown[i].tolist(), 1) if q >= 0
            )
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


SPOILED = (
    (flaws.BROKEN_LINES, "broken"),
    (flaws.MISSING_MESSAGE_ID, "messageId is missing"),
    (flaws.MISSING_RECEIVED_AT, "receivedAt is missing"),
    (flaws.UNREADABLE_RECEIVED_AT, "receivedAt is no time"),
)
NOT_SPOILED, BROKEN, NO_MESSAGE_ID, NO_RECEIVED_AT, NO_TIME = range(-1, 4)


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
) -> pa.Table:
    """Write all events below `folder` (web/…, mobile/…) and return the truth about every line."""
    rng, n = size.random("lines"), len(events.at)
    start = size.start.astype("datetime64[ms]").astype(np.int64)
    happened = start + np.round(events.at * 1000).astype(np.int64)
    received = happened + np.round((flawed.delay + 0.2) * 1000).astype(np.int64)
    row = np.concatenate([np.arange(n), np.flatnonzero(flawed.is_repeated)])
    is_copy = np.arange(len(row)) >= n
    arrived = received[row] + np.where(is_copy, rng.integers(2_000, 2 * DAY * 1000, len(row)), 0)
    identifiers = pa.array([f"{number:016x}" for number in rng.integers(0, 2**63, n).tolist()])
    # Lines lie in the order of their receipt; what is still on its way when the last day ends is in no file.
    order = np.lexsort((row, arrived, is_app[row]))
    order = order[arrived[order] < start + size.days * DAY * 1000]
    row, is_copy, arrived = row[order], is_copy[order], arrived[order]
    spoiled = np.searchsorted(np.cumsum([rate for rate, _ in SPOILED]), rng.random(len(row)), side="right")
    spoiled = np.where((spoiled < len(SPOILED)) & ~is_copy, spoiled, NOT_SPOILED)
    error = flawed.clock_error[row].astype(np.int64) * 1000
    times = happened[row] + error, arrived - 200 + error, arrived
    texts_of = heads, bodies, props
    texts = pa.chunked_array([
        line_texts(*(each[part] for each in (row, spoiled, *times)), identifiers, events, texts_of, users, is_app)
        for part in np.array_split(np.arange(len(row)), len(row) // LINES_AT_A_TIME + 1)
    ])  # fmt: skip
    how = [None if each == NOT_SPOILED else SPOILED[each][1] for each in spoiled.tolist()]
    texts = texts.to_pylist()
    for i in np.flatnonzero(spoiled == BROKEN).tolist():
        texts[i], how[i] = flaws.broken(rng, texts[i])
    source, file, line = write_lines(folder, is_app[row], arrived, texts)
    at = size.start.astype("datetime64[us]").astype(np.int64) + np.round(events.at[row] * 1e6).astype(np.int64)
    return pa.table({
        "message_id": identifiers.take(row), "source": source, "person_id": persons[row], "is_bot": is_bot[row],
        "is_copy": is_copy, "is_late": flawed.delay[row] >= flaws.LATE_FROM, "is_spoiled": spoiled != NOT_SPOILED,
        "clock_error_seconds": flawed.clock_error[row], "file": file, "line": line,
        "event_at": pa.array(at, pa.timestamp("us")), "spoiled_how": pa.array(how, pa.string()),
        "is_unknown_product": flawed.is_unknown_product[row],
    })  # fmt: skip


def line_texts(
    row: np.ndarray,
    spoiled: np.ndarray,
    original: np.ndarray,
    sent: np.ndarray,
    received: np.ndarray,
    identifiers: pa.Array,
    events: Events,
    texts_of: tuple[list[str], list[str], list[str]],
    users: np.ndarray,
    is_app: np.ndarray,
) -> pa.Array:
    """Return the lines of the events `row`, received at those times (milliseconds since 1970), as text.

    `texts_of` are JSON texts: the openings and the contexts by session, the properties by event.
    """
    heads, bodies, props = texts_of
    session, on_app = events.session[row].tolist(), is_app[row]
    called = np.array([f'"type":"track","event":"{name}"' for name in EVENT_NAMES], dtype=object)[events.kind[row]]
    is_page = events.kind[row] == PAGE
    called[is_page] = np.where(on_app[is_page], '"type":"screen","name":"Home"', '"type":"page","name":"Home"')
    got = iso(received)
    user = pa.array(users[row])
    return joined(
        "{",
        pc.if_else(spoiled == NO_MESSAGE_ID, "", joined('"messageId":"', identifiers.take(row), '",')),
        pa.array([heads[s] for s in session]),
        pc.if_else(pc.equal(user, 0), ',"userId":null,', joined(',"userId":"', user.cast(pa.string()), '",')),
        pa.array(called.tolist()),
        joined(',"originalTimestamp":"', iso(original), '","sentAt":"', iso(sent), '",'),
        pc.if_else(
            spoiled == NO_RECEIVED_AT,
            "",
            joined('"receivedAt":"', pc.if_else(spoiled == NO_TIME, "soon", got), '",'),
        ),
        joined('"timestamp":"', got, '","channel":"', pc.if_else(on_app, "mobile", "browser"), '","context":{'),
        pa.array([bodies[s] for s in session]),
        '},"properties":',
        pa.array([props[i] for i in row.tolist()]),
        "}",
    )


def joined(*parts: pa.Array | str) -> pa.Array:
    """Return the texts of `parts` one after the other, row by row."""
    return pc.binary_join_element_wise(*parts, "")


def iso(milliseconds: np.ndarray) -> pa.Array:
    """Return times (milliseconds since 1970, UTC) as ISO 8601 with a Z."""
    return joined(pa.array(np.datetime_as_string(milliseconds.astype("datetime64[ms]"))), "Z")


def write_lines(
    folder: Path, is_app: np.ndarray, received: np.ndarray, texts: list[str]
) -> tuple[pa.Array, pa.Array, np.ndarray]:
    """Write lines, sorted by source and time of receipt, into files; return source, file and line of each."""
    day = received // (DAY * 1000)
    number = is_app * 10**6 + day
    first = np.searchsorted(number, number)
    place = np.arange(len(number)) - first
    starts = np.flatnonzero(place % LINES_A_FILE == 0).tolist()
    names, lengths = [], []
    for start, end in zip(starts, [*starts[1:], len(texts)], strict=True):
        source = "mobile" if is_app[start] else "web"
        name = f"{day[start].astype('datetime64[D]')}/part-{place[start] // LINES_A_FILE}.jsonl.gz"
        path = folder / source / name
        path.parent.mkdir(parents=True, exist_ok=True)
        content = "\n".join(texts[start:end]) + "\n"
        path.write_bytes(gzip.compress(content.encode(), compresslevel=1, mtime=0))
        names.append((source, name))
        lengths.append(end - start)
    of_file = pa.array(np.repeat(np.arange(len(names)), lengths))
    sources, files = (pa.array([name[i] for name in names], pa.string()).take(of_file) for i in (0, 1))
    return sources, files, place % LINES_A_FILE + 1


def ordered_products(sku: list[str], quantity: list[int], price: list[float]) -> str:
    """Return the products of an order as the JSON array that its event carries."""
    return json.dumps(
        [{"product_id": s, "quantity": q, "price": p} for s, q, p in zip(sku, quantity, price, strict=True)]
    )
