"""The semantic layer: MetricFlow's answer to each metric beside SQL by hand, and what every reader may ask for."""

import csv
import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb
import pytest
from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt_metricflow.cli.cli_configuration import CLIConfiguration
from metricflow.engine.metricflow_engine import MetricFlowEngine, MetricFlowQueryRequest

from operate.publish import publish
from tests.conftest import BIN, ROOT, Build, run_well

ANALYSES = sorted(file.stem for file in (ROOT / "analyses").glob("*.sql"))

PURCHASES = "core.fct_orders where not is_cancelled and not is_return"
PLACED = "core.fct_orders where not is_return"
# What makes an order a customer's first, told in another way than by the column that says so.
BUYING = f"""(
    select orders.*, orders.ordered_at = first_at as is_first
    from (select * from {PURCHASES}) as orders
    inner join (select customer_id, min(ordered_at) as first_at from {PURCHASES} group by all) using (customer_id)
)"""
LINES = f"""(
    select * from core.fct_order_lines where order_id not in (select order_id from {PLACED} and is_cancelled)
)"""
LINES_OF_PRODUCTS = f"{LINES} as lines left join core.dim_products using (product_id)"
VIEWS = "core.fct_events as events left join core.dim_products using (product_id)"
IS_VIEW, IS_CART = "event_kind = 'view' and bot_reason is null", "event_kind = 'cart' and bot_reason is null"
EMAILS = "core.fct_campaign_responses as responses left join core.dim_campaigns using (campaign_id)"
RECEIVED = "count(*) filter (where response_type = 'received')"
LANDED = "operations.landed_records"
EXAMPLES = "training.training_examples where is_matured"


@dataclass(frozen=True)
class Asked:
    """What a metric is asked by, and the SQL that has to give the same rows."""

    by: list[str]
    sql: str


def monthly(by: str, column: str, value: str, rows: str, time: str) -> Asked:
    """A metric by month and one dimension, and the same by hand."""
    sql = f"select date_trunc('month', {time}) as month, {column}, {value} from {rows} group by all"
    return Asked(["metric_time__month", by], sql)


def orders(by: str, column: str, value: str, rows: str = PURCHASES) -> Asked:
    return monthly(by, column, value, rows, "ordered_at")


def lines(value: str, by: str = "product__category", column: str = "category", rows: str = LINES_OF_PRODUCTS) -> Asked:
    return monthly(by, column, value, rows, "ordered_at")


def sessions(by: str, column: str, value: str, rows: str = "core.fct_sessions") -> Asked:
    return monthly(by, column, value, rows, "started_at")


def events(by: str, column: str, value: str, where: str = "true") -> Asked:
    return monthly(by, column, value, f"{VIEWS} where {where}", "event_at")


def emails(value: str, where: str = "true", by: str = "campaign__name") -> Asked:
    column = {"campaign__name": "dim_campaigns.campaign_name", "response__campaign_name": "responses.campaign_name"}[by]
    return monthly(by, column, value, f"{EMAILS} where {where}", "responded_at")


def landings(value: str) -> Asked:
    return monthly("landing__source", "source", value, LANDED, "started_at")


def queries(value: str) -> Asked:
    return monthly("example__split", "split", value, EXAMPLES, "feature_at")


def growth(value: str, rows: str, days: str, grain: str, step: str, by: str, column: str) -> Asked:
    """A metric against itself one step earlier: what was, moved to the time it is held against."""
    sql = f"""
        with now as (
            select date_trunc('{grain}', ordered_at) as month, {column} as told, {value} as number
            from {rows} group by all
        ),
        times as (select distinct date_trunc('{grain}', date_day) as month from core.dim_dates),
        before as (
            select times.month, told, number from now inner join times on times.month = now.month + interval {step}
        )
        select month, told, cast(coalesce(now.number, 0) as double) / nullif(before.number, 0) - 1
        from now full join before using (month, told)
    """
    return Asked([days, by], sql)


