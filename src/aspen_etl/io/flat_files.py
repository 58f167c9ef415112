"""Changes to a flat side as files, for whoever writes them there with tools of their own.

They hold ids and cells, before and after, so they belong where rejects do.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Optional

import numpy as np
import pandas as pd

from aspen_etl.columns import COLUMNS, Mask
from aspen_etl.columns.frames import make_frame
from aspen_etl.columns.rows import take_rows
from aspen_etl.columns.text import conform_text
from aspen_etl.derive.formats import DEFAULT_FORMAT
from aspen_etl.errors import TargetExistsError
from aspen_etl.io.codecs import encode
from aspen_etl.io.filesystem import Url, locate
from aspen_etl.io.small_files import write_file
from aspen_etl.schema.column_spec import ColumnSpec
from aspen_etl.schema.model import Model
from aspen_etl.transform.flat_changes import FlatChanges

__all__ = ["write_flat_changes"]

#: What is said of each cell, beside the key of its row.
_OP, _COLUMN, _WAS, _VALUE = "op", "column", "was", "value"


def write_flat_changes(
    changes: FlatChanges,
    url: Url,
    /,
    *,
    model: Model,
    storage_options: Optional[Mapping[str, Any]] = None,
) -> tuple[str, ...]:
    """Write changes as CSV into a folder, one file a source, where none of these is there yet.

    A line is a cell: ``op`` (``delete``, ``update`` or ``insert``), the columns that the row is
    known by, ``column``, ``was`` and ``value``. Of an update these are the cells that change, of
    other rows those that are not missing; a row that has none but its key is a line without a
    column. Before a row is changed, its cells are to be held against ``was``. A key that has the
    name of one of these columns has ``key_`` before it.

    Args:
        changes: The changes.
        url: The folder, in any filesystem of fsspec.
        model: The model whose sources they are.
        storage_options: What its filesystem needs.

    Returns:
        The urls of the files, less secrets.

    Raises:
        TargetExistsError: One of the files is there.
        SourceAccessError: The storage refuses.
        WriteError: It failed.
    """
    folder = locate(url, storage_options)
    places = {name: folder.child(f"{name}.{DEFAULT_FORMAT}") for name in changes.inserted}
    there = [place.name for place in places.values() if place.kind() != "absent"]
    if there:
        msg = (
            f"{folder.url} holds files of changes already ({len(there)}); nothing was written: "
            "name another folder"
        )
        raise TargetExistsError(msg, url=folder.url, found=tuple(there))
    for name, place in places.items():
        key = model.lineage.sources[name].key
        frame = _lines(changes, name, key)
        specs = {column: ColumnSpec(column, "text", nullable=True) for column in frame.columns}
        write_file(place, encode(frame, specs, DEFAULT_FORMAT))
    return tuple(place.url for place in places.values())


def _lines(changes: FlatChanges, name: str, key: Sequence[str]) -> pd.DataFrame:
    pieces = [
        *_cells("delete", changes.deleted[name], None, key),
        *_cells("update", changes.was[name], changes.updated[name], key),
        *_cells("insert", None, changes.inserted[name], key),
    ]
    columns = _headers(key)
    if not pieces:
        return make_frame(dict.fromkeys(columns, COLUMNS.repeat(None, 0)))
    return make_frame(
        {column: COLUMNS.concat([piece[column] for piece in pieces]) for column in columns}
    )


def _headers(key: Sequence[str]) -> list[str]:
    told = (_OP, _COLUMN, _WAS, _VALUE)
    return [_OP, *(f"key_{each}" if each in told else each for each in key), *told[1:]]


def _cells(
    op: str, was: Optional[pd.DataFrame], now: Optional[pd.DataFrame], key: Sequence[str]
) -> Iterator[pd.DataFrame]:
    """Give the cells of some rows, in the order of the rows."""
    rows = was if now is None else now
    if rows is None or not len(rows):
        return
    names = [str(name) for name in rows.columns if name not in key]
    chosen = [_chosen(was, now, name) for name in names]
    bare = ~np.logical_or.reduce(chosen) if chosen else np.ones(len(rows), dtype=bool)
    at = np.concatenate([np.flatnonzero(mask) for mask in (*chosen, bare)])
    order = np.argsort(at, kind="stable")
    counts = [int(mask.sum()) for mask in chosen]
    labels = [COLUMNS.repeat(name, count) for name, count in zip(names, counts)]
    nothing = COLUMNS.repeat(None, int(bare.sum()))
    told = {
        _COLUMN: COLUMNS.concat([*labels, nothing]),
        _WAS: _told(was, names, chosen, nothing),
        _VALUE: _told(now, names, chosen, nothing),
    }
    known = dict(zip(_headers(key)[1:], (COLUMNS.take(_text(rows, each), at) for each in key)))
    found = make_frame({_OP: COLUMNS.repeat(op, len(at)), **known, **told})
    yield take_rows(found, order)


def _chosen(was: Optional[pd.DataFrame], now: Optional[pd.DataFrame], name: str) -> Mask:
    if was is not None and now is not None:
        return COLUMNS.differ(_text(was, name), _text(now, name))
    rows = now if was is None else was
    assert rows is not None  # noqa: S101 - one of both is given
    held: Mask = rows[name].notna().to_numpy(dtype=bool)
    return held


def _told(
    rows: Optional[pd.DataFrame], names: Sequence[str], chosen: Sequence[Mask], nothing: pd.Series
) -> pd.Series:
    pieces = [
        COLUMNS.repeat(None, int(mask.sum()))
        if rows is None
        else COLUMNS.take(_text(rows, name), np.flatnonzero(mask))
        for name, mask in zip(names, chosen)
    ]
    return COLUMNS.concat([*pieces, nothing])


def _text(rows: pd.DataFrame, name: str) -> pd.Series:
    return conform_text(rows[name]).reset_index(drop=True)
