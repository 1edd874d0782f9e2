"""Who and what there is: products with prices that change, people with tastes, rates."""

from dataclasses import dataclass

import numpy as np

LAST_DAY = np.datetime64("2026-06-30")

# Category, typical price in USD, whether people buy the same again, the month of the year it peaks in.
CATEGORIES = [
    ("Coffee", 14, True, 1),
    ("Tea", 9, True, 1),
    ("Skin care", 28, True, 7),
    ("Pet food", 24, True, 10),
    ("Kitchen", 45, False, 11),
    ("Garden", 38, False, 5),
    ("Books", 17, False, 12),
    ("Toys", 26, False, 12),
    ("Running", 85, False, 4),
    ("Camping", 110, False, 6),
    ("Audio", 140, False, 11),
    ("Lamps", 65, False, 10),
]
BRANDS = [
    f"{a}{b}"
    for a in ("Alder", "Brook", "Cedar", "Dune", "Ember", "Fjord", "Grove", "Haven")
    for b in ("", " & Co", " Lab", " Works", " Nord")
]
COUNTRIES = ["US", "GB", "DE", "FR", "IN", "JP", "CA"]
COUNTRY_SHARES = [0.38, 0.16, 0.14, 0.08, 0.14, 0.05, 0.05]
CURRENCY = {"US": "USD", "GB": "GBP", "DE": "EUR", "FR": "EUR", "IN": "INR", "JP": "JPY", "CA": "CAD"}
RATES = {"EUR": 0.91, "GBP": 0.78, "INR": 84.0, "JPY": 149.0, "CAD": 1.36, "AUD": 1.52, "CHF": 0.88}
FIRST_NAMES = [
    "Ada",
    "Bram",
    "Chloe",
    "Dev",
    "Elif",
    "Finn",
    "Gita",
    "Hugo",
    "Ines",
    "Jun",
    "Kaya",
    "Liam",
    "Mira",
    "Noor",
    "Otto",
    "Priya",
    "Rosa",
    "Sven",
    "Tara",
    "Yuki",
]
LAST_NAMES = [
    "Abel",
    "Bauer",
    "Costa",
    "Das",
    "Evans",
    "Fischer",
    "Gupta",
    "Hall",
    "Ito",
    "Jansen",
    "Khan",
    "Lopez",
    "Meyer",
    "Nair",
    "Olsen",
    "Patel",
    "Quinn",
    "Rao",
    "Sato",
    "Turner",
]
STORES = {
    "STORE-LON": ("GB", "GBP", "Europe/London"),
    "STORE-BER": ("DE", "EUR", "Europe/Berlin"),
    "STORE-NYC": ("US", "USD", "America/New_York"),
    "STORE-BLR": ("IN", "INR", "Asia/Kolkata"),
}


