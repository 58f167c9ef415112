"""Formats and dialects stand in tables, and nothing else knows one from another.

A comparison with the name of a format or a dialect has an `else`, by which the next one would be
taken for another. So there is none: what is asked is an entry of the table.
"""

from __future__ import annotations

import ast
import dataclasses
import importlib
from collections.abc import Iterator, Mapping
from typing import Any, get_args

import pytest

from aspen_etl.derive.datapackage import FIELD_TYPES
from aspen_etl.derive.dialects import DIALECTS, Dialect, SQLDialect, checks_of, type_of
from aspen_etl.derive.documents import DBML_TYPES, MARKDOWN_TYPES
from aspen_etl.derive.formats import (
    ARROW_TYPES,
    DEFAULT_FORMAT,
    FORMATS,
    TRINO_TYPES,
    FileFormat,
    Format,
    FormatName,
    Serde,
    hive_type,
)
from aspen_etl.errors import NotSupportedError
from aspen_etl.errors.base import named
from aspen_etl.io.arrow_cells import ARROW_CELLS, arrow_cells
from aspen_etl.io.codecs import CODECS, Codec
from aspen_etl.io.csv_cells import CSV_CELLS, csv_cells
from aspen_etl.schema.column_spec import ColumnSpec, ColumnType
from aspen_etl.schema.types import TYPES
from tests.support.house import TREES, nodes

NAMES = {*FORMATS, *DIALECTS, *(name for each in DIALECTS.values() for name in each.engines)}

TABLES = {
    "derive/dialects.py",
    "derive/formats.py",
    "io/codecs.py",
    "sql/dialects.py",
    "sql/flat_guards.py",
    "sql/trust.py",
}

#: Other dicts that have such a name as a key, and why.
OTHERS = {
    "io/extract.py": "what a file is, told by its bytes: `recognize` knows no other kind",
    "schema/landing_forms.py": "what AWS DMS writes, in its own words",
}


def behaviours() -> Any:
    """Give the module of the behaviours, which needs SQLAlchemy."""
    pytest.importorskip("sqlalchemy", reason="the extra sql is not installed")
    return importlib.import_module("aspen_etl.sql.dialects")


# ------------------------------------------------------------------------------- the tables


def test_paired_tables_have_the_same_keys_as_the_types_of_their_names() -> None:
    assert tuple(FORMATS) == get_args(FormatName)
    assert tuple(CODECS) == get_args(FileFormat)
    assert tuple(DIALECTS) == get_args(SQLDialect)
    assert DEFAULT_FORMAT in FORMATS


def test_each_dialect_has_a_behaviour() -> None:
    assert tuple(behaviours().BEHAVIOURS) == tuple(DIALECTS)


def test_each_dialect_has_guards_of_flat_tables_and_each_fact_of_them_is_given() -> None:
    pytest.importorskip("sqlalchemy", reason="the extra sql is not installed")
    module = importlib.import_module("aspen_etl.sql.flat_guards")
    assert tuple(module.FLAT_GUARDS) == tuple(DIALECTS)
    check_no_default(module.FlatGuards)


def test_each_dialect_tells_of_its_own_rules() -> None:
    pytest.importorskip("sqlalchemy", reason="the extra sql is not installed")
    module = importlib.import_module("aspen_etl.sql.trust")
    assert tuple(module.TRUST) == tuple(DIALECTS)
    check_no_default(module.Trust)


def test_each_entry_has_the_name_that_it_is_found_by() -> None:
    tables: list[Mapping[str, Any]] = [FORMATS, DIALECTS]
    for table in tables:
        assert {key: entry.name for key, entry in table.items()} == {key: key for key in table}


def test_each_behaviour_has_the_name_that_it_is_found_by() -> None:
    table = behaviours().BEHAVIOURS
    assert {key: entry.name for key, entry in table.items()} == {key: key for key in table}


def check_no_default(*kinds: Any) -> None:
    """Make sure that no entry can be made without each fact, which a default would make up."""
    for kind in kinds:
        for field in dataclasses.fields(kind):
            missing = (field.default, field.default_factory)
            assert missing == (dataclasses.MISSING, dataclasses.MISSING), f"{kind}: {field.name}"


def test_every_field_of_an_entry_is_given() -> None:
    check_no_default(Format, Serde, Codec, Dialect)


def test_every_field_of_a_behaviour_is_given() -> None:
    module = behaviours()
    check_no_default(module.Behaviour, module.Stage, module.locks.Locks)


#: What is said of each type of column, by what says it.
BY_TYPE: dict[str, Mapping[str, Any]] = {
    **{f"Hive, {name}": each.hive_types for name, each in FORMATS.items()},
    **{f"types of {name}": each.types for name, each in DIALECTS.items()},
    **{f"checks of {name}": each.checks for name, each in DIALECTS.items()},
    "Arrow": ARROW_TYPES,
    "Trino": TRINO_TYPES,
    "Data Package": FIELD_TYPES,
    "DBML": DBML_TYPES,
    "data dictionary": MARKDOWN_TYPES,
    "cells of CSV": CSV_CELLS,
    "cells of Arrow": ARROW_CELLS,
    "kernels": TYPES,
}


@pytest.mark.parametrize("table", BY_TYPE.values(), ids=BY_TYPE)
def test_something_is_said_of_each_type_of_column(table: Mapping[str, Any]) -> None:
    assert tuple(table) == get_args(ColumnType)


