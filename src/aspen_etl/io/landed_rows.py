"""Landed files as changes: operation, key, place in the order, and the row as it is afterwards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Optional

import numpy as np
import numpy.typing as npt
import pandas as pd

from aspen_etl.columns import COLUMNS, Mask
from aspen_etl.columns.frames import make_frame
from aspen_etl.columns.rows import are_present, codes
from aspen_etl.errors import LandedFileError
from aspen_etl.io.landed_columns import LandedColumns, refuse_types
from aspen_etl.io.landed_marks import read_cells, read_moments, read_stamps
from aspen_etl.io.landed_names import LandedName
from aspen_etl.io.landed_tables import (
    OPERATION,
    LandedRows,
    read_declared,
    read_headed,
    read_transactions,
)
from aspen_etl.io.reading import ReadLimits, Request
from aspen_etl.schema.landing import LandedTable, Landing
from aspen_etl.transform.changing import (
    DELETE,
    INSERT,
    LOAD,
    UPDATE,
    SourceChanges,
)

if TYPE_CHECKING:
    from aspen_etl.schema.model import Model

__all__ = ["LandedChanges", "read_changes", "state_columns"]

_KINDS = {"I": INSERT, "U": UPDATE, "D": DELETE}


@dataclass(frozen=True)
class LandedChanges:
    """Hold what a landed file says.

    Attributes:
        changes: Its changes by source.
        others: How many rows are of tables that no source is fed by.
    """

    changes: Mapping[str, SourceChanges] = field(repr=False)
    others: int = 0


def state_columns(table: LandedTable, source: str, model: Model, /) -> list[str]:
    """Give the columns that a state of a source keeps: the model's, and those of the key alone."""
    known = list(model.sources[source].columns)
    keys = [table.column_of(name) for name in table.key]
    return known + [name for name in keys if name not in known]


def read_changes(
    data: bytes, name: LandedName, told: tuple[Landing, Model], limits: ReadLimits, /
) -> LandedChanges:
    """Read a landed file as changes.

    Args:
        data: The file, unpacked.
        name: What its name says.
        told: The landing and the model.
        limits: How much to take in.

    Raises:
        LandedFileError: It holds what is no change, or not a whole one.
        ExtractError: It is not what it should be: torn, not in UTF-8, too large.
    """
    landing, model = told
    request = Request(name.path, name.path, (OPERATION,), 1, limits)
    others = 0
    if name.source is None:
        parts, others = read_transactions(data, landing, request)
    else:
        table = landing.tables[name.source]
        if not name.is_text:
            refuse_types(data, name.path, table, (name.source, model))
        if table.headers is None or not name.is_text:
            parts = {name.source: [read_headed(data, request, is_text=name.is_text)]}
        else:
            parts = {name.source: read_declared(data, table, landing, request)}
    changes = {}
    for source, held in parts.items():
        columns = LandedColumns(source, landing, model)
        # Of a file without a row the header counts, too; an empty one has none.
        found = [_changes(part, name, columns) for part in held if part.names]
        if found:
            changes[source] = _one_file(SourceChanges.join(found), name)
    return LandedChanges(changes, others)


def _one_file(changes: SourceChanges, name: LandedName) -> SourceChanges:
    """Say of rows that were read in parts that they are of one file."""
    files = np.zeros(len(changes), dtype=np.int64)
    return SourceChanges(
        changes.cells,
        changes.kinds,
        changes.stamps,
        files,
        changes.rows,
        (name.path,),
        changes.before,
        changes.moments,
        changes.lob_max_kb,
    )


def _changes(part: LandedRows, name: LandedName, columns: LandedColumns) -> SourceChanges:
    landing = columns.landing
    places = part.places()
    columns.check(part.names, part.file)
    kinds = _kinds(part, places, is_load=name.kind == "load")
    cells = {to: read_cells(part, places.get(at), landing) for to, at in columns.landed.items()}
    _refuse_missing_keys(part.file, [cells[key] for key in columns.key])
    cells = _without_unlogged(part, cells, kinds, columns)
    moments = read_moments(part, places, kinds, landing)
    return SourceChanges(
        make_frame(cells),
        kinds,
        read_stamps(part, places, (name, kinds, moments), landing),
        np.zeros(len(part.rows), dtype=np.int64),
        part.rows,
        (part.file,),
        _before(part, places, kinds, columns),
        moments,
        landing.lob_max_kb,
    )