@dataclass(frozen=True)
class Size:
    """How large the company is: customers, days of history up to LAST_DAY, events to aim at, and the seed of it all."""

    customers: int
    days: int
    events: int
    seed: int

    @property
    def products(self) -> int:
        """Number of products: 1,200 at the default size, fewer for a smaller company."""
        return int(np.clip(self.customers // 4, 60, 1200))

    @property
    def start(self) -> np.datetime64:
        """The first day."""
        return LAST_DAY - (self.days - 1)

    def random(self, topic: str) -> np.random.Generator:
        """Return a generator for one topic, so that a change in one does not move the others."""
        return np.random.default_rng([self.seed, *topic.encode()])


@dataclass
class Products:
    """The catalog, arrays by product; `price`, `sale` (NaN without one), `stocked` and `listed` by product and day."""

    sku: np.ndarray
    category: np.ndarray
    brand: np.ndarray
    popularity: np.ndarray
    price: np.ndarray
    sale: np.ndarray
    stocked: np.ndarray
    listed: np.ndarray

    def charged(self, product: np.ndarray, day: np.ndarray) -> np.ndarray:
        """Return what a product costs on a day, in USD: the sale price while there is one."""
        sale = self.sale[product, day]
        return np.where(np.isnan(sale), self.price[product, day], sale)


def make_products(size: Size) -> Products:
    """Return the catalog: prices that change, sales of a week, gaps in stock, launches and delistings on the way."""
    rng, n, days = size.random("products"), size.products, size.days
    category = np.arange(n) % len(CATEGORIES)
    base = np.array([c[1] for c in CATEGORIES])[category] * rng.lognormal(0, 0.35, n)
    price = np.repeat(np.maximum(base, 1.0)[:, None], days, axis=1)
    changes = rng.random(n) < 0.4
    change_day = rng.integers(0, max(days, 1), n)
    factor = np.where(changes, rng.choice([0.85, 0.9, 1.08, 1.15], n), 1.0)
    day = np.arange(days)[None, :]
    price = np.round(np.where(day >= change_day[:, None], price * factor[:, None], price), 2)
    sale_day = rng.integers(0, max(days, 1), n)
    on_sale = (rng.random(n) < 0.3)[:, None] & (day >= sale_day[:, None]) & (day < sale_day[:, None] + 7)
    gap_day = rng.integers(0, max(days, 1), n)
    gap = (rng.random(n) < 0.2)[:, None] & (day >= gap_day[:, None]) & (day < gap_day[:, None] + 5)
    launch = np.where(rng.random(n) < 0.08, rng.integers(0, max(days, 1), n), 0)
    delisted = np.where(rng.random(n) < 0.05, rng.integers(days // 2, days + 1, n), days + 1)
    listed = (day >= launch[:, None]) & (day < delisted[:, None])
    return Products(
        sku=np.array([f"SKU-{i + 1:05d}" for i in range(n)]),
        category=category,
        brand=rng.integers(0, len(BRANDS), n),
        popularity=1 / (rng.permutation(n) // len(CATEGORIES) + 3) ** 0.8,
        price=price,
        sale=np.where(on_sale, np.round(price * 0.8, 2), np.nan),
        stocked=~gap,
        listed=listed,
    )


@dataclass
class People:
    """The customers, arrays by person. Ids are 0 where a person has none; days count from the first day."""

    country: np.ndarray
    currency: np.ndarray
    first: np.ndarray
    last: np.ndarray
    email: np.ndarray
    phone: np.ndarray
    taste: np.ndarray
    brand: np.ndarray
    thrift: np.ndarray
    activity: np.ndarray
    account: np.ndarray
    joined: np.ndarray
    contact: np.ndarray
    loyalty: np.ndarray
    device: np.ndarray
    app_device: np.ndarray
    consents: np.ndarray


def make_people(size: Size) -> People:
    """Return the people: four in five with an account, some guests, some known at the tills alone."""
    rng, n = size.random("people"), size.customers
    country = np.array(COUNTRIES)[rng.choice(len(COUNTRIES), n, p=COUNTRY_SHARES)]
    first, last = rng.choice(FIRST_NAMES, n), rng.choice(LAST_NAMES, n)
    domain = rng.choice(["example.com", "example.net", "example.org"], n)
    email = np.array(
        [f"{a.lower()}.{b.lower()}{i}@{d}" for i, (a, b, d) in enumerate(zip(first, last, domain, strict=True))]
    )
    kind = rng.choice(4, n, p=[0.8, 0.08, 0.06, 0.06])  # account, guest, card, visitor who never says who they are
    # Most had joined before the first day; the others on the way, some of them after a guest's order.
    joined = np.where(rng.random(n) < 0.7, -rng.integers(1, 400, n), rng.integers(0, max(size.days, 1), n))
    has_account = (kind == 0) | ((kind == 1) & (rng.random(n) < 0.3))
    has_card = ((kind == 0) & (rng.random(n) < 0.35)) | (kind == 2)
    has_contact = (has_account & (rng.random(n) < 0.9)) | ((kind == 2) & (rng.random(n) < 0.7))
    # Three in a hundred share the device of the person before them.
    device = np.arange(n)
    shared = (rng.random(n) < 0.03) & (np.arange(n) > 0)
    device[shared] -= 1
    return People(
        country=country,
        currency=np.array([CURRENCY[c] for c in country]),
        first=first,
        last=last,
        email=email,
        phone=np.array([f"+1-555-01{i % 100:02d}-{i:05d}" for i in range(n)]),
        taste=rng.dirichlet(np.full(len(CATEGORIES), 0.35), n),
        brand=rng.integers(0, len(BRANDS), n),
        thrift=rng.random(n),
        activity=rng.gamma(1.3, 1.0, n) + 0.05,
        account=np.where(has_account, 1001 + np.arange(n), 0),
        joined=np.where(kind == 1, np.maximum(joined, size.days // 2), joined),
        contact=np.where(has_contact, 50001 + np.arange(n), 0),
        loyalty=np.where(has_card, 700001 + np.arange(n), 0),
        device=device,
        app_device=np.where(rng.random(n) < 0.35, np.arange(n) + 1, 0),
        consents=rng.random((n, 2)) < [0.7, 0.85],
    )


def make_rates(size: Size) -> dict[str, dict[str, float]]:
    """Return rates per USD by working day and currency: a random walk, from ten days before the first day."""
    rng = size.random("rates")
    days = np.arange(size.start - 10, LAST_DAY + 1)
    walk = np.exp(np.cumsum(rng.normal(0, 0.003, (len(days), len(RATES))), axis=0))
    rates = {}
    for day, factors in zip(days, walk, strict=True):
        if np.is_busday(day):
            rates[str(day)] = {c: round(r * f, 5) for (c, r), f in zip(RATES.items(), factors, strict=True)}
    return rates


def rate_table(size: Size, rates: dict[str, dict[str, float]]) -> tuple[list[str], np.ndarray]:
    """Return the currencies and the shop's own rates by day and currency, for prices in local money; USD is 1."""
    currencies = ["USD", *RATES]
    rows, last = [], None
    for day in np.arange(size.start - 10, LAST_DAY + 1):
        last = rates.get(str(day), last)
        rows.append([1.0, *((last or RATES)[c] for c in RATES)])
    return currencies, np.array(rows)[10:]
