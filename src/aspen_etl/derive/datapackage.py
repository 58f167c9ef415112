"""A Data Package: a folder of tables described for tools that are not ours.

Sources: the Data Package and Table Schema specifications (version 1, with ``uniqueKeys`` and
field-level ``missingValues`` of version 2), as ``frictionless validate`` reads them.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any, Optional

from aspen_etl.derive.formats import FORMATS, Format, FormatName
from aspen_etl.errors.base import named
from aspen_etl.schema.column_spec import ColumnSpec
from aspen_etl.schema.model import Model
from aspen_etl.schema.snapshot import REJECTS
from aspen_etl.schema.spec import TableSpec

__all__ = ["FIELD_TYPES", "data_package"]


def _moment(_: ColumnSpec, file_format: Format) -> dict[str, Any]:
    facts = {"type": "datetime"}
    return (
        facts if file_format.time_format is None else {**facts, "format": file_format.time_format}
    )


def _text(spec: ColumnSpec, _: Format) -> dict[str, Any]:
    # An empty field is '' where text cannot be null, and null elsewhere.
    return {"type": "string", **({} if spec.nullable else {"missingValues": []})}


#: Gives what a field is, by the type of the column.
FIELD_TYPES: Mapping[str, Callable[[ColumnSpec, Format], dict[str, Any]]] = {
    "text": _text,
    "integer": lambda *_: {"type": "integer"},
    "decimal": lambda *_: {"type": "number"},
    "date": lambda *_: {"type": "date"},
    "datetime": _moment,
    "timestamp": _moment,
    "boolean": lambda *_: {"type": "boolean", "trueValues": ["true"], "falseValues": ["false"]},
}


def data_package(
    model: Model,
    /,
    *,
    format: FormatName = "csv",  # noqa: A002 - the field's word for it
    sizes: Optional[Mapping[str, int]] = None,
    rejects: bool = False,
) -> dict[str, Any]:
    """Describe a folder that ``write_tables`` wrote: the content of its ``datapackage.json``.

    Args:
        model: The model of the tables.
        format: The format of the files.
        sizes: The bytes of the files by name, such as ``user.csv``, where they are known. Those of
            Parquet are left out: ``frictionless`` holds them against a size that it never takes.
        rejects: Whether the rejects stand beside the tables.

    Returns:
        Plain values, ready for JSON: a resource a table, in reference order, with types,
        lengths, formats, primary and foreign keys and natural keys.

    Raises:
        NotSupportedError: There is no such format.

    Examples:
        >>> from aspen_etl import BORROWER_MODEL
        >>> user = data_package(BORROWER_MODEL)["resources"][1]
        >>> user["path"], user["schema"]["primaryKey"]
        ('user.csv', 'user_id')
    """
    known = named(FORMATS, format, kind="format")
    resources = [
        _resource(name, table.columns, known, sizes or {}, _keys(table, model))
        for name, table in model.tables.items()
    ]
    for resource, table in zip(resources, model.tables.values()):
        resource.update({"description": table.about} if table.about else {})
    if rejects:
        resources.append(_resource("rejects", REJECTS, known, sizes or {}, {}))
    return {"profile": "data-package", "name": "tables", "resources": resources}


def _resource(
    name: str,
    columns: Mapping[str, ColumnSpec],
    file_format: Format,
    sizes: Mapping[str, int],
    keys: Mapping[str, Any],
) -> dict[str, Any]:
    path = f"{name}.{file_format.name}"
    out: dict[str, Any] = {
        "name": name,
        "path": path,
        "format": file_format.name,
        "mediatype": file_format.media_type,
        **copy.deepcopy(dict(file_format.resource)),
    }
    if path in sizes and file_format.has_size:
        out["bytes"] = sizes[path]
    fields = [_field(spec, file_format) for spec in columns.values()]
    out["schema"] = {"fields": fields, "missingValues": [""], **keys}
    return out


def _field(spec: ColumnSpec, file_format: Format) -> dict[str, Any]:
    kind = named(FIELD_TYPES, spec.type, kind="type", noun="type of fields")(spec, file_format)
    out: dict[str, Any] = {"name": spec.name, **kind}
    if spec.nullable and spec.type in file_format.absent:
        out["missingValues"] = list(file_format.absent[spec.type])
    if spec.description:
        out["description"] = spec.description
    constraints: dict[str, Any] = {}
    if not spec.nullable:
        constraints["required"] = True
    if spec.primary_key:
        constraints["unique"] = True
    if spec.length:
        constraints["maxLength"] = spec.length
    if spec.minimum is not None:
        constraints["minimum"] = (
            spec.minimum if isinstance(spec.minimum, int) else str(spec.minimum)
        )
    if spec.text_format:
        constraints["pattern"] = spec.text_format.pattern
    if constraints:
        out["constraints"] = constraints
    return out


def _keys(table: TableSpec, model: Model) -> dict[str, Any]:
    out: dict[str, Any] = {"primaryKey": table.primary_key}
    if table.has_surrogate_key:
        out["uniqueKeys"] = [list(table.natural_key)]
    if table.references:
        out["foreignKeys"] = [
            {
                "fields": column,
                "reference": {"resource": target, "fields": model.tables[target].primary_key},
            }
            for column, target in table.references.items()
        ]
    return out
