"""Where a side and the head changed the same thing otherwise, by kind, sheet and unit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from aspen_etl.columns import COLUMNS, Mask, Positions
from aspen_etl.columns.rows import take_rows
from aspen_etl.transform.aligned import Aligned, State
from aspen_etl.transform.parting import Partitioning
from aspen_etl.transform.siding import identify, write_records

__all__ = [
    "CONFLICTS",
    "Alike",
    "Subjects",
    "find_conflicts",
    "join_conflicts",
    "list_subjects_of",
    "write_conflicts",
]

#: The columns of conflicts: text or missing. ``key`` is which of the subject's rows it is, where
#: they may have several; ``column`` the first of the unit, or none for a whole row; ``was``,
#: ``side`` and ``head`` what the three hold, of several columns a JSON object.
CONFLICTS = ("kind", "sheet", "subject", "key", "column", "was", "side", "head", "decision")


@dataclass(frozen=True, eq=False)
class Alike:
    """Hold conflicts of one kind, in one sheet and unit.

    Attributes:
        kind: The kind.
        sheet: The sheet.
        unit: The columns of the unit; none for whole rows.
        places: Where in the aligned sheet they are.
    """

    kind: str
    sheet: str
    unit: tuple[str, ...]
    places: Positions = field(repr=False)


@dataclass(frozen=True, eq=False)
class Subjects:
    """Hold the subjects of all states, and which of them lost their own row.

    Attributes:
        ids: Each once.
        codes: By sheet, the subject of each place of the aligned sheet.
        side_deleted: Whose own row the shadow and the head have, and the side has not.
        head_deleted: ... the shadow and the side have, and the head has not.
    """

    ids: pd.Series = field(repr=False)
    codes: Mapping[str, Positions] = field(repr=False)
    side_deleted: Mask = field(repr=False)
    head_deleted: Mask = field(repr=False)


def list_subjects_of(sheets: Mapping[str, Aligned], how: Partitioning, /) -> Subjects:
    """List the subjects of aligned sheets."""
    every = COLUMNS.concat([sheet.keys[how.columns[name]] for name, sheet in sheets.items()])
    ids = every[~every.duplicated().to_numpy(dtype=bool)].reset_index(drop=True)
    codes = {
        name: COLUMNS.find(sheet.keys[how.columns[name]], ids) for name, sheet in sheets.items()
    }
    root, at = sheets[how.root], codes[how.root]
    lost = np.zeros((2, len(ids)), dtype=bool)
    lost[0, at] = root.shadow.there & root.head.there & ~root.side.there
    lost[1, at] = root.shadow.there & root.side.there & ~root.head.there
    return Subjects(ids, codes, lost[0], lost[1])


def find_conflicts(
    sheets: Mapping[str, Aligned], whose: Subjects, how: Partitioning
) -> list[Alike]:
    """Find what both changed otherwise.

    Args:
        sheets: The three states of each sheet.
        whose: Their subjects.
        how: Whose the rows are.
    """
    found: list[Alike] = []
    for name, sheet in sheets.items():
        code = whose.codes[name]
        lost = [whose.side_deleted[code], whose.head_deleted[code]]
        if name == how.root:
            lost = [np.zeros(len(sheet), dtype=bool)] * 2
        for kind, unit, mask in _find(sheet, *lost):
            if mask.any():
                found.append(Alike(kind, name, unit, np.flatnonzero(mask)))
    return found


def _find(
    at: Aligned, side_deleted: Mask, head_deleted: Mask
) -> Iterator[tuple[str, tuple[str, ...], Mask]]:
    """Yield kind, unit and places; that the parent is deleted goes before what else is of a row."""
    was, here, there = at.shadow.there, at.head.there, at.side.there
    both, side_changed, head_changed = here & there, np.zeros_like(was), np.zeros_like(was)
    for unit in at.units:
        side, head, apart = at.side_differs(unit), at.head_differs(unit), at.apart(unit)
        side_changed |= side
        head_changed |= head
        yield "both_changed", unit, both & was & side & head & apart
        yield "both_inserted", unit, both & ~was & apart
    deleted_there = was & here & ~there & head_changed
    deleted_here = was & there & ~here & side_changed
    new_here, new_there = here & ~was & ~there, there & ~was & ~here
    orphaned = side_deleted & (deleted_there | new_here)
    orphaned |= head_deleted & (deleted_here | new_there)
    yield "parent_deleted", (), orphaned
    yield "deleted_and_changed", (), deleted_there & ~orphaned
    yield "changed_and_deleted", (), deleted_here & ~orphaned


# ----------------------------------------------------------------------------- what is told


def write_conflicts(
    found: Alike, decisions: Any, sheets: Mapping[str, Aligned], how: Partitioning
) -> pd.DataFrame:
    """Write conflicts as rows of text.

    Args:
        found: The conflicts.
        decisions: What becomes of each.
        sheets: The three states of each sheet.
        how: Whose the rows are.
    """
    sheet, rows = sheets[found.sheet], found.places
    subject, key = identify(take_rows(sheet.keys, rows), found.sheet, how)
    states = (("was", sheet.shadow), ("side", sheet.side), ("head", sheet.head))
    told = {name: _values(state, found) for name, state in states}
    told |= {"kind": found.kind, "sheet": found.sheet, "subject": subject, "key": key}
    column = found.unit[0] if found.unit else None
    return _make(len(rows), column=column, decision=decisions, **told)


def _values(state: State, found: Alike) -> Any:
    some = take_rows(state.rows, found.places)
    if len(found.unit) == 1:
        values = some[found.unit[0]]
        return values.astype(object).where(values.notna(), None).to_numpy(dtype=object)
    columns = found.unit or tuple(str(column) for column in some.columns)
    out = write_records({column: some[column] for column in columns})
    out[~state.there[found.places]] = None
    return out


def _make(length: int, **told: Any) -> pd.DataFrame:
    columns = {}
    for name in CONFLICTS:
        out = np.empty(length, dtype=object)
        out[:] = told[name]
        columns[name] = pd.Series(out, dtype=object)
    return pd.DataFrame(columns)


def join_conflicts(parts: Sequence[pd.DataFrame], how: Partitioning, /) -> pd.DataFrame:
    """Put conflicts together, in the order of sheet, subject, key and column."""
    held = [part for part in parts if len(part)]
    if not held:
        return pd.DataFrame({name: pd.Series(dtype=object) for name in CONFLICTS})
    order = {name: place for place, name in enumerate(how.model.sources)}
    joined = pd.concat(held, ignore_index=True)
    ranked = joined.assign(_rank=joined["sheet"].map(order).astype(np.int64))
    ranked = ranked.sort_values(["_rank", "subject", "key", "column", "kind"], kind="stable")
    return ranked[list(CONFLICTS)].reset_index(drop=True)
