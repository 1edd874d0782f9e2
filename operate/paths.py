"""Where the warehouse and what is made of it are, and how wide to print. Imports nothing that takes long."""

import os
import shutil
from pathlib import Path

from rich.console import Console

KEY_FILE = Path(".secrets/pii_key")
"""Where the key that hashes personal data is kept when `PII_KEY` does not give one."""


def warehouse_path() -> Path:
    """Return where the warehouse is built: `WAREHOUSE`, else `warehouse/warehouse.duckdb`."""
    return Path(os.environ.get("WAREHOUSE", "warehouse/warehouse.duckdb"))


def copy_warehouse(warehouse: Path, to: Path) -> None:
    """Copy a warehouse, and what a killed build left in its log (`….wal`) and not in its tables."""
    shutil.copy(warehouse, to)
    log = warehouse.with_name(f"{warehouse.name}.wal")
    if log.exists():
        shutil.copy(log, to.with_name(f"{to.name}.wal"))


def target_path() -> Path:
    """Return where dbt writes its artifacts and the docs page."""
    return Path(os.environ.get("DBT_TARGET_PATH", "target"))


def docs_page() -> Path:
    """Return the first page of the docs site, which opens without a server."""
    return target_path() / "site" / "index.html"


def wide_console(record: bool = False, width: int = 110, stderr: bool = False) -> Console:
    """Return a console as wide as the terminal; where there is none, so wide that tables have room."""
    console = Console(record=record, stderr=stderr)
    if console.is_terminal or "COLUMNS" in os.environ:
        return console
    return Console(width=width, record=record, stderr=stderr)
