"""Cells that a task may have cut: those that are as long as it lets cells be, to the last byte."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from aspen_etl.columns import COLUMNS, Positions
from aspen_etl.columns.rows import are_present
from aspen_etl.transform.changing import SourceChanges
from aspen_etl.transform.losses import Finding

__all__ = ["find_cut_cells", "is_as_long_as"]

#: How many bytes a character has at most, in UTF-8 and in UTF-16.
_WIDEST = 4
#: What a character of two parts in UTF-16 lacks where one of them fits.
_PAIR = 2


def find_cut_cells(
    changes: SourceChanges, rows: Positions, key: Collection[str], /
) -> tuple[Finding, ...]:
    """Count cells that are exactly as long as the task lets a cell be.

    DMS cuts what is longer than ``LobMaxSize`` and says so in the task's log alone. A cell that has
    this length by itself is counted, too: so it is no error.

    Args:
        changes: The changes; nothing is counted where they know no limit.
        rows: The places of those to look at.
        key: The columns of the key, which are no LOBs.
    """
    if changes.lob_max_kb is None:
        return ()
    limit = changes.lob_max_kb * 1024
    out = []
    for name in changes.cells:
        values = COLUMNS.take(changes.cells[name], rows)
        lengths = values.str.len().where(are_present(values), 0).to_numpy(dtype=np.int64)
        near = np.flatnonzero(lengths * _WIDEST > limit - _WIDEST)
        found = [at for at in near.tolist() if is_as_long_as(str(values.iloc[at]), limit)]
        if found and name not in key:
            held = np.unique(changes.files[rows[found]]).tolist()
            files = tuple(changes.names[file] for file in held)
            out.append(Finding("cut_cells", len(found), files, str(name)))
    return tuple(out)


def is_as_long_as(text: str, limit: int, /) -> bool:
    r"""Tell whether a text was perhaps cut at a limit of so many bytes.

    The guide of DMS tells KB, and not of what: so the characters count, the bytes of UTF-16 (as
    SQL Server stores NVARCHAR) and those of UTF-8 (as files are written), where a character that
    does not fit may be left out whole.

    Examples:
        >>> [is_as_long_as(text, 1024) for text in ("x" * 1024, "x" * 512, "x" * 1023)]
        [True, True, False]
        >>> is_as_long_as("x" * 1020 + "\u20ac", 1024)
        True
    """
    count = len(text.encode("utf-8", "surrogatepass"))
    wide = len(text.encode("utf-16-le", "surrogatepass"))
    is_near = limit - _WIDEST < count < limit or wide == limit - _PAIR
    return limit in {len(text), count, wide} or (is_near and not text.isascii())
