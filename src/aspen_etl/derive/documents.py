"""Documents of a model, as text: diagrams that other tools draw, and its data dictionary."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from itertools import chain

from aspen_etl.errors.base import named
from aspen_etl.schema.column_spec import ColumnSpec
from aspen_etl.schema.model import Model
from aspen_etl.schema.spec import TableSpec

__all__ = ["DBML_TYPES", "MARKDOWN_TYPES", "dbml", "markdown", "mermaid"]


def mermaid(model: Model, /) -> str:
    """Draw the tables and their references as a Mermaid entity relationship diagram.

    Audit columns are left out, since every table has them.

    Examples:
        >>> from aspen_etl import BORROWER_MODEL
        >>> print(mermaid(BORROWER_MODEL).splitlines()[1].strip())
        user_profile ||--o{ user : user_profile_id
    """
    return "\n".join(["erDiagram", *_lines(model)]) + "\n"


def _lines(model: Model) -> Iterator[str]:
    for table in model.tables.values():
        for column, target in table.references.items():
            one = "|o" if table.columns[column].nullable else "||"
            yield f"    {target} {one}--o{{ {table.name} : {column}"
    for table in model.tables.values():
        yield f"    {table.name} {{"
        for spec in table.own_columns:
            yield f"        {spec.type} {spec.name}{_keys(table, spec)}"
        yield "    }"


def _keys(table: TableSpec, spec: ColumnSpec) -> str:
    keys = [
        name
        for name, held in (
            ("PK", spec.primary_key),
            ("FK", spec.references is not None),
            ("UK", table.has_surrogate_key and table.natural_key == (spec.name,)),
        )
        if held
    ]
    return f" {', '.join(keys)}" if keys else ""


# ----------------------------------------------------------------------------- DBML


def dbml(model: Model, /) -> str:
    """Write the tables and their references in DBML (dbdiagram.io), audit columns included.

    Examples:
        >>> from aspen_etl import BORROWER_MODEL
        >>> print(dbml(BORROWER_MODEL).splitlines()[0])
        Table "user_profile" {
    """
    lines = [line for table in model.tables.values() for line in _dbml_table(table)]
    for table in model.tables.values():
        for column, target in table.references.items():
            key = model.tables[target].primary_key
            lines.append(f'Ref: "{table.name}"."{column}" > "{target}"."{key}"')
    return "\n".join(lines) + "\n"


def _dbml_table(table: TableSpec) -> Iterator[str]:
    yield f'Table "{table.name}" {{'
    for spec in table.columns.values():
        facts = ["pk"] if spec.primary_key else []
        facts += [] if spec.nullable else ["not null"]
        facts += [f"note: {_note(spec.description)}"] if spec.description else []
        settings = f" [{', '.join(facts)}]" if facts else ""
        yield f'  "{spec.name}" {named(DBML_TYPES, spec.type, kind="type")(spec)}{settings}'
    if table.has_surrogate_key:
        names = ", ".join(f'"{name}"' for name in table.natural_key)
        yield from ("", "  indexes {", f"    ({names}) [unique]", "  }")
    if table.about:
        yield from ("", f"  Note: {_note(table.about)}")
    yield from ("}", "")


def _dbml_text(spec: ColumnSpec) -> str:
    return f"varchar({spec.length})" if spec.length else "text"


#: PostgreSQL's names of the types, which the tools of DBML know best.
DBML_TYPES: Mapping[str, Callable[[ColumnSpec], str]] = {
    "text": _dbml_text,
    "integer": lambda _: "bigint",
    "decimal": lambda spec: f"numeric({spec.precision},{spec.scale})",
    "date": lambda _: "date",
    "datetime": lambda _: "timestamp",
    "timestamp": lambda _: "timestamp",
    "boolean": lambda _: "boolean",
}


def _note(text: str) -> str:
    escaped = " ".join(text.split()).replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


# ----------------------------------------------------------------------------- Markdown


def markdown(model: Model, /) -> str:
    """Describe every table and column: type, length, null, key, reference and source.

    Then come the rules that the model brings beside what follows from its declarations.

    Examples:
        >>> from aspen_etl import BORROWER_MODEL
        >>> markdown(BORROWER_MODEL).splitlines()[0]
        '## user_profile'
    """
    tables = (line for table in model.tables.values() for line in _markdown_table(table))
    return "\n".join(chain(tables, _markdown_rules(model)))


def _markdown_table(table: TableSpec) -> Iterator[str]:
    yield f"## {table.name}"
    yield ""
    if table.about:
        yield table.about
        yield ""
    yield f"Known by: {', '.join(f'`{name}`' for name in table.natural_key)}."
    yield ""
    yield "| column | type | null | key | from |"
    yield "| --- | --- | --- | --- | --- |"
    for spec in table.columns.values():
        cells = (
            f"`{spec.name}`",
            named(MARKDOWN_TYPES, spec.type, kind="type")(spec),
            "yes" if spec.nullable else "no",
            _markdown_key(spec),
            _markdown_source(spec),
        )
        yield f"| {' | '.join(cells)} |"
    yield ""


def _markdown_rules(model: Model) -> Iterator[str]:
    if not any(model.rules.values()):
        return
    yield "## Rules"
    yield ""
    yield "| rule | sheet and column | keeps out | what |"
    yield "| --- | --- | --- | --- |"
    for source, rules in model.rules.items():
        for rule in rules:
            first, *others = (f"`{column}`" for column in rule.columns)
            where = f"{source} {first}" + (f", with {', '.join(others)}" if others else "")
            what = (inspect.getdoc(rule.mask) or "").strip().partition("\n")[0]
            yield f"| `{rule.name}` | {where} | {rule.scope} | {what} |"
    yield ""


def _markdown_number(spec: ColumnSpec) -> str:
    return _with_minimum(spec, "at least")


def _markdown_date(spec: ColumnSpec) -> str:
    return _with_minimum(spec, "from")


def _with_minimum(spec: ColumnSpec, word: str) -> str:
    return spec.type if spec.minimum is None else f"{spec.type}, {word} {spec.minimum}"


#: What a data dictionary says of a column's type.
MARKDOWN_TYPES: Mapping[str, Callable[[ColumnSpec], str]] = {
    "text": lambda spec: f"{spec.type} {spec.length}" if spec.length else spec.type,
    "integer": _markdown_number,
    "decimal": lambda spec: f"{spec.type}({spec.precision}, {spec.scale})",
    "date": _markdown_date,
    "datetime": lambda spec: spec.type,
    "timestamp": lambda spec: spec.type,
    "boolean": lambda spec: spec.type,
}


def _markdown_key(spec: ColumnSpec) -> str:
    if spec.references:
        return f"-> `{spec.references}`"
    return "primary" if spec.primary_key else ""


def _markdown_source(spec: ColumnSpec) -> str:
    return ", ".join(f"`{name}`" for name in spec.source)