# ----------------------------------------------------------------------------- the operation


def _kinds(part: LandedRows, places: Mapping[str, int], *, is_load: bool) -> npt.NDArray[np.int8]:
    if OPERATION not in places:
        raise LandedFileError.of(
            "operation",
            part.file,
            f"has no column {OPERATION}",
            "set IncludeOpForFullLoad of the endpoint to true, and load anew",
        )
    found, distinct = codes(part.column(places[OPERATION]))
    known = {"I": LOAD} if is_load else _KINDS
    kinds = np.array([*(known.get(text, -1) for text in distinct), -1], dtype=np.int8)[found]
    wrong = int((kinds < 0).sum())
    if wrong:
        wanted = "I in a full load" if is_load else "I, U, D"
        raise LandedFileError.of(
            "operation",
            part.file,
            f"has {wrong:,} rows whose operation is none of {wanted}",
            "only files that DMS wrote with IncludeOpForFullLoad may lie here",
            count=wrong,
        )
    return kinds


# ----------------------------------------------------------------------------- the key, whole rows


def _refuse_missing_keys(file: str, keys: Sequence[pd.Series]) -> None:
    whole: Mask = np.logical_and.reduce([are_present(values) for values in keys])
    wrong = int((~whole).sum())
    if wrong:
        raise LandedFileError.of(
            "key_missing",
            file,
            f"has {wrong:,} rows without a key",
            "name the columns of the table's primary key in key=; DMS writes them in each row",
            count=wrong,
        )


def _without_unlogged(
    part: LandedRows,
    cells: Mapping[str, pd.Series],
    kinds: npt.NDArray[np.int8],
    columns: LandedColumns,
) -> dict[str, pd.Series]:
    """Refuse rows of which the log held a part only; of a deletion the key alone is looked at."""
    token = columns.landing.not_logged
    if not part.has_tokens:
        return dict(cells)
    partial = np.zeros(len(kinds), dtype=bool)
    for name, values in cells.items():
        found = (values == token).to_numpy(dtype=bool)
        partial |= found & ((kinds != DELETE) | (name in columns.key))
    wrong = int(partial.sum())
    if wrong:
        raise LandedFileError.of(
            "partial_row",
            part.file,
            f"has {wrong:,} rows with a cell that was not logged",
            "let the database log whole rows of the table, and load anew",
            count=wrong,
        )
    return dict(cells)


def _before(
    part: LandedRows,
    places: Mapping[str, int],
    kinds: npt.NDArray[np.int8],
    columns: LandedColumns,
) -> Optional[pd.DataFrame]:
    """Give the key before each update, where the file tells."""
    landing, table = columns.landing, columns.table
    names = [f"{landing.before}{name}" for name in table.key]
    held = [name for name in names if name in places]
    if not held:
        return None
    values = [_logged(read_cells(part, places.get(name), landing), landing) for name in names]
    told = [are_present(each) for each in values]
    partly = np.logical_or.reduce(told) & ~np.logical_and.reduce(told) & (kinds == UPDATE)
    wrong = int(partly.sum())
    if len(held) < len(names) or wrong:
        raise LandedFileError.of(
            "before_image",
            part.file,
            f"tells the key before a change in part ({wrong:,} rows)",
            "let the before image of the task hold all columns of the key",
            count=wrong,
        )
    return make_frame(dict(zip(columns.key, values)))


def _logged(values: pd.Series, landing: Landing) -> pd.Series:
    is_token = (values == landing.not_logged).to_numpy(dtype=bool)
    return COLUMNS.keep(values, ~is_token) if is_token.any() else values
