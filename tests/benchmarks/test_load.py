"""How long a load into PostgreSQL takes, beside bare ``COPY`` of the same rows.

Run alone: ``python -m pytest -m benchmark tests/benchmarks/test_load.py -s``. The number of
borrowers comes from ``ASPEN_ETL_BENCHMARK_ROWS``; by default it is 100,000. All ratios are of
one run; every load is a process's work from the store on, reading and verifying included.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import aspen_etl as ae
from tests.benchmarks.test_sync import ROWS
from tests.support.borrowers import RUN
from tests.support.databases import running_postgresql
from tests.support.many import write_many

sa = pytest.importorskip("sqlalchemy", reason="the extra sql is not installed")


@contextlib.contextmanager
def timed(name: str, against: dict[str, float]) -> Iterator[None]:
    began = time.perf_counter()
    yield
    against[name] = time.perf_counter() - began
    ratio = against[name] / next(iter(against.values()))
    print(f"{name:34}{against[name]:8.1f} s {ratio:6.2f} x bare COPY")


def copy_bare(engine: Any, folder: Path) -> None:
    """Copy each file into its table, as a user would by hand, in one transaction."""
    with engine.begin() as connection:
        driver = connection.connection.driver_connection
        for name, table in ae.BORROWER_MODEL.tables.items():
            texts = [
                f'"{c.name}"' for c in table.columns.values() if c.type == "text" and not c.nullable
            ]
            names = ", ".join(f'"{column}"' for column in table.columns)
            options = f"FORMAT csv, HEADER true, FORCE_NOT_NULL ({', '.join(texts)})"
            statement = f'COPY "{name}" ({names}) FROM STDIN WITH ({options})'
            path = folder / f"{name}.csv"
            with path.open("rb") as file, driver.cursor() as cursor, cursor.copy(statement) as copy:
                while block := file.read(1 << 20):
                    copy.write(block)


@pytest.mark.benchmark
def test_a_load_beside_bare_copy(tmp_path: Path) -> None:
    pytest.importorskip("psycopg")
    from aspen_etl import sql

    source, store = tmp_path / "source", ae.SnapshotStore(tmp_path / "store", format="parquet")
    for changed in (0, ROWS // 100):
        write_many(source, ROWS, changed=changed)
        ae.sync(str(source), store, run=RUN)
    ae.write_tables(store.read(1).tables, tmp_path / "files")
    print(f"\n{ROWS:,} borrowers")
    seconds: dict[str, float] = {}
    with running_postgresql() as url:
        owner = sa.create_engine(f"postgresql+psycopg{url}", isolation_level="AUTOCOMMIT")
        for name in ("bare", "ours"):
            with owner.connect() as connection:
                connection.exec_driver_sql(f"CREATE DATABASE {name}")
        place = url.rpartition("/")[0]
        bare = sa.create_engine(f"postgresql+psycopg{place}/bare")
        ours = sa.create_engine(f"postgresql+psycopg{place}/ours")
        sql.create(bare)
        with timed("bare COPY, same files and tables", seconds):
            copy_bare(bare, tmp_path / "files")
        for name, outcome, options in (
            ("full load of version 1", "filled", {"version": 1}),
            ("version 2, 1 % changed", "changed", {}),
            ("version 2 again", "unchanged", {}),
            ("every row compared", "compared", {"compare": True}),
        ):
            with timed(name, seconds):
                assert sql.load(store, ours, **options).outcome == outcome
        for engine in (owner, bare, ours):
            engine.dispose()
