"""Join what was made of parts to what one run over the whole makes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Optional

import numpy as np
import pandas as pd

from aspen_etl.columns import COLUMNS
from aspen_etl.columns.frames import make_frame
from aspen_etl.columns.positions import is_range, rows_without
from aspen_etl.columns.rows import find_rows, sort_rows, take_rows
from aspen_etl.errors import ProofError
from aspen_etl.schema.model import Model
from aspen_etl.schema.snapshot import KeyState, Snapshot, Tables
from aspen_etl.schema.spec import TableSpec
from aspen_etl.transform.keys import (
    PartedKeys,
    TableKeys,
    join_keys,
    key_columns,
    part_keys,
    some_keys,
)
from aspen_etl.transform.parting import Partitioning
from aspen_etl.transform.reporting import RejectCount, SourceSummary, Summary

__all__ = ["join_rejects", "join_rows", "join_snapshots", "join_summaries"]


def join_rows(
    parts: Sequence[pd.DataFrame], table: TableSpec, /, *, shared: bool = False
) -> pd.DataFrame:
    """Join rows of a table, in the order of their keys.

    Args:
        parts: The rows of each part, their numbers settled.
        table: What they are rows of.
        shared: Whether parts may hold the same row, which is then taken once.

    Raises:
        ProofError: Two parts hold a row of one key, and they may not.
    """
    whole = _concat(parts)
    order, same = sort_rows([whole[table.primary_key]])
    if same.any() and not shared:
        count = int(same.sum())
        msg = (
            f"{count} rows of {table.name!r} were made of two parts; nothing may be committed: a "
            "builder does not look at one subject alone, or this is a fault of the library"
        )
        raise ProofError(msg, table=table.name, column=table.primary_key, count=count)
    rows = order[~same]
    if len(rows) == len(whole) and is_range(rows):
        return whole
    return take_rows(whole, rows)


def _concat(parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    held = [part for part in parts if len(part)] or list(parts[:1])
    if len(held) == 1:
        return held[0].reset_index(drop=True)
    return make_frame({name: COLUMNS.concat([part[name] for part in held]) for name in held[0]})


def join_snapshots(
    parts: Sequence[Snapshot], how: Partitioning, /, *, names: Optional[Collection[str]] = None
) -> Snapshot:
    """Join the tables of parts, and the keys that they gave.

    Args:
        parts: What was made of each part, its numbers settled.
        how: How the model is partitioned.
        names: Which tables to join; by default all.

    Raises:
        ProofError: Two parts made one row.
    """
    tables: dict[str, pd.DataFrame] = {}
    keys: dict[str, KeyState] = {}
    for name, table in how.model.tables.items():
        if names is not None and name not in names:
            continue
        shared = name in how.lookups
        tables[name] = join_rows([part.tables[name] for part in parts], table, shared=shared)
        if name not in parts[0].keys:
            continue
        in_use = make_frame({column: tables[name][column] for column in key_columns(table)})
        gone = [part_keys(part.keys[name], part.tables[name], table).retired for part in parts]
        # Of a lookup each part retires what it has no row of, though another one may have it again.
        retired = _without(gone[0], in_use, table) if shared else join_keys(gone, table)
        keys[name] = TableKeys(table, parts[0].keys[name].next, PartedKeys(in_use, retired))
    return Snapshot(Tables(tables), keys, parts[0].time)


def _without(keys: pd.DataFrame, others: pd.DataFrame, table: TableSpec) -> pd.DataFrame:
    at = find_rows([others[table.primary_key]], [keys[table.primary_key]])
    return some_keys(keys, rows_without(at, len(keys)), table)


def join_rejects(
    parts: Sequence[pd.DataFrame], rows: Mapping[str, pd.Index], model: Model, /
) -> pd.DataFrame:
    """Join rejects, in the order of sheets and of their rows; those of one row are in one part.

    Args:
        parts: The rejects of each part.
        rows: By sheet, the numbers of its rows in their order; where they rise, none are needed.
        model: The model.
    """
    whole = _concat(parts)
    sheet = np.zeros(len(whole), dtype=np.int64)
    row = np.zeros(len(whole), dtype=np.int64)
    for place, name in enumerate(model.sources):
        mine = (whole["source"] == name).to_numpy(dtype=bool)
        sheet[mine] = place
        numbers = pd.Index(whole["row"][mine], dtype="int64")
        row[mine] = rows[name].get_indexer(numbers) if name in rows else numbers
    return whole.iloc[np.lexsort((row, sheet))].reset_index(drop=True)


# ----------------------------------------------------------------------------- figures


def join_summaries(parts: Sequence[Summary], rows: Mapping[str, int], model: Model, /) -> Summary:
    """Add up the figures of parts.

    Args:
        parts: The figures of each part.
        rows: The rows of each table, lookups among them, which parts share.
        model: The model.
    """
    sources = {
        name: _add([part.sources[name] for part in parts], tuple(source.columns))
        for name, source in model.sources.items()
    }
    counts: Counter[tuple[str, str, str, str]] = Counter()
    for part in parts:
        for each in part.rejects:
            counts[each.source, each.column, each.rule, each.scope] += each.count
    places = {
        (name, column): (sheet, place)
        for sheet, (name, source) in enumerate(model.sources.items())
        for place, column in enumerate(source.columns)
    }

    def turn(where: tuple[str, str, str, str]) -> tuple[object, ...]:
        source, column, rule, scope = where
        own = model.lineage.sources[source].scopes[column]  # that of what is declared comes first
        return places[source, column], rule, scope != own

    rejects = tuple(RejectCount(*where, counts[where]) for where in sorted(counts, key=turn))
    return Summary(sources, rejects, dict(rows))


def _add(parts: Sequence[SourceSummary], columns: Iterable[str]) -> SourceSummary:
    """Add up the figures of a sheet; what its reader noticed is told with the first part."""

    def total(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
        found: Counter[str] = Counter()
        for each in counts:
            found.update(each)
        return {column: found[column] for column in columns if column in found}

    return SourceSummary(
        rows=sum(part.rows for part in parts),
        blank=sum(part.blank for part in parts),
        accepted=sum(part.accepted for part in parts),
        rejected=sum(part.rejected for part in parts),
        repairs=total(part.repairs for part in parts),
        cells=total(part.cells for part in parts),
        rejected_cells=total(part.rejected_cells for part in parts),
        kept=sum(part.kept for part in parts),
        stayed=sum(part.stayed for part in parts),
        notes=parts[0].notes,
        filled=total(part.filled for part in parts),
    )