def test_drivers_have_values_of_each_type_of_column() -> None:
    pytest.importorskip("sqlalchemy", reason="the extra sql is not installed")
    module = importlib.import_module("aspen_etl.sql.values")
    assert tuple(module.DRIVER_VALUES) == get_args(ColumnType)
    texts = importlib.import_module("aspen_etl.sql.flat_texts").FLAT_TEXTS
    assert tuple(texts) == get_args(ColumnType)


def test_a_type_that_a_table_lacks_is_named_beside_those_there_are() -> None:
    pytest.importorskip("sqlalchemy", reason="the extra sql is not installed")
    spec: Any = ColumnSpec("x", "uuid")  # type: ignore[arg-type]
    known = ", ".join(get_args(ColumnType))
    for ask, noun in (
        (lambda: type_of(spec, DIALECTS["mssql"]), "type of columns in mssql"),
        (lambda: checks_of(spec, DIALECTS["sqlite"]), "type of columns in sqlite"),
        (lambda: hive_type(spec, FORMATS["parquet"]), "type of columns in parquet"),
        (lambda: csv_cells(spec), "type of columns in CSV"),
        (lambda: arrow_cells(spec), "type of columns in Arrow"),
    ):
        with pytest.raises(NotSupportedError) as caught:
            ask()
        assert str(caught.value) == f"there is no {noun} 'uuid'; use one of {known}"


def test_an_engine_speaks_one_dialect() -> None:
    engines = [name for each in DIALECTS.values() for name in each.engines]
    assert sorted(engines) == sorted(set(engines))


def test_who_asks_for_none_that_there_is_is_told_which_there_are() -> None:
    with pytest.raises(NotSupportedError) as caught:
        named(FORMATS, "orc", kind="format")
    assert str(caught.value) == "there is no format 'orc'; use one of csv, parquet"
    assert caught.value.details == {"format": "orc"}
    with pytest.raises(NotSupportedError, match="there is no SQL dialect 'x'; use one of postgr"):
        named(DIALECTS, "x", kind="dialect", noun="SQL dialect")


# --------------------------------------------------------------------------- nothing else


def texts(node: ast.AST) -> Iterator[str]:
    """Yield the texts that an operand is, or is a choice of."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, (ast.Tuple, ast.List, ast.Set)):
        for each in node.elts:
            yield from texts(each)
    elif isinstance(node, ast.Dict):
        for key in node.keys:
            yield from texts(key) if key is not None else ()


def decisions(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield line and name of each place that tells a format or a dialect by its name."""
    for node in nodes(tree):
        if isinstance(node, ast.Compare):
            operands = [node.left, *node.comparators]
        elif isinstance(node, ast.Dict):
            operands = [node]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            asks = node.func.attr in {"startswith", "endswith", "get"}
            operands = list(node.args[:1]) if asks else []
        else:
            continue
        for operand in operands:
            yield from ((node.lineno, text) for text in texts(operand) if text in NAMES)


@pytest.mark.parametrize(
    "code",
    [
        'x == "csv"',
        '"csv" != x',
        'x in ("mysql", "mariadb")',
        'x not in {"sqlite"}',
        '{"postgresql": 1}[x]',
        'x.startswith("mssql")',
        'x.endswith(("a", "parquet"))',
    ],
)
def test_a_decision_is_found_in_each_form(code: str) -> None:
    assert len(list(decisions(ast.parse(code)))) >= 1
    assert list(decisions(ast.parse('load(x, "csv") or x == ".csv" or x in CODECS'))) == []


def test_nothing_but_the_tables_tells_formats_or_dialects_by_their_names() -> None:
    found = {name: list(decisions(tree)) for name, tree in TREES.items()}
    made = {name: places for name, places in found.items() if places}
    assert {name: places for name, places in made.items() if name not in {*TABLES, *OTHERS}} == {}
    assert set(made) == {*TABLES, *OTHERS}, "a table or an exception that is none"


@pytest.mark.parametrize("module", sorted({*TABLES, *OTHERS}))
def test_a_table_is_a_dict_and_no_comparison(module: str) -> None:
    compares = [node for node in nodes(TREES[module]) if isinstance(node, ast.Compare)]
    assert [each for node in compares for each in decisions(node)] == []


# ---------------------------------------------------------------------------- types of columns

#: The rooms that ask a table of theirs for what a type of column is to them.
ROOMS = ("derive", "io", "sql", "store")


def types_told(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield line and name of each place that compares a type of column with its name."""
    for node in nodes(tree):
        if isinstance(node, ast.Compare):
            operands = [node.left, *node.comparators]
            if any(isinstance(each, ast.Attribute) and each.attr == "type" for each in operands):
                for operand in operands:
                    yield from (
                        (node.lineno, text)
                        for text in texts(operand)
                        if text in get_args(ColumnType)
                    )


def test_files_and_databases_tell_no_type_of_column_by_its_name() -> None:
    assert list(types_told(ast.parse('spec.type in ("date", "x")'))) == [(1, "date")]
    found = {
        name: list(types_told(tree))
        for name, tree in TREES.items()
        if name.partition("/")[0] in ROOMS
    }
    assert {name: places for name, places in found.items() if places} == {}
