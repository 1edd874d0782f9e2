"""What people do: visits, lists, clicks, carts, purchases, returns, and what they do in shops and with e-mails."""

from dataclasses import dataclass

import numpy as np

from sample.world import CATEGORIES, STORES, People, Products, Size

DAY = 86_400
EVENTS_PER_SESSION = 8.6  # measured; only how many sessions are drawn depends on it
PEAK_MONTH_LIFT = 0.8
LIST_LENGTH = 8

(PAGE, SEARCH, LIST, CLICK, VIEW, ADD, REMOVE, CART, CHECKOUT, ORDER, REFUND, INSTALL, OPEN, BACKGROUND) = range(14)
EVENT_NAMES = [
    "page", "Products Searched", "Product List Viewed", "Product Clicked", "Product Viewed", "Product Added",
    "Product Removed", "Cart Viewed", "Checkout Started", "Order Completed", "Order Refunded",
    "Application Installed", "Application Opened", "Application Backgrounded",
]  # fmt: skip


@dataclass
class Sessions:
    """Visits, arrays by session: who, when (seconds from the first day), on which channel, logged in from when."""

    person: np.ndarray
    start: np.ndarray
    is_app: np.ndarray
    login: np.ndarray  # seconds into the session from which the account shows; a large number: never

    @property
    def day(self) -> np.ndarray:
        """Day of the visit, from 0."""
        return self.start // DAY


@dataclass
class Events:
    """What happened in visits, arrays by event; -1 and 0 stand for none."""

    session: np.ndarray
    at: np.ndarray  # seconds from the first day, with milliseconds
    kind: np.ndarray
    product: np.ndarray
    position: np.ndarray
    quantity: np.ndarray
    order: np.ndarray


@dataclass
class Lines:
    """Order lines, arrays by line. `order` counts from 0 within a sales channel; prices are in USD."""

    order: np.ndarray
    product: np.ndarray
    quantity: np.ndarray
    price: np.ndarray


@dataclass
class Sales:
    """Orders of one sales channel: who, when, and the lines."""

    person: np.ndarray
    at: np.ndarray
    lines: Lines


def make_sessions(size: Size, people: People) -> Sessions:
    """Return the visits: more at weekends and in the evening, more by active people."""
    rng = size.random("sessions")
    count = max(int(size.events / EVENTS_PER_SESSION), 1)
    person = np.sort(rng.choice(size.customers, count, p=people.activity / people.activity.sum()))
    weekday = (np.arange(size.days) + int((size.start - np.datetime64("2026-01-05")).astype(int))) % 7
    weight = np.where(weekday >= 5, 1.35, 1.0) * np.linspace(0.9, 1.1, size.days)
    day = rng.choice(size.days, count, p=weight / weight.sum())
    hour = np.clip(rng.normal(18, 4.5, count), 0, 23.99)
    is_app = (people.app_device[person] > 0) & (rng.random(count) < 0.5)
    # Who has an account logs in on most visits, somewhere on the way; before they joined they cannot.
    knows = (people.account[person] > 0) & (day > people.joined[person])
    logs_in = knows & (rng.random(count) < np.where(is_app, 0.8, 0.55))
    login = np.where(logs_in, rng.choice([0, 60, 240], count, p=[0.4, 0.4, 0.2]), 10**9)
    order = np.lexsort((day * DAY + hour, person))
    return Sessions(person[order], (day * DAY + hour * 3600).astype(np.int64)[order], is_app[order], login[order])


