"""From sheets as read to sheets as judged: columns in their place, text clean, blanks gone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, Optional

import numpy as np
import pandas as pd

from aspen_etl.columns import COLUMNS, Mask, Positions
from aspen_etl.columns.conversion import as_text
from aspen_etl.columns.frames import make_frame
from aspen_etl.columns.handing import as_given
from aspen_etl.columns.threads import map_threads
from aspen_etl.errors import ModelFunctionError
from aspen_etl.schema.column_spec import ColumnSpec
from aspen_etl.schema.model import Model
from aspen_etl.schema.spec import SourceSpec
from aspen_etl.schema.types import TYPES
from aspen_etl.schema.values import Extract
from aspen_etl.transform.arranging import arrange, check_sheets
from aspen_etl.transform.calling import call
from aspen_etl.transform.white_space import tidy

__all__ = ["Sheet", "clean", "clean_column"]


@dataclass(frozen=True)
class Sheet:
    """One sheet without its blank rows.

    Attributes:
        name: What the sheet is called.
        raw: The cells as read, the declared columns in order; the index is 0, 1, 2 ...
        clean: The same cells, clean.
        rows: The sheet's own number of each row.
        usable: In which rows each column holds usable text.
        suspects: The rows of each column whose clean text may hold a control character.
        faults: The cells that hold no text, by column and rule: positions and their cells.
        emptied: The cells that a cleaner of the model made missing, by column.
        repairs: How many cells a cleaner of the model, or their type, changed, by column.
        blank: How many rows were blank.
        links: By column that refers to another sheet, the row of that sheet's accepted ones that
            each row refers to, or -1; ``judge`` adds them.
        misfits: The cells that are no value of their column's type, by column and rule; they
            stand in ``clean`` as before. All others there are canonical text of the type.
    """

    name: str
    raw: pd.DataFrame = field(repr=False)
    clean: pd.DataFrame = field(repr=False)
    rows: pd.Series = field(repr=False)
    usable: Mapping[str, Mask] = field(repr=False)
    suspects: Mapping[str, Positions] = field(repr=False)
    faults: Mapping[tuple[str, str], pd.Series] = field(repr=False)
    emptied: Mapping[str, Mask] = field(repr=False)
    repairs: Mapping[str, int]
    blank: int
    links: Mapping[str, Positions] = field(default_factory=dict, repr=False)
    misfits: Mapping[tuple[str, str], Mask] = field(default_factory=dict, repr=False)

    def present(self, column: str) -> Mask:
        """Tell in which rows the column has a cell, usable or not."""
        out = self.usable[column].copy()
        if column in self.emptied:
            out |= self.emptied[column]
        for (name, _), cells in self.faults.items():
            if name == column:
                out[cells.index.to_numpy()] = True
        return out


def clean(extract: Extract, model: Model, /) -> dict[str, Sheet]:
    """Bring each sheet of an extract to the model's columns, and clean them.

    Raises:
        ExtractError: A sheet or column is missing, or one has no place in the model.
        ModelFunctionError: A cleaner of the model failed.
    """
    check_sheets(extract, model)
    return {name: _clean(extract, spec, model) for name, spec in model.sources.items()}


def clean_column(extract: Extract, source: str, column: str, model: Model, /) -> pd.Series:
    """Clean one column of a sheet as ``clean`` does, one cell for each row, blank rows among them.

    Args:
        extract: What holds the sheet, which has the columns of the model; others it may lack.
        source: The sheet.
        column: The column.
        model: The model.

    Returns:
        Clean text, canonical where the column has a type, missing where the cell is no value of
        it; the index is new.

    Raises:
        ModelFunctionError: The cleaner of the column failed.
    """
    read = arrange(extract, model.sources[source])
    found = _typed(
        {column: _run(_Column(*read.column(column)), source, column, model)}, source, model
    )
    at = np.flatnonzero(read.present)
    where = np.full(len(read.present), -1, dtype=np.int64)
    where[at] = np.arange(len(at))
    for _, wrong in found[column].misfits:
        where[at[wrong]] = -1
    return COLUMNS.take(found[column].cells, where)


def _clean(extract: Extract, spec: SourceSpec, model: Model) -> Sheet:
    read = arrange(extract, spec)
    raw, present = read.raw, read.present
    rows = pd.Series(raw.index.to_numpy()[present])
    columns = {
        name: _run(_Column(*read.column(name)), spec.name, name, model) for name in spec.columns
    }
    columns = _typed(columns, spec.name, model)
    cells = {column: found.cells for column, found in columns.items()}
    return Sheet(
        name=spec.name,
        raw=(raw if present.all() else raw.loc[present]).reset_index(drop=True),
        clean=make_frame(cells, pd.RangeIndex(len(rows))),
        rows=rows,
        usable={column: values.notna().to_numpy(dtype=bool) for column, values in cells.items()},
        suspects={column: found.suspects for column, found in columns.items()},
        faults=_faults(read.faults, rows, read.headers),
        emptied={c: found.emptied for c, found in columns.items() if found.emptied is not None},
        repairs={column: found.repairs for column, found in columns.items() if found.repairs},
        blank=int(len(present) - present.sum()),
        misfits={(c, rule): mask for c, found in columns.items() for rule, mask in found.misfits},
    )


class _Column(NamedTuple):
    """The clean cells of a column, and what its cleaner and its type did to them."""

    cells: pd.Series
    suspects: Positions
    emptied: Optional[Mask] = None
    changed: Optional[Mask] = None
    misfits: tuple[tuple[str, Mask], ...] = ()

    @property
    def repairs(self) -> int:
        """How many cells were changed."""
        return 0 if self.changed is None else int(self.changed.sum())


def _run(before: _Column, source: str, column: str, model: Model) -> _Column:
    """Let the model's cleaner of a column change it."""
    name = f"{source}.{column}"
    cleaner = model.cleaners.get(name)
    if cleaner is None:
        return before
    given = as_given(cleaner, before.cells).copy()
    after = call(f"the cleaner of {name}", lambda: cleaner(given), "cleaner")
    if not _is_column_of(after, before.cells):
        msg = f"the cleaner of {name} must give back a Series with the index that it got"
        raise ModelFunctionError(msg, problem="cleaner", column=name)
    texts = as_text(after)
    if not COLUMNS.differ(before.cells, texts).any():
        return before
    cells, suspects = tidy(texts)
    emptied, changed = _compare(before.cells, cells)
    return _Column(cells, suspects, emptied if emptied.any() else None, changed)