def followed(base: str, then: str, keys: str, by: str, named: str) -> Asked:
    """What follows something on its day or in the six days after, counted on the last day that it follows."""
    kept = ", ".join(f"any_value(base.{key}) as {key}" for key in keys.split())
    sql = f"""
        with base as ({base}), later as ({then}),
        found as (
            select later.place, max(base.day) as day, {kept}
            from later inner join base
                on {" and ".join(f"base.{key} = later.{key}" for key in keys.split())}
                and base.day <= later.day and base.day > later.day - 7
            group by later.place
        ),
        sides as (
            select date_trunc('month', day) as month, customer_id, {keys.split()[-1]} as named_by, 1 as base, 0 as found
            from base
            union all
            select date_trunc('month', day), customer_id, {keys.split()[-1]}, 0, 1 from found
        )
        select month, {named} as told, sum(sides.found) / nullif(sum(sides.base), 0)
        from sides left join core.dim_customers using (customer_id)
        left join core.dim_products on named_by = product_id
        group by all
    """
    return Asked(["metric_time__month", by], sql)


METRICS = {
    "orders": orders("order__sales_channel", "sales_channel", "count(*)"),
    "cancelled_orders": orders("order__sales_channel", "sales_channel", "count(*)", f"{PLACED} and is_cancelled"),
    "orders_with_cancelled": orders("order__country_code", "country_code", "count(*)", PLACED),
    "cancellation_rate": orders("order__sales_channel", "sales_channel", "count(cancelled_at) / count(*)", PLACED),
    "average_order_value": orders(
        "customer__country_code", "customers.country_code", "sum(net_amount) / count(net_amount)",
        f"(select * from {PURCHASES}) as orders left join core.dim_customers as customers using (customer_id)",
    ),
    "buying_customers": orders("order__sales_channel", "sales_channel", "count(distinct customer_id)"),
    "new_buyers": orders("order__sales_channel", "sales_channel", "count(*)", f"{BUYING} where is_first"),
    "returning_buyers": orders(
        "order__sales_channel", "sales_channel", "count(distinct customer_id)", f"{BUYING} where not is_first"
    ),
    "repeat_purchase_rate": orders(
        "order__country_code", "country_code",
        "count(distinct customer_id) filter (where not is_first) / nullif(count(distinct customer_id), 0)",
        f"(select o.*, b.is_first from (select * from {PURCHASES}) o left join {BUYING} b using (order_id))",
    ),
    "orders_growth_week_over_week": growth(
        "count(*)", PURCHASES, "metric_time__day", "day", "7 days", "order__sales_channel", "sales_channel"
    ),
    "revenue": lines("coalesce(sum(gross_amount - discount_amount - refund_amount), 0)"),
    "gross_revenue": lines("coalesce(sum(gross_amount), 0)", by="product__brand", column="brand"),
    "discounts": lines("coalesce(sum(discount_amount), 0)"),
    "discount_share": lines("sum(discount_amount) / nullif(sum(gross_amount), 0)"),
    "refunds": lines("coalesce(sum(refund_amount), 0)"),
    "units_sold": lines("sum(greatest(quantity, 0))"),
    "units_returned": lines("sum(returned_quantity)"),
    "return_rate": lines("sum(returned_quantity) / nullif(sum(greatest(quantity, 0)), 0)"),
    "units_per_order": lines(
        "sum(greatest(quantity, 0)) / count(distinct order_id) filter (where not is_return)",
        "order__sales_channel", "sales_channel", LINES,
    ),
    "revenue_per_buying_customer": lines(
        "sum(net_amount) filter (where customer_id is not null)"
        " / nullif(count(distinct customer_id) filter (where not is_return), 0)",
        "session__channel", "channel", f"{LINES} as lines left join core.fct_sessions using (session_id, customer_id)",
    ),
    "marketplace_share": lines(
        "coalesce(sum(net_amount) filter (where sales_channel = 'marketplace'), 0) / nullif(sum(net_amount), 0)"
    ),
    "revenue_trailing_28d": Asked(
        ["metric_time__day", "order_line__sales_channel"],
        f"""select date_day, sales_channel, sum(net_amount) from core.dim_dates inner join {LINES}
        on cast(ordered_at as date) between date_day - 27 and date_day group by all""",
    ),
    "revenue_month_to_date": Asked(
        ["metric_time__day", "order_line__sales_channel"],
        f"""select date_day, sales_channel, sum(net_amount) from core.dim_dates inner join {LINES}
        on cast(ordered_at as date) between date_trunc('month', date_day) and date_day group by all""",
    ),
    "revenue_growth_month_over_month": growth(
        "coalesce(sum(net_amount), 0)", LINES, "metric_time__month", "month", "1 month",
        "order_line__sales_channel", "sales_channel",
    ),
    "sessions": sessions("session__channel", "channel", "count(*)"),
    "active_customers": sessions("session__platform", "source", "count(distinct customer_id)"),
    "visitors": sessions("session__channel", "channel", "count(distinct coalesce(customer_id, anonymous_id))"),
    "session_minutes_average": sessions("session__platform", "source", "avg(epoch(ended_at) - epoch(started_at)) / 60"),
    "app_share": sessions("session__channel", "channel", "count_if(source = 'mobile') / count(*)"),
    "conversion_rate": sessions("session__platform", "source", "count_if(orders > 0) / count(*)"),
    "cart_sessions": sessions("session__channel", "channel", "count(*)", "core.fct_sessions where carts > 0"),
    "cart_abandonment_rate": sessions(
        "session__channel", "channel", "count_if(carts > 0 and orders = 0) / nullif(count_if(carts > 0), 0)"
    ),
    "visit_to_order_rate_7d": followed(
        "select customer_id, cast(started_at as date) as day from core.fct_sessions where customer_id is not null",
        f"select order_id as place, customer_id, cast(ordered_at as date) as day from {PURCHASES}",
        "customer_id", "customer__country_code", "country_code",
    ),
    "product_views": events("product__category", "category", "count(*)", IS_VIEW),
    "carts": events("event__platform", "source", "count(*)", IS_CART),
    "searches": events("event__platform", "source", "count(*)", "event_kind = 'search' and bot_reason is null"),
    "add_to_cart_rate": events(
        "product__category", "category", f"count_if({IS_CART}) / nullif(count_if({IS_VIEW}), 0)",
        f"({IS_CART}) or ({IS_VIEW})",
    ),
    "view_to_order_rate_7d": followed(
        f"""select customer_id, product_id, cast(event_at as date) as day from core.fct_events
        where {IS_VIEW} and customer_id is not null""",
        f"""select order_line_id as place, customer_id, product_id, cast(ordered_at as date) as day
        from {LINES} where not is_return""",
        "customer_id product_id", "product__category", "category",
    ),
    "bot_event_share": events("event__platform", "source", "count(bot_reason) / count(*)"),
    "late_event_share": events(
        "event__platform", "source", "count_if(known_at >= date_trunc('day', event_at) + interval 1 day) / count(*)"
    ),
    "events": events("event__event_kind", "event_kind", "count(*)"),
    "emails_received": emails("count(*)", "response_type = 'received'", "response__campaign_name"),
    "emails_opened": emails("count(*)", "response_type = 'opened'"),
    "emails_clicked": emails("count(*)", "response_type = 'clicked'"),
    "unsubscribes": emails("count(*)", "response_type = 'unsubscribed'"),
    "email_open_rate": emails(
        f"count(*) filter (where response_type = 'opened') / nullif({RECEIVED}, 0)",
        "response_type in ('received', 'opened')",
    ),
    "email_click_rate": emails(
        f"count(*) filter (where response_type = 'clicked') / nullif({RECEIVED}, 0)",
        "response_type in ('received', 'clicked')",
    ),
    "new_customers": monthly(
        "customer__customer_type", "customer_type", "count(*)",
        "core.dim_customers where succeeded_by_customer_id is null", "first_known_at",
    ),
    "known_customers": Asked(
        ["metric_time__day", "customer__customer_type"],
        """select date_day, customer_type, count(*) from core.dim_dates inner join core.dim_customers
        on cast(first_known_at as date) <= date_day where succeeded_by_customer_id is null group by all""",
    ),
    "records_landed": landings("sum(records_accepted + records_rejected + records_duplicate)"),
    "records_accepted": landings("sum(records_landed - records_rejected - records_duplicate)"),
    "records_rejected": landings("sum(records_rejected)"),
    "records_duplicate": landings("sum(records_duplicate)"),
    "rejection_rate": landings("sum(records_rejected) / nullif(sum(records_landed), 0)"),
    "recommender_queries": queries("count(distinct query_id)"),
    "queries_that_order": queries("count(distinct query_id) filter (where label_order = 1)"),
    "query_order_rate": queries("count(distinct query_id) filter (where label_order = 1) / count(distinct query_id)"),
    "wanted_products": queries("count_if(label_order = 1)"),
    "candidate_recall_at_100": monthly(
        "example__split",
        "examples.split",
        "count_if(candidate_rank <= 100) / count(*)",
        f"""(select * from {EXAMPLES} and label_order = 1) as examples
        left join training.training_candidates using (query_id, product_id)""",
        "examples.feature_at",
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Reader:
    """Somebody who has the published file and the project, and no warehouse."""

    project: Path
    environment: dict[str, str]
    published: Path

    def rows(self, sql: str) -> list[tuple]:
        """Return what SQL on the published file gives; it bears the warehouse's name, as dbt compiles it."""
        with duckdb.connect() as connection:
            connection.execute(f"attach '{self.published}' as warehouse (read_only)")
            connection.execute("use warehouse")
            return connection.execute(sql).fetchall()


@pytest.fixture(scope="module")
def reader(company: Build, tmp_path_factory: pytest.TempPathFactory) -> Reader:
    folder = tmp_path_factory.mktemp("reader")
    project, published = folder / "project", folder / "published.duckdb"
    publish(company.warehouse, published)
    # So small a company has nobody who unsubscribes, and no candidate beyond the hundredth.
    published.chmod(0o644)
    with duckdb.connect(str(published)) as connection:
        connection.execute(
            "update core.fct_campaign_responses set response_type = 'unsubscribed' "
            "where response_type = 'opened' and extract(day from responded_at) % 5 = 0"
        )
        connection.execute(
            "update training.training_candidates set candidate_rank = candidate_rank + 100 where source = 'popularity'"
        )
    published.chmod(0o444)
    project.mkdir()
    for name in ("dbt_project.yml", "profiles.yml"):
        (project / name).symlink_to(ROOT / name)
    (project / "target").symlink_to(company.folder / "target")
    environment = {
        "DBT_TARGET": "readers",
        "PUBLISHED": str(published),
        "DBT_LOG_PATH": str(folder / "logs"),
        "DBT_PROJECT_DIR": str(project),
        "DBT_PROFILES_DIR": str(project),
    }
    return Reader(project, environment, published)


@pytest.fixture(scope="module")
def metricflow(reader: Reader) -> Iterator[MetricFlowEngine]:
    """What `mf` asks, in this process."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in reader.environment.items():
            patch.setenv(name, value)
        configuration = CLIConfiguration()
        configuration.setup(configure_file_logging=False)
        yield configuration.mf
        DuckDBConnectionManager.close_all_connections()


@pytest.fixture(scope="module")
def semantic(company: Build) -> dict:
    return json.loads((company.folder / "target" / "semantic_manifest.json").read_text())


@pytest.fixture(scope="module")
def manifest(company: Build) -> dict:
    return json.loads((company.folder / "target" / "manifest.json").read_text())


def by_group(rows: list[tuple]) -> dict[tuple, float | None]:
    """Return the values by what they are grouped by: days by their date alone, numbers as floats."""
    groups = {}
    for *told, value in rows:
        key = tuple(str(part)[:10] if isinstance(part, date) else part for part in told)
        assert key not in groups, f"{key} is there twice"
        groups[key] = None if value is None else float(value)
    return groups


def test_every_metric_is_held_against_sql_by_hand(semantic: dict) -> None:
    assert {metric["name"] for metric in semantic["metrics"]} == set(METRICS)
    assert len(METRICS) >= 20


@pytest.mark.parametrize("metric", METRICS)
def test_a_metric_says_what_sql_by_hand_says(reader: Reader, metricflow: MetricFlowEngine, metric: str) -> None:
    asked = METRICS[metric]
    request = MetricFlowQueryRequest.create(metric_names=[metric], group_by_names=asked.by)
    said, by_hand = by_group(metricflow.query(request).result_df.rows), by_group(reader.rows(asked.sql))
    # MetricFlow once took both sides of a ratio for the same: all ones would not tell.
    assert any(value not in (None, 0, 1) for value in by_hand.values()), "nothing to compare"
    assert set(said) == set(by_hand)
    for group, value in by_hand.items():
        same = (
            said[group] == value
            if value is None or said[group] is None
            else math.isclose(said[group], value, rel_tol=1e-9, abs_tol=1e-9)
        )
        assert same, f"{metric} of {group}: MetricFlow says {said[group]}, SQL by hand {value}"


def test_every_saved_query_gives_rows(metricflow: MetricFlowEngine, semantic: dict) -> None:
    names = [query["name"] for query in semantic["saved_queries"]]
    assert len(names) >= 4
    for name in names:
        answer = metricflow.query(MetricFlowQueryRequest.create(saved_query_name=name)).result_df
        assert answer.row_count > 1, name


def test_mf_answers_a_reader_and_leaves_nothing_behind(reader: Reader, tmp_path: Path) -> None:
    before = sorted(path.name for path in reader.project.iterdir())
    run_well(
        BIN / "mf", "query", "--metrics", "revenue,orders", "--group-by", "metric_time__month",
        "--csv", tmp_path / "a.csv", environment=reader.environment, cwd=reader.project,
    )  # fmt: skip
    with (tmp_path / "a.csv").open() as file:
        said = {
            row["metric_time__month"][:7]: (float(row["revenue"]), int(row["orders"])) for row in csv.DictReader(file)
        }
    by_hand = reader.rows(
        f"""select strftime(lines.ordered_at, '%Y-%m'), sum(net_amount),
            count(distinct order_id) filter (where not is_return) from {LINES} as lines group by all"""
    )
    assert said == {month: (float(revenue), orders) for month, revenue, orders in by_hand}
    assert sorted(path.name for path in reader.project.iterdir()) == before


def test_every_metric_and_dimension_says_what_it_is(semantic: dict, manifest: dict) -> None:
    for metric in semantic["metrics"]:
        assert metric["label"] and metric["description"].endswith("."), metric["name"]
        assert manifest["metrics"][f"metric.shopsmart.{metric['name']}"]["config"]["meta"]["unit"], metric["name"]
    for model in semantic["semantic_models"]:
        assert model["description"], model["name"]
        for part in [*model["dimensions"], *model["measures"]]:
            assert part["description"], f"{model['name']}.{part['name']}"
    for query in semantic["saved_queries"]:
        assert query["label"] and "?" in query["description"], query["name"]


def test_the_docs_list_every_metric_and_saved_query(semantic: dict) -> None:
    page = (ROOT / "docs" / "analysts.md").read_text()
    names = [part["name"] for kind in ("metrics", "saved_queries") for part in semantic[kind]]
    assert [name for name in names if f"`{name}`" not in page] == []


def test_personal_data_is_no_dimension_and_is_only_counted(semantic: dict, manifest: dict) -> None:
    # A pseudonym may join and be counted; nothing else that is tagged may be touched, and none of it be shown.
    looked_at = 0
    for model in semantic["semantic_models"]:
        node = model["node_relation"]
        columns = manifest["nodes"][f"model.shopsmart.{node['alias']}"]["columns"]
        tags = {name: column["config"]["meta"].get("personal_data") for name, column in columns.items()}
        looked_at += sum(tag is not None for tag in tags.values())

        def touched(part: dict, tags: dict = tags) -> set[str]:
            return {tags.get(word) for word in re.findall(r"\w+", part["expr"] or part["name"])} - {None}

        for dimension in model["dimensions"]:
            assert touched(dimension) == set(), f"{model['name']}.{dimension['name']}"
        for entity in model["entities"]:
            assert touched(entity) <= {"pseudonym"}, f"{model['name']}.{entity['name']}"
        for measure in model["measures"]:
            assert not touched(measure) or measure["agg"] in ("count", "count_distinct"), measure["name"]
            assert touched(measure) <= {"pseudonym"}, measure["name"]
    assert looked_at > 8


def test_staging_is_private_and_marts_are_public_under_contract(manifest: dict) -> None:
    models = [node for node in manifest["nodes"].values() if node["resource_type"] == "model"]
    assert {group["name"] for group in manifest["groups"].values()} == {model["group"] for model in models}
    for model in models:
        room = model["fqn"][1]
        if room == "staging":
            assert (model["access"], model["group"]) == ("private", "data_engineering"), model["name"]
        elif room == "marts":
            assert model["access"] == "public" and model["contract"]["enforced"], model["name"]
        else:
            assert model["access"] in ("private", "protected"), model["name"]


@pytest.mark.parametrize("analysis", ANALYSES)
def test_a_worked_question_has_an_answer_for_a_reader(reader: Reader, company: Build, analysis: str) -> None:
    sql = company.folder / "target" / "compiled" / "shopsmart" / "analyses" / f"{analysis}.sql"
    question = (ROOT / "analyses" / f"{analysis}.sql").read_text()
    assert question.startswith("-- ") and "?\n" in question and "\n-- One row" in question
    assert len(reader.rows(sql.read_text())) > 1
