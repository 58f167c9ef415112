"""Another dialect is one entry of each table: without them it is refused, and no other's serves."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

import aspen_etl as ae
from aspen_etl.derive.dialects import DIALECTS
from aspen_etl.errors import NotSupportedError
from tests.laws.models import EXTENDED_MODEL, RUN
from tests.support.sample import SAMPLE

sa = pytest.importorskip("sqlalchemy", reason="the extra sql is not installed")

from aspen_etl import sql  # noqa: E402 - needs what was just asked for
from aspen_etl.derive.sql import sql_ddl  # noqa: E402 - likewise
from aspen_etl.sql.dialects import BEHAVIOURS, Stage, behaviour_of  # noqa: E402 - likewise

NAME: Any = "duck"


@pytest.fixture
def described(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Let SQLite's engine speak another dialect, whose entry notes what is asked of it."""
    asked: list[str] = []

    def text_checks(spec: Any, name: str) -> dict[str, Any]:
        asked.append("text_checks")
        present = f"{name} <> ''" if spec.nullable else None
        return {"present": present, "length": f"duck_length({name}) < {spec.length}"}

    def unique_nulls(made: Any, table: Any, nullable: Any) -> None:
        asked.append("unique_nulls")
        columns = [made.c[name] for name in table.natural_key if name not in nullable]
        made.append_constraint(sa.UniqueConstraint(*columns, name=f"duck_{table.name}"))

    duck = replace(
        DIALECTS["sqlite"],
        name=NAME,
        quotes=("<", ">"),
        types={
            "text": lambda spec: sa.String(spec.length or 99),
            "timestamp": lambda _: sa.Date(),
            "integer": lambda _: sa.SmallInteger(),
        },
        checks={**dict.fromkeys(("integer", "timestamp"), lambda *_: {}), "text": text_checks},
        has_constraints_in_columns=False,
        comparable=lambda spec, name, kind: sa.Column(f"duck_{spec.name}", kind, comment=name),
        unique_nulls=unique_nulls,
        model_options={},
    )
    monkeypatch.setitem(DIALECTS, "sqlite", replace(DIALECTS["sqlite"], engines=()))
    monkeypatch.setitem(DIALECTS, NAME, duck)
    return asked


def test_a_dialect_that_no_entry_describes_is_refused() -> None:
    with pytest.raises(NotSupportedError, match="no SQL dialect 'duck'; use one of postgresql, m"):
        sql_ddl(ae.BORROWER_MODEL, dialect=NAME)


def test_tables_are_described_by_the_entry(
    described: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # SQLAlchemy knows no duck; SQLite's engine, made under that name, writes what it is given.
    make = sa.create_mock_engine
    monkeypatch.setattr(sa, "create_mock_engine", lambda _, note: make("sqlite://", note))
    text = sql_ddl(EXTENDED_MODEL, dialect=NAME)
    assert set(described) == {"text_checks", "unique_nulls"}
    for word in (
        "BINARY",
        "AUTOINCREMENT",
        'length("',
        "BIGINT",
        "INTEGER",
        "coalesce",
        "DATETIME",
    ):
        assert word not in text
    for word in ("SMALLINT", "DATE", "VARCHAR(99)", "duck_length(<first_name>) < ", "<> ''"):
        assert word in text
    assert "duck_role_profile_type_id SMALLINT" in text
    assert 'CONSTRAINT duck_role_profile UNIQUE ("user_id")' in text


@pytest.mark.usefixtures("described")
def test_a_database_whose_behaviour_nobody_knows_is_refused() -> None:
    engine = sa.create_engine("sqlite://")
    with pytest.raises(NotSupportedError, match="no loader for 'duck'; use one of postgresql, m"):
        sql.create(engine)
    engine.dispose()


@pytest.fixture
def tables() -> ae.schema.Tables:
    return ae.normalize(ae.read_extract(SAMPLE), run=RUN).tables


def test_a_database_is_loaded_as_its_entry_says(
    tables: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    known = BEHAVIOURS["sqlite"]

    @contextlib.contextmanager
    def begin(connection: Any, bounded: Any) -> Iterator[None]:
        asked.append("begin")
        with known.begin(connection, bounded):
            yield

    @contextlib.contextmanager
    def snapshot(connection: Any) -> Iterator[None]:
        connection.exec_driver_sql("SELECT 'isolate'")
        yield

    def reserve(_: Any, name: str, seconds: float) -> None:
        asked.append(f"reserve {name}")
        assert seconds > 0

    def noting(word: str) -> Any:
        return lambda *_: asked.append(word)

    duck = replace(
        known,
        name=NAME,
        snapshot=snapshot,
        begin=begin,
        reserve=reserve,
        release=noting("release"),
        stage=Stage("duck_{}", ("TEMPORARY",), "DROP TABLE {}", False, "ANALYZE {}"),  # noqa: FBT003
        move_identity=noting("move"),
        move_after_commit=noting("move after"),
    )
    monkeypatch.setitem(DIALECTS, NAME, replace(DIALECTS["sqlite"], name=NAME))
    monkeypatch.setitem(DIALECTS, "sqlite", replace(DIALECTS["sqlite"], engines=()))
    monkeypatch.setitem(BEHAVIOURS, NAME, duck)
    engine = sa.create_engine("sqlite://")
    assert behaviour_of(engine) is duck
    statements: list[str] = []
    sa.event.listen(engine, "before_cursor_execute", lambda *given: statements.append(given[2]))
    assert sql.load(tables, engine).outcome == "filled"
    assert sql.load(tables, engine).outcome == "compared"
    assert sql.read(engine).equals(tables)
    assert {"begin", "reserve aspen_etl_load", "release", "move", "move after"} == set(asked)
    assert not any("sqlite_sequence SET" in each for each in statements)
    assert "SELECT 'isolate'" in statements
    for statement in ("ANALYZE duck_aspen_etl_stage_user", "DROP TABLE duck_aspen_etl_stage_user"):
        assert statement in [each.replace('"', "") for each in statements]
    engine.dispose()