def choose_products(
    rng: np.random.Generator, people: People, products: Products, person: np.ndarray, day: np.ndarray, month: int
) -> np.ndarray:
    """Return a product for each person and day: by their taste for categories, the season, the brand and the price."""
    season = np.array(
        [1 + PEAK_MONTH_LIFT * (1 - min(abs(c[3] - month), 12 - abs(c[3] - month)) / 6) for c in CATEGORIES]
    )
    weights = np.cumsum(people.taste * season, axis=1)
    drawn = rng.random(len(person)) * weights[person, -1]
    category = np.minimum((weights[person] < drawn[:, None]).sum(axis=1), len(CATEGORIES) - 1)
    best, best_liking = np.zeros(len(person), dtype=np.int64), np.full(len(person), -np.inf)
    members = [np.flatnonzero(products.category == c) for c in range(len(CATEGORIES))]
    cumulated = [np.cumsum(products.popularity[m]) for m in members]
    for _ in range(3):  # looks at three, takes the one liked best
        u, tried = rng.random(len(person)), np.zeros(len(person), dtype=np.int64)
        for c, (member, cumulative) in enumerate(zip(members, cumulated, strict=True)):
            here = category == c
            tried[here] = member[np.minimum(np.searchsorted(cumulative, u[here] * cumulative[-1]), len(member) - 1)]
        liking = (products.brand[tried] == people.brand[person]) * 1.5
        liking = liking - np.log(products.charged(tried, day)) * people.thrift[person]
        liking += np.where(products.listed[tried, day] & products.stocked[tried, day], 0, -20) + rng.gumbel(
            0, 0.5, len(u)
        )
        better = liking > best_liking
        best, best_liking = np.where(better, tried, best), np.where(better, liking, best_liking)
    return best


def make_events(size: Size, people: People, products: Products, sessions: Sessions) -> tuple[Events, np.ndarray, Sales]:
    """Return all events of the visits, the products that each list event showed (by event, -1 for others), the orders.

    A visit views some products, most of them found in a list; some go into the cart, some of these out again; some
    carts are ordered. Whether a product is wanted depends on taste, so that what was viewed tells what is bought.
    """
    rng = size.random("events")
    month = int(str(size.start)[5:7])
    viewing = np.repeat(np.arange(len(sessions.person)), rng.geometric(0.42, len(sessions.person)).clip(1, 8))
    person, day = sessions.person[viewing], sessions.day[viewing].clip(0, size.days - 1)
    product = choose_products(rng, people, products, person, day, month)
    again = rebought(rng, products, viewing, person, product)
    product = np.where(again >= 0, again, product)
    step = np.arange(len(viewing)) - np.searchsorted(viewing, viewing)
    at = sessions.start[viewing] + 20 + step * 95 + rng.random(len(viewing)) * 40
    from_list, from_search = rng.random(len(viewing)) < 0.55, rng.random(len(viewing)) < 0.2
    liking = people.taste[person, products.category[product]]
    adds = rng.random(len(viewing)) < np.clip(0.14 + 0.5 * liking + 0.4 * (again >= 0), 0, 0.9)
    removes = adds & (rng.random(len(viewing)) < 0.1)
    quantity = np.where(rng.random(len(viewing)) < 0.85, 1, rng.integers(2, 4, len(viewing)))
    position = np.minimum(rng.geometric(0.3, len(viewing)), LIST_LENGTH)

    kept = np.bincount(viewing[adds & ~removes], minlength=len(sessions.person))
    touched = np.bincount(viewing[adds], minlength=len(sessions.person)) > 0
    length = np.bincount(viewing, minlength=len(sessions.person))
    checks_out = (kept > 0) & (rng.random(len(kept)) < 0.75)
    orders = checks_out & (rng.random(len(kept)) < 0.72)
    sees_cart = touched & (rng.random(len(kept)) < 0.6) | checks_out
    order = np.where(orders, np.cumsum(orders) - 1, -1)
    end = sessions.start + 20 + length * 95 + 60

    s, app = np.arange(len(sessions.person)), sessions.is_app
    none = np.full
    blocks = [
        (s, sessions.start, PAGE, None, None, None, None),
        (s[app], sessions.start[app] - 1, OPEN, None, None, None, None),
        (viewing[from_search], at[from_search] - 12, SEARCH, None, None, None, None),
        (viewing[from_list], at[from_list] - 9, LIST, product[from_list], position[from_list], None, None),
        (viewing[from_list], at[from_list] - 3, CLICK, product[from_list], position[from_list], None, None),
        (viewing, at, VIEW, product, None, None, None),
        (viewing[adds], at[adds] + 15, ADD, product[adds], None, quantity[adds], None),
        (viewing[removes], at[removes] + 40, REMOVE, product[removes], None, quantity[removes], None),
        (s[sees_cart], end[sees_cart], CART, None, None, None, None),
        (s[checks_out], end[checks_out] + 30, CHECKOUT, None, None, None, None),
        (s[orders], end[orders] + 120, ORDER, None, None, None, order[orders]),
        (s[app], end[app] + 150, BACKGROUND, None, None, None, None),
    ]
    installs = s[app][np.unique(sessions.person[app], return_index=True)[1]] if app.any() else s[:0]
    blocks.append((installs, sessions.start[installs] - 5, INSTALL, None, None, None, None))

    def column(values: np.ndarray | None, length: int, absent: int) -> np.ndarray:
        return none(length, absent) if values is None else values

    parts = [
        (b[0], b[1] + 0.0, none(len(b[0]), b[2]), column(b[3], len(b[0]), -1), column(b[4], len(b[0]), 0),
         column(b[5], len(b[0]), 0), column(b[6], len(b[0]), -1))
        for b in blocks
    ]  # fmt: skip
    events = Events(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))
    events.at = np.round(events.at + rng.random(len(events.at)), 3)
    shown = make_lists(rng, products, events)
    bought = adds & ~removes & orders[viewing]
    lines = Lines(
        order[viewing[bought]], product[bought], quantity[bought], products.charged(product[bought], day[bought])
    )
    return events, shown, Sales(sessions.person[orders], end[orders] + 120, lines)