def _is_column_of(after: object, before: pd.Series) -> bool:
    return isinstance(after, pd.Series) and after.index.equals(before.index)


def _compare(before: pd.Series, after: pd.Series) -> tuple[Mask, Mask]:
    """Tell which cells a cleaner emptied, and which others it changed."""
    held, kept = before.notna().to_numpy(dtype=bool), after.notna().to_numpy(dtype=bool)
    return held & ~kept, kept & COLUMNS.differ(before, after)


def _typed(columns: Mapping[str, _Column], source: str, model: Model) -> dict[str, _Column]:
    """Spell the cells of each column that has a type in the one way of that type."""
    known = model.lineage.cells
    specs = {name: known[place] for name in columns if (place := f"{source}.{name}") in known}
    typed = [name for name, spec in specs.items() if TYPES[spec.type].rules(spec)]
    rows = max((len(columns[name].cells) for name in typed), default=0)
    found = map_threads(lambda name: _spell(columns[name], specs[name]), typed, rows=rows)
    return {**columns, **dict(zip(typed, found))}


def _spell(column: _Column, spec: ColumnSpec) -> _Column:
    """Make canonical text of a column; a cell that is no value of its type stays as it is."""
    text, faults, repaired = TYPES[spec.type].canonical(column.cells, spec)
    if faults:
        wrong: Mask = np.logical_or.reduce(list(faults.values()))
        at = np.arange(len(text), dtype=np.int64)
        at[wrong] += len(text)
        text = COLUMNS.take(COLUMNS.concat([text, column.cells]), at)
    changed = repaired if column.changed is None else column.changed | repaired
    return column._replace(cells=text, changed=changed, misfits=tuple(faults.items()))


def _faults(
    faults: pd.DataFrame, rows: pd.Series, names: Mapping[str, str]
) -> dict[tuple[str, str], pd.Series]:
    """Give the unusable cells by column and rule, indexed by their position in ``rows``."""
    if not len(faults):
        return {}
    position = pd.Index(rows).get_indexer(faults["row"].to_numpy(dtype=np.int64))
    placed = faults.assign(position=position, column=faults["column"].map(names))
    return {
        (str(column), str(rule)): pd.Series(
            cells["value"].to_numpy(), index=cells["position"].to_numpy(), dtype=object
        )
        for (column, rule), cells in placed.groupby(["column", "rule"], sort=True)
    }
