"""The list of crawlers."""

from importlib.metadata import version

import duckdb
from crawleruseragents import CRAWLER_USER_AGENTS_DATA

from operate import crawlers


def test_the_macro_is_what_the_installed_package_knows() -> None:
    patterns = [entry["pattern"] for entry in CRAWLER_USER_AGENTS_DATA]
    wanted = crawlers.macro(patterns, version("crawler-user-agents"))
    assert wanted == crawlers.MACRO.read_text(encoding="utf-8"), "run `make crawlers`"


def test_every_pattern_finds_its_own_examples_and_no_browser() -> None:
    with duckdb.connect() as connection:

        def finds(pattern: str, agent: str) -> bool:
            return connection.execute("select regexp_matches(?, ?)", [agent, crawlers.portable(pattern)]).fetchone()[0]

        examples = [(entry["pattern"], agent) for entry in CRAWLER_USER_AGENTS_DATA for agent in entry["instances"]]
        assert len(examples) > 1_000
        assert [example for example in examples if not finds(*example)] == []
        browser = (
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36"
        )
        assert not any(finds(entry["pattern"], browser) for entry in CRAWLER_USER_AGENTS_DATA)
