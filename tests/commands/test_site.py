"""The docs site, opened from disk in a real browser that reaches no network."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from playwright.sync_api import Browser, Page, Route, sync_playwright

from operate.catalog import feature_catalog
from operate.run_page import write_run_page
from operate.site import search_from_disk
from tests.conftest import Build

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
in_a_browser = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed; CI installs it")
SIZES = [{"width": 1280, "height": 800}, {"width": 360, "height": 740}]


@pytest.fixture(scope="module")
def site(company: Build) -> Path:
    return company.folder / "target" / "site"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


class Watched:
    """A page that notes what goes wrong on it and what it asks the network for."""

    def __init__(self, browser: Browser, size: dict[str, int]) -> None:
        self.page: Page = browser.new_page(viewport=size)
        self.wrong: list[str] = []
        self.page.on("console", lambda message: message.type == "error" and self.wrong.append(message.text))
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.route("**/*", self.judge)

    def judge(self, route: Route) -> None:
        if route.request.url.startswith(("file:", "data:", "blob:")):
            route.continue_()
        else:
            self.wrong.append(f"asks the network for {route.request.url}")
            route.abort()

    def open(self, file: Path) -> Page:
        self.page.goto(file.as_uri())
        self.page.wait_for_load_state("networkidle")
        return self.page


@in_a_browser
@pytest.mark.parametrize("size", SIZES, ids=["wide", "narrow"])
def test_every_page_opens_from_disk_without_an_error(browser: Browser, site: Path, size: dict[str, int]) -> None:
    watched = Watched(browser, size)
    page = watched.open(site / "index.html")
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    links = [link.get_attribute("href") for link in page.locator("nav a").all()]
    assert len(links) >= 3
    for link in links:
        assert watched.open(site / link).locator("body").inner_text().strip() != ""
    assert watched.wrong == []
    watched.page.close()


@in_a_browser
def test_the_catalog_finds_a_feature_and_says_what_it_is(browser: Browser, site: Path) -> None:
    watched = Watched(browser, SIZES[0])
    page = watched.open(site / "features" / "index.html")
    page.keyboard.press("/")
    page.keyboard.type("recency_da")
    page.locator("#search-results li", has_text="recency_days").first.click()
    page.locator("h1", has_text="recency_days").wait_for()
    page.wait_for_load_state("networkidle")
    said = page.locator("body").inner_text()
    for words in ("Calendar days (UTC) from the last order", "all history", "fct_orders.ordered_at", "homepage_ranker",
                  "Recommender team", "customer_id"):  # fmt: skip
        assert words in said
    assert watched.wrong == []
    watched.page.close()


@in_a_browser
def test_dbts_page_finds_a_column_and_draws_the_graph(browser: Browser, site: Path) -> None:
    watched = Watched(browser, SIZES[0])
    page = watched.open(site / "dbt.html")
    page.locator("input[placeholder*='Search']").first.fill("price_percentile_avg_90d")
    page.get_by_text("customer_features").first.wait_for()
    page.goto((site / "dbt.html").as_uri() + "#!/model/model.shopsmart.customer_features")
    page.get_by_title("View Lineage Graph").click()
    page.locator("canvas").last.wait_for()
    page.wait_for_function("[...document.querySelectorAll('canvas')].some(canvas => canvas.width > 300)")
    assert watched.wrong == []
    watched.page.close()


@in_a_browser
def test_the_lineage_of_columns_shows_a_models_columns(browser: Browser, site: Path) -> None:
    watched = Watched(browser, SIZES[0])
    page = watched.open(site / "columns.html")
    page.get_by_placeholder("Search models").first.click()
    page.keyboard.type("customer_features")
    page.get_by_text("customer_features").last.click()
    page.get_by_text("recency_days").first.wait_for()
    assert watched.wrong == []
    watched.page.close()


@in_a_browser
@pytest.mark.parametrize("size", SIZES, ids=["wide", "narrow"])
def test_the_last_run_shows_what_landed_what_was_set_aside_and_how_good_it_is(
    browser: Browser, company: Build, site: Path, size: dict[str, int]
) -> None:
    watched = Watched(browser, size)
    page = watched.open(site / "run.html")
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    with duckdb.connect(str(company.warehouse), read_only=True) as connection:
        landed = connection.execute(
            "select source || '.' || table_name, sum(records_landed), sum(records_rejected) "
            "from operations.landed_records group by all"
        ).fetchall()
        reasons = connection.execute("select reason, count(*) from operations.rejected_records group by all").fetchall()
    for table, records, rejected in landed:
        cells = page.locator("#sources ~ .table tr", has_text=table).first.locator("td").all_inner_texts()
        assert (cells[1] in ("fresh", "no limit"), cells[4], cells[6]) == (True, f"{records:,}", f"{rejected:,}")
    aside = page.locator("#rejected ~ .table").first.inner_text()
    assert all(reason in aside for reason, _ in reasons)
    plots = page.locator("svg.plot")
    assert plots.count() >= 2 * len({table.split(".")[0] for table, _, _ in landed})
    boxes = [plot.bounding_box() for plot in plots.all()]
    assert all(box["width"] > 150 and box["height"] > 50 for box in boxes)
    assert page.locator("#volumes ~ .plots .bar title").count() > 100
    assert watched.wrong == []
    watched.page.close()


def test_a_page_can_be_written_of_what_was_never_built(tmp_path: Path) -> None:
    warehouse = tmp_path / "warehouse.duckdb"
    duckdb.connect(str(warehouse)).close()
    words = write_run_page(tmp_path, warehouse).read_text()
    assert "Nothing was built yet" in words
    assert "too few days" in words
    words = write_run_page(tmp_path, warehouse, ["Compilation Error in model fct_orders"]).read_text()
    assert "What did not pass" in words and "Compilation Error in model fct_orders" in words


def test_every_feature_says_its_window_its_null_and_its_sources(company: Build) -> None:
    artifacts = company.folder / "target"
    models = {
        node["name"]: node
        for node in json.loads((artifacts / "manifest.json").read_text())["nodes"].values()
        if node["resource_type"] == "model"
    }
    groups = feature_catalog(artifacts).feature_groups
    published = {name for name, node in models.items() if node["schema"] == "features"}
    assert {group.name for group in groups} == published
    for group in groups:
        assert group.owner
        for feature in group.features:
            told = models[group.name]["columns"][feature.name]["meta"]
            for source in told["sources"]:
                model, column = source.split(".")
                assert models[model]["schema"] == "core", source
                assert column in models[model]["columns"], source
            days = feature.name.rsplit("_", 1)[-1]
            if days[:-1].isdigit():
                assert days[:-1] in told["window"].split(), f"{feature.name}: {told['window']}"
            # What the words say of null is what `null_means` says, and a test of the build holds it.
            assert ("null" in models[group.name]["columns"][feature.name]["description"]) <= (
                told["null_means"] != "never"
            ), feature.name
            assert feature.used_by, f"nobody uses {group.name}.{feature.name}"


def test_the_lineage_of_columns_reaches_from_features_to_raw(site: Path) -> None:
    made_of: dict[tuple[str, str], set[tuple[str, str]]] = {}
    for edge in json.loads((site / "columns.json").read_text())["lineage"]["edges"]:
        target, source = ((edge[end], edge[f"{end}Column"].lower()) for end in ("target", "source"))
        made_of.setdefault(target, set()).add(source)
    seen, open_ends = set(), [("model.shopsmart.customer_features", "revenue_7d")]
    while open_ends:
        column = open_ends.pop()
        if column not in seen:
            seen.add(column)
            open_ends += made_of.get(column, ())
    for column in ("raw_shop.order_line", "raw_marketplace.orders", "raw_store.transactions", "raw_fx.rates"):
        assert any(node == f"source.shopsmart.{column}" for node, _ in seen), column


def test_a_search_that_reads_its_index_in_another_way_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "search.js").write_text("fetch('elsewhere')")
    with pytest.raises(RuntimeError, match=r"operate/site\.py"):
        search_from_disk(tmp_path)
