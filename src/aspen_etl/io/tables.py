"""Write tables to a folder, a file a table, and read them back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Optional

import pandas as pd

from aspen_etl.borrower.model import BORROWER_MODEL
from aspen_etl.columns.frames import held_frames
from aspen_etl.derive.datapackage import data_package
from aspen_etl.derive.formats import DEFAULT_FORMAT, FORMATS, FormatName
from aspen_etl.errors import (
    SourceNotFoundError,
    TargetExistsError,
)
from aspen_etl.errors.base import named
from aspen_etl.io.batch import Batch
from aspen_etl.io.codecs import decode, encode_ahead
from aspen_etl.io.filesystem import Location, Url, locate
from aspen_etl.io.foreign import find_foreign
from aspen_etl.io.writing import delete, make_folder
from aspen_etl.schema.column_spec import ColumnSpec
from aspen_etl.schema.model import Model
from aspen_etl.schema.rejects import check_named
from aspen_etl.schema.snapshot import REJECTS, Tables
from aspen_etl.schema.validation import validate

__all__ = ["read_tables", "write_tables", "write_valid_tables"]

#: The name of the file that holds the rejects, without its ending.
REJECTS_FILE = "rejects"

#: The name of the file that describes the others to tools that are not ours.
PACKAGE_FILE = "datapackage.json"

_NO_LIMIT = 2**62


def write_tables(
    tables: Mapping[str, pd.DataFrame],
    url: Url,
    /,
    *,
    rejects: Optional[pd.DataFrame] = None,
    format: FormatName = "csv",  # noqa: A002 - the field's word for it
    overwrite: bool = False,
    model: Model = BORROWER_MODEL,
    storage_options: Optional[Mapping[str, Any]] = None,
) -> dict[str, int]:
    """Write tables to a folder: ``user.csv`` and so on, and the rejects beside them.

    A ``datapackage.json`` describes them, so that ``frictionless validate`` checks the folder.

    Each file is made in memory by its declared columns and put in one call. The folder as a
    whole is not one transaction: a ``SnapshotStore`` is.

    Args:
        tables: The tables; they are validated first.
        url: The folder, as an fsspec url or a local path; it is made where it can be.
        rejects: The rejects; an empty frame gives a file with a header.
        format: ``csv`` or ``parquet``.
        overwrite: Replace tables that are there, in either format. Other files stay; one that
            has the name of a table and is none, such as a sheet of the source, is refused.
        model: The model of the tables.
        storage_options: What the filesystem takes: credentials, endpoint, encryption.

    Returns:
        The bytes written, by file name.

    Raises:
        ValidationError: The tables do not fit the model; nothing was written.
        TargetExistsError: The folder holds tables already, or, with ``overwrite``, files of
            their names that are not ours; nothing was written.
        SourceAccessError: The storage refuses.
        WriteError: The storage failed; the text says which files were written.
        MissingDependencyError: The format or the protocol needs a package.
    """
    named(FORMATS, format, kind="format")
    return write_valid_tables(
        validate(tables, model=model),
        locate(url, storage_options),
        rejects=check_named(rejects),
        format=format,
        overwrite=overwrite,
        model=model,
    )


def write_valid_tables(
    tables: Mapping[str, pd.DataFrame],
    folder: Location,
    /,
    *,
    rejects: Optional[pd.DataFrame] = None,
    format: FormatName = "csv",  # noqa: A002 - the field's word for it
    overwrite: bool = False,
    model: Model = BORROWER_MODEL,
) -> dict[str, int]:
    """Write tables that come right from ``normalize`` or a store: ``write_tables`` for the rest."""
    frames: dict[str, pd.DataFrame] = dict(held_frames(tables))
    columns: dict[str, Mapping[str, ColumnSpec]] = {
        name: table.columns for name, table in model.tables.items()
    }
    if rejects is not None:
        frames[REJECTS_FILE], columns[REJECTS_FILE] = rejects, REJECTS
    names = [f"{name}.{ending}" for name in (*model.tables, REJECTS_FILE) for ending in FORMATS]
    names.append(PACKAGE_FILE)
    there = [name for name in names if folder.child(name).kind() != "absent"]
    if there and not overwrite:
        raise TargetExistsError.at(folder.url, there)
    foreign = find_foreign(folder, there)
    if foreign:
        raise TargetExistsError.foreign(folder.url, foreign)
    make_folder(folder)
    written: dict[str, int] = {}
    with Batch() as batch:
        for name, parts in encode_ahead(frames, columns, format):
            written[f"{name}.{format}"] = batch.put(folder.child(f"{name}.{format}"), parts)
        package = data_package(model, format=format, sizes=written, rejects=rejects is not None)
        text = (json.dumps(package, indent=2) + "\n").encode("ascii")
        written[PACKAGE_FILE] = batch.put(folder.child(PACKAGE_FILE), [text])
    for name in there:
        if name not in written:
            delete(folder.child(name))
    return written


def read_tables(
    url: Url,
    /,
    *,
    model: Model = BORROWER_MODEL,
    storage_options: Optional[Mapping[str, Any]] = None,
) -> Tables:
    """Read tables that ``write_tables`` wrote, and validate them.

    Args:
        url: The folder.
        model: The model of the tables.
        storage_options: What the filesystem takes.

    Raises:
        SourceNotFoundError: A table is not there.
        CorruptFileError: A file is not what ``write_tables`` wrote.
        ValidationError: The tables break their schema, a key or a reference.
    """
    folder = locate(url, storage_options)
    first = next(iter(model.tables))
    held: list[Any] = [f for f in FORMATS if folder.child(f"{first}.{f}").kind() == "file"]
    if not held:
        raise SourceNotFoundError.at(f"{folder.url}/{first}.{DEFAULT_FORMAT}")
    frames = {}
    for name, table in model.tables.items():
        place = folder.child(f"{name}.{held[0]}")
        frames[name] = decode(place.read(_NO_LIMIT), table.columns, held[0], url=place.url)
    return validate(frames, model=model)
