"""What a catalogue says is what a first model says, and it normalizes what the database holds."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings

import aspen_etl as ae
from aspen_etl.__main__ import main
from aspen_etl.derive.sql import sql_ddl
from aspen_etl.errors import ExtractError, HeaderError, SourceNotFoundError
from aspen_etl.schema import Model
from aspen_etl.testing import extracts
from tests.laws.models import RUN
from tests.support.clinic_model import MODEL as CLINIC
from tests.support.effort import some
from tests.support.ends import ENDS_MODEL, end_frames

sa = pytest.importorskip("sqlalchemy", reason="the extra sql is not installed")

from aspen_etl import sql  # noqa: E402 - needs what was just asked for
from aspen_etl.sql.flat_cells import flat_cells  # noqa: E402 - likewise
from aspen_etl.sql.kinds import kind_of  # noqa: E402 - likewise

MODELS = {"borrower": ae.BORROWER_MODEL, "clinic": CLINIC, "ends": ENDS_MODEL}
#: What each database holds of a type, where that is less than the type: SQLite has text for days
#: and decimals, and no other has a zone.
HELD = {
    "sqlite": {"date": "text", "decimal": "text", "timestamp": "datetime"},
    "postgresql": {"timestamp": "datetime"},
    "mariadb": {"timestamp": "datetime"},
}


def model_of(text: str, folder: Path) -> Model:
    """Import a proposal."""
    path = folder / "proposed.py"
    path.write_text(text, encoding="utf-8")
    found = runpy.run_path(str(path), run_name="proposed")["MODEL"]
    assert isinstance(found, Model)
    return found


def facts(model: Model, held: dict[str, str]) -> dict[str, Any]:
    """Give what a database of a kind holds of a model: tables, keys, references, types."""
    out: dict[str, Any] = {}
    for name, table in model.tables.items():
        columns = {}
        for spec in table.own_columns:
            kind = held.get(spec.type, spec.type)
            # A decimal without places is a whole number there, if 64 bits hold it.
            is_whole = kind == "decimal" and not spec.scale and (spec.precision or 0) <= 18
            kept = kind == spec.type == "text" or kind == spec.type == "decimal"
            size = (spec.length, spec.precision, spec.scale) if kept else None
            size = (None, None, None) if kind == "text" != spec.type else size
            told = (spec.nullable, spec.primary_key, spec.references)
            columns[spec.name] = ("integer" if is_whole else kind, size, *told)
        out[name] = columns
    return out


def run_ddl(database: Any, model: Model) -> None:
    """Make tables by the statements that derive writes."""
    dialect = {"mariadb": "mysql"}.get(database.name, database.name)
    with database.engine.begin() as connection:
        for statement in sql_ddl(model, dialect=dialect).split(";\n"):
            if statement.strip():
                connection.exec_driver_sql(statement.replace("%", "%%"))


@pytest.mark.parametrize("name", MODELS)
def test_our_ddl_gives_our_tables_back(database: Any, name: str, tmp_path: Path) -> None:
    run_ddl(database, MODELS[name])
    proposal = sql.propose_model(database.engine)
    found = model_of(proposal.model, tmp_path)
    held = HELD[database.name]
    wanted = facts(MODELS[name], held)
    told = facts(found, {})
    assert {table: told[table] for table in wanted} == wanted
    assert set(told) == set(wanted)
    assert sum(proposal.tables.values()) == sum(map(len, wanted.values()))


@pytest.mark.parametrize("one_database", ["sqlite", "postgresql"], indirect=True)
def test_what_is_proposed_normalizes_what_is_read(one_database: Any, tmp_path: Path) -> None:
    run_ddl(one_database, CLINIC)
    model = model_of(sql.propose_model(one_database.engine).model, tmp_path)

    # No extract gives an empty text, which is null in any other column and here a reject.
    @settings(some(6, 2), phases=[Phase.generate], suppress_health_check=[HealthCheck.too_slow])
    @given(extracts(CLINIC, min_rows=1))
    def run(source: ae.Extract) -> None:
        held = ae.normalize(source, model=CLINIC, run=RUN).tables
        sql.load(held, one_database.engine, model=CLINIC, overwrite=True)
        extract = ae.read_database(one_database.engine, model=model)
        assert len(extract.faults) == 0
        result = ae.normalize(extract, model=model, run=RUN)
        assert result.rejects.empty
        assert {name: len(frame) for name, frame in result.tables.items()} == {
            name: len(frame) for name, frame in held.items()
        }
        for name, table in model.tables.items():
            key = table.primary_key
            assert set(result.tables[name][key]) == set(held[name][key])

    run()


def test_the_ends_of_types_come_through_the_proposal(database: Any, tmp_path: Path) -> None:
    sql.load(end_frames(), database.engine, model=ENDS_MODEL)
    model = model_of(sql.propose_model(database.engine).model, tmp_path)
    result = ae.normalize(ae.read_database(database.engine, model=model), model=model, run=RUN)
    rejected = set(result.rejects["column"])
    assert rejected <= {"first"}  # days before our calendar, which the catalogue does not tell of
    assert len(result.tables["end"]) == len(end_frames()["end"])


# ----------------------------------------------------------------------------- tables of others

OTHERS = """
CREATE TABLE "Order Lines" (
  "Order No" VARCHAR(20) NOT NULL, line INTEGER NOT NULL, "class" TEXT, photo BLOB,
  price DECIMAL(12, 2) NOT NULL, created DATETIME, weight FLOAT, size NUMERIC,
  PRIMARY KEY ("Order No", line), FOREIGN KEY ("Order No") REFERENCES orders ("Order No")
);
CREATE TABLE orders (
  "Order No" VARCHAR(20) PRIMARY KEY, "before" VARCHAR(20) REFERENCES orders,
  owner INTEGER REFERENCES people, first_line INTEGER,
  FOREIGN KEY ("Order No", first_line) REFERENCES "Order Lines" ("Order No", line)
);
CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT UNIQUE);
CREATE TABLE details (id INTEGER PRIMARY KEY REFERENCES people, note TEXT)
"""


@pytest.fixture
def others(tmp_path: Path) -> Any:
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'others.db'}", poolclass=sa.NullPool)
    with engine.begin() as connection:
        for statement in OTHERS.split(";"):
            connection.exec_driver_sql(statement)
        for statement in (
            "INSERT INTO people VALUES (7, 'Ann'), (8, NULL)",
            "INSERT INTO orders VALUES ('A', NULL, 7, 1), ('B', 'A', NULL, NULL)",
            """INSERT INTO "Order Lines" ("Order No", line, price) VALUES ('A', 1, 2.5)""",
            "INSERT INTO details VALUES (8, 'x')",
        ):
            connection.exec_driver_sql(statement)
    return engine


def test_tables_of_others_are_declared_as_they_are(others: Any, tmp_path: Path) -> None:
    proposal = sql.propose_model(others)
    text = " ".join(proposal.model.replace("# ", "").split())
    for line in (
        'class OrderLine(Table, source="order_lines"):',
        'order_no: Series[str] = ref("order", source="order_no", natural_key=True)',
        "line: Series[int] = column(natural_key=True)",
        'class_: Series[str] = column(source="class", nullable=True)',
        'created_: Series[dt.datetime] = column(source="created", nullable=True)',
        "price: Series[Decimal] = column(precision=12, scale=2)",
        'owner: Series[int] = ref("person", source="owner", nullable=True)',
        "before: Series[str] = column(length=20, nullable=True)",
        'id: Series[int] = ref("person", source="id", natural_key=True)',
        "photo (BLOB)",
        "before refers to orders, which no model can",
        "also unique: name",
    ):
        assert line in text, line
    model = model_of(proposal.model, tmp_path)
    extract = ae.read_database(others, model=model)
    result = ae.normalize(extract, model=model, run=RUN)
    assert result.rejects.empty
    assert result.tables["order_line"]["price"].astype(str).tolist() == ["2.50"]
    assert len(result.tables["detail"]) == 1


def test_what_cannot_be_proposed_is_named(others: Any, tmp_path: Path) -> None:
    with others.begin() as connection:
        connection.exec_driver_sql("CREATE VIEW names AS SELECT name FROM people")
        connection.exec_driver_sql("CREATE TABLE keyless (a TEXT)")
    with pytest.raises(ExtractError, match="the table 'keyless' has no primary key; name one with"):
        sql.propose_model(others)
    told = {"people": "people", "names": "names"}
    proposal = sql.propose_model(others, tables=told, keys={"names": "name"})
    assert proposal.options == {"tables": told}
    assert "name: Series[str] = column(primary_key=True, length=128)" in proposal.model
    with pytest.raises(HeaderError, match=r"no table 'peopl' .* did you mean 'people'"):
        sql.propose_model(others, tables={"people": "peopl"})
    with pytest.raises(ExtractError, match="keys= names 'persons', which is no source"):
        sql.propose_model(others, keys={"persons": "id"})
    with pytest.raises(SourceNotFoundError):
        sql.propose_model(f"sqlite:///{tmp_path / 'none.db'}")


@pytest.mark.usefixtures("others")
def test_init_writes_a_model_and_a_test_that_passes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    url = "sqlite:///others.db"
    assert main(["init", url, "--table", "staff=people", "-o", "people.py"]) == 0
    printed = capsys.readouterr().out
    command = f"aspen-etl normalize {url} tables --model people.py:MODEL --table staff=people"
    assert command in printed
    assert main(command.split()[1:]) == 0
    assert "staff" in capsys.readouterr().out
    module = runpy.run_path("people.py", run_name="people")
    monkeypatch.syspath_prepend(tmp_path)
    test = runpy.run_path("test_people.py")
    assert module["MODEL"].tables.keys() == {"staff"}
    test["test_nothing_is_lost"]()
    test["test_the_tables_give_the_sheets_back"]()
    assert main(["init", url, "--column", "a=b", "-o", "other.py"]) == 1
    assert "--column is no option of init for a database" in capsys.readouterr().err


def test_each_type_that_is_read_has_a_kind() -> None:
    from sqlalchemy.dialects import mssql, mysql, postgresql

    from aspen_etl.sql.dialects import BEHAVIOURS

    for module, name in ((mssql, "mssql"), (mysql, "mysql"), (postgresql, "postgresql")):
        cells = BEHAVIOURS[name].cells
        for each in module.__all__:
            kind = getattr(module, each)
            if isinstance(kind, type) and issubclass(kind, sa.types.TypeEngine):
                made = kind("a") if issubclass(kind, (sa.Enum, mysql.SET)) else _made(kind)
                if made is not None and flat_cells(made, cells) is not None:
                    assert kind_of(made).type, each


def _made(kind: Any) -> Any:
    try:
        return kind()
    except TypeError:  # a domain, an array: of another type
        return None
