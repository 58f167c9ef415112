"""The databases that loads are tested on, each test with a new and empty one."""

from __future__ import annotations

import os
import secrets
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.databases import running_mariadb, running_postgresql

sa = pytest.importorskip("sqlalchemy", reason="the extra sql is not installed")

DRIVERS = {
    "sqlite": "sqlite",
    "postgresql": "postgresql+psycopg",
    "postgresql-psycopg2": "postgresql+psycopg2",
    "mariadb": "mysql+pymysql",
}
#: One name for each kind of database.
DATABASES = ("sqlite", "postgresql", "mariadb")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave each test one of its databases, in turn, in a suite that only looks at versions.

    That is where a brief profile is asked for. The README's suite has each test on each database.
    """
    if os.environ.get("HYPOTHESIS_PROFILE") not in {"brief", "scant"}:
        return
    kinds: dict[tuple[Any, ...], list[pytest.Item]] = defaultdict(list)
    for item in items:
        given = dict(getattr(getattr(item, "callspec", None), "params", {}))
        if item.path.parent == Path(__file__).parent and {"database", "one_database"} & set(given):
            given = {k: v for k, v in given.items() if k not in {"database", "one_database"}}
            kinds[item.path, getattr(item, "originalname", ""), repr(given)].append(item)
    gone = {
        id(item)
        for turn, held in enumerate(kinds.values())
        for place, item in enumerate(held)
        if place != turn % len(held)
    }
    config.hook.pytest_deselected(items=[item for item in items if id(item) in gone])
    items[:] = [item for item in items if id(item) not in gone]


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """Run PostgreSQL."""
    pytest.importorskip("psycopg", reason="psycopg is not installed")
    with running_postgresql() as url:
        yield url


@pytest.fixture(scope="session")
def mariadb_server() -> Iterator[str]:
    """Run MariaDB."""
    pytest.importorskip("pymysql", reason="PyMySQL is not installed")
    with running_mariadb() as url:
        yield url


@dataclass(frozen=True)
class Given:
    """An empty database.

    Attributes:
        name: What kind it is.
        url: Where it is.
        engine: An engine of it.
    """

    name: str
    url: str
    engine: Any

    def another(self, **options: Any) -> Any:
        """Give another engine, as another process would have it."""
        return sa.create_engine(self.url, poolclass=sa.NullPool, **options)

    def scalar(self, text: str) -> Any:
        """Ask for one value."""
        with self.engine.connect() as connection:
            return connection.execute(sa.text(text)).scalar()

    def execute(self, text: str, **values: Any) -> int:
        """Change rows, and give how many."""
        with self.engine.begin() as connection:
            if self.name == "sqlite":
                connection.exec_driver_sql("PRAGMA foreign_keys = ON")
            return int(connection.execute(sa.text(text), values).rowcount)

    def quote(self, name: str) -> str:
        """Quote a name as this database does."""
        return str(self.engine.dialect.identifier_preparer.quote_identifier(name))


def make_database(name: str, request: pytest.FixtureRequest) -> Iterator[Given]:
    """Make an empty database, and drop it."""
    if name == "sqlite":
        folder: Path = request.getfixturevalue("tmp_path")
        url = f"sqlite:///{folder / secrets.token_hex(4)}.db"
        engine = sa.create_engine(url)
        yield Given(name, url, engine)
        engine.dispose()
        return
    server = request.getfixturevalue(f"{name.partition('-')[0]}_server")
    place, _, _ = server.rpartition("/")
    made = f"test_{secrets.token_hex(4)}"
    owner = sa.create_engine(
        f"{DRIVERS[name]}{server}", isolation_level="AUTOCOMMIT", poolclass=sa.NullPool
    )
    with owner.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {made}")
    url = f"{DRIVERS[name]}{place}/{made}"
    engine = sa.create_engine(url)
    try:
        yield Given(name, url, engine)
    finally:
        engine.dispose()
        force = " WITH (FORCE)" if name.startswith("postgresql") else ""
        with owner.connect() as connection:
            connection.exec_driver_sql(f"DROP DATABASE {made}{force}")


@pytest.fixture(params=DATABASES)
def database(request: pytest.FixtureRequest) -> Iterator[Given]:
    """Give an empty database of each kind."""
    yield from make_database(request.param, request)


@pytest.fixture
def one_database(request: pytest.FixtureRequest) -> Iterator[Given]:
    """Give an empty database of the kind that a test names as its parameter."""
    yield from make_database(request.param, request)