def rebought(
    rng: np.random.Generator, products: Products, viewing: np.ndarray, person: np.ndarray, product: np.ndarray
) -> np.ndarray:
    """Return, for one view in six after one of something consumable, that product again; -1 elsewhere."""
    replenished = np.array([c[2] for c in CATEGORIES])[products.category[product]]
    place = np.where(replenished, np.arange(len(product)), -1)
    last = np.concatenate([[-1], np.maximum.accumulate(place)[:-1]]) if len(place) else place
    valid = (last >= 0) & (rng.random(len(product)) < 0.17)
    valid &= person[np.maximum(last, 0)] == person
    valid &= viewing[np.maximum(last, 0)] != viewing
    return np.where(valid, product[np.maximum(last, 0)], -1)


def make_lists(rng: np.random.Generator, products: Products, events: Events) -> np.ndarray:
    """Return the products that each list event showed, an array (events, LIST_LENGTH): the clicked one at its place."""
    shown = np.full((len(events.kind), LIST_LENGTH), -1, dtype=np.int32)
    lists = np.flatnonzero(events.kind == LIST)
    category = products.category[events.product[lists]]
    for c in range(len(CATEGORIES)):
        here = lists[category == c]
        member = np.flatnonzero(products.category == c)
        shown[here] = member[rng.integers(0, len(member), (len(here), LIST_LENGTH))]
    shown[lists, events.position[lists] - 1] = events.product[lists]
    return shown


def make_sales(size: Size, people: People, products: Products, channel: str, count: int) -> Sales:
    """Return `count` sales of the marketplace or the tills: whose, when, and one to four lines each, by taste.

    At the tills only people with a card are known; the marketplace tells of nobody (`person` is who it was in truth).
    """
    rng = size.random(channel)
    local = np.isin(people.country, [c for c, _, _ in STORES.values()]) if channel == "store" else people.activity > 0
    pool = np.flatnonzero(local)
    pool = pool if len(pool) else np.arange(size.customers)
    weight = people.activity[pool] * np.where(people.loyalty[pool] > 0, 3.0, 1.0)
    person = rng.choice(pool, count, p=weight / weight.sum())
    day = rng.integers(0, size.days, count)
    at = day * DAY + (9 * 3600 + rng.random(count) * 10 * 3600).astype(np.int64)
    line_order = np.repeat(np.arange(count), rng.geometric(0.55, count).clip(1, 4))
    product = choose_products(rng, people, products, person[line_order], day[line_order], int(str(size.start)[5:7]))
    # A product stands once in an order.
    _, keep = np.unique(line_order * len(products.sku) + product, return_index=True)
    line_order, product = line_order[keep], product[keep]
    quantity = np.where(rng.random(len(keep)) < 0.8, 1, rng.integers(2, 5, len(keep)))
    price = products.charged(product, day[line_order])
    return Sales(person, at, Lines(line_order, product, quantity, price))
