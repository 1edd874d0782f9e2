"""What goes wrong, in known amounts: each rate is a share of the records it speaks of; the truth says which."""

from dataclasses import dataclass

import numpy as np

from sample.behaviour import DAY, VIEW, Events
from sample.world import Products, Size

DUPLICATE_EVENTS = 0.01  # an SDK sends again what it was not told had arrived: same messageId, later receipt
LATE_EVENTS = 0.02  # a device was offline: received minutes to five days later
WRONG_CLOCK_DEVICES = 0.02  # a device's clock is off by hours or days; it shifts both times that the device gives
BOT_EVENTS = 0.03  # of all events; most bots say so in their user agent, some do not
SILENT_BOTS = 0.3  # of the bots
PATIENT_VIEWS = 8  # of a silent bot, one a day or so, before it shows that it is none of the people
BROKEN_LINES = 0.002  # cut in the middle, blank, or no JSON at all
MISSING_MESSAGE_ID = 0.0005
MISSING_RECEIVED_AT = 0.0005
UNREADABLE_RECEIVED_AT = 0.0005
UNKNOWN_PRODUCTS = 0.002  # viewed, but in no feed
MISSING_CURRENCY = 0.01  # orders of shop and marketplace
TEST_ORDERS = 0.005  # of the shop
CANCELLED_ORDERS = 0.03  # of shop and marketplace
CANCELLED_ITEMS = 0.1  # of the marketplace: in an order that goes on without them
REFUNDED_LINES = 0.05  # of the shop
RETURNED_LINES = 0.04  # of the tills
BROKEN_TILL_LINES = 0.003  # too few fields, too many, a quantity in words, a negative price
BROKEN_REPORT_LINES = 0.003  # too few or too many fields
BROKEN_FEED_LINES = 0.0005
OFFLINE_SALES = 0.02  # of the tills: in the file of a day up to five days later
REPEATED_TILL_FILES = 0.01  # a till sends a day's file a second time under another name
MERGED_CONTACTS = 0.01
ARCHIVED_CONTACTS = 0.01
LATE_CARDS = 0.3  # the CRM learns of a contact's card some time after it has the contact
CHANGED_EMAILS = 0.05  # a contact had another address at first
SHOUTED_EMAILS = 0.05  # the CRM has the address in capitals
NEW_WEB_PROPERTY_FROM = 0.5  # share of the days after which web events carry scroll_depth
TEXT_PRICE_FROM = 0.6  # share of the days after which the app sends prices as text
NEW_TILL_COLUMN_FROM = 0.5  # share of the days after which tills have a column cashier_id

BOT_AGENTS = [
    "Mozilla/5.0 (compatible; Googlebot/2.1; +https://bot.example.com)",
    "Mozilla/5.0 (compatible; bingbot/2.0)",
    "python-requests/2.32",
    "Mozilla/5.0 (X11; Linux x86_64) HeadlessChrome/126.0 Safari/537.36",
]


@dataclass
class EventFlaws:
    """What is wrong with each event: seconds of delay and of clock error, and whether it is sent again."""

    delay: np.ndarray
    clock_error: np.ndarray
    is_repeated: np.ndarray


def flaw_events(size: Size, events: Events, device: np.ndarray) -> EventFlaws:
    """Return what goes wrong with events; `device` numbers the device of each, since a wrong clock is a device's."""
    rng, n = size.random("event flaws"), len(events.at)
    late = rng.random(n) < LATE_EVENTS
    delay = np.where(late, np.exp(rng.uniform(np.log(300), np.log(5 * DAY), n)), rng.uniform(0, 2, n))
    devices = int(device.max(initial=0)) + 1
    wrong = rng.random(devices) < WRONG_CLOCK_DEVICES
    error = np.where(wrong, rng.choice([-3 * DAY, -7200, 3600, 400 * DAY], devices), 0)
    return EventFlaws(np.round(delay, 3), error[device], rng.random(n) < DUPLICATE_EVENTS)


def bot_events(size: Size, products: Products, events: Events, first_session: int) -> tuple[Events, np.ndarray]:
    """Return the events of bots, which view product after product, and for each bot whether it is silent about it.

    A silent bot looks at one product a day for some days before it hurries.
    """
    rng = size.random("bots")
    per_bot = 80
    bots = round(len(events.at) * BOT_EVENTS / per_bot)
    session = np.repeat(np.arange(bots), per_bot)
    start = rng.integers(0, size.days * DAY - per_bot - 1, bots) if bots else np.array([], dtype=np.int64)
    number = np.tile(np.arange(per_bot), bots)
    at = start[session] + number * 0.9
    n = len(session)
    none = np.full(n, -1)
    product = rng.integers(0, len(products.sku), n)
    silent = rng.random(bots) < SILENT_BOTS
    days_before = np.where(silent[session], np.maximum(PATIENT_VIEWS - number, 0), 0)
    at = np.where(at > days_before * DAY, at - days_before * DAY, at)
    made = Events(session + first_session, np.round(at, 3), np.full(n, VIEW), product, none * 0, none * 0, none)
    return made, silent


def broken(rng: np.random.Generator, text: str) -> str:
    """Return what a line looks like when something went wrong while it was written."""
    return [text[: len(text) // 2], "", "<html>502 Bad Gateway</html>", text + "}"][rng.integers(0, 4)]
