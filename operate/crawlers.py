"""Writes the crawlers that the package crawler-user-agents knows as a macro: `make crawlers`, after a new version."""

import re
from importlib.metadata import version
from pathlib import Path

MACRO = Path(__file__).parents[1] / "macros" / "formats" / "is_crawler.sql"
PATTERNS_AN_EXPRESSION = (
    300  # more of them in one expression are slow to match: the engine's automaton outgrows its memory
)


def portable(pattern: str) -> str:
    """Return a regular expression that means the same without what engines read differently in a literal."""
    for escaped, plain in {r"[\s\S]": ".", r"\s": "[ ]", r"\S": "[^ ]", r"\d": "[0-9]", r"\w": "[A-Za-z0-9_]"}.items():
        pattern = pattern.replace(escaped, plain)
    return re.sub(r"\\(\W)", r"[\1]", pattern).replace("'", ".")


def macro(patterns: list[str], package_version: str) -> str:
    """Return the text of the macro `is_crawler` for the patterns, regular expressions."""
    alternatives = [portable(pattern) for pattern in patterns]
    groups = [
        "|".join(alternatives[at : at + PATTERNS_AN_EXPRESSION])
        for at in range(0, len(alternatives), PATTERNS_AN_EXPRESSION)
    ]
    tests = "\n    or ".join(f"{{{{ matches(column, '{group}', ignore_case=false) }}}}" for group in groups)
    return f"""{{#-
    Whether a user agent says itself that nobody sits behind it: one of the {len(patterns):,} patterns of the package
    crawler-user-agents {package_version} (MIT). Written by `make crawlers`.
-#}}
{{% macro is_crawler(column) -%}}
    ({tests})
{{%- endmacro %}}
"""


def main() -> None:
    """Write the macro anew from the installed package."""
    from crawleruseragents import CRAWLER_USER_AGENTS_DATA

    patterns = [entry["pattern"] for entry in CRAWLER_USER_AGENTS_DATA]
    MACRO.write_text(macro(patterns, version("crawler-user-agents")), encoding="utf-8")


if __name__ == "__main__":
    main()
