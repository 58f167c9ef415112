"""From sheets as read to sheets as judged: columns in their place, text clean, blanks gone."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, Optional

import numpy as np
import pandas as pd

from aspen_etl.columns import COLUMNS, Mask, Positions
from aspen_etl.columns.conversion import as_text
from aspen_etl.columns.frames import make_frame
from aspen_etl.columns.text import WHITE_SPACE, conform_text
from aspen_etl.columns.threads import map_threads
from aspen_etl.errors import ExtractError, ModelFunctionError
from aspen_etl.schema.column import hint
from aspen_etl.schema.column_spec import ColumnSpec
from aspen_etl.schema.headers import blank_columns, known_headers, match_headers, spell_headers
from aspen_etl.schema.model import Cleaner, Model
from aspen_etl.schema.repeating import repeated_headers, set_apart
from aspen_etl.schema.spec import SourceSpec
from aspen_etl.schema.types import TYPES
from aspen_etl.schema.values import Extract
from aspen_etl.transform.calling import call

__all__ = ["Sheet", "clean", "clean_white_space", "tidy"]


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
    for name in model.sources:
        if name not in extract:
            msg = f"the extract has no {name!r}; it has: {', '.join(sorted(extract)) or 'nothing'}"
            raise ExtractError(msg, source=name)
    for name in extract:
        if name not in model.sources:
            msg = (
                f"the extract has {name!r}, which is no source of the model and would be lost; "
                f"{hint(name, tuple(model.sources))}"
            )
            raise ExtractError(msg, source=name)
    return {name: _clean(extract, spec, model) for name, spec in model.sources.items()}


def _clean(extract: Extract, spec: SourceSpec, model: Model) -> Sheet:
    raw, headers = _lay_out(extract[spec.name], spec)
    faults = extract.faults[extract.faults["source"] == spec.name]
    tidied = _tidied(raw)
    again = repeated_headers(
        {column: values for column, (values, _) in zip(spec.columns, tidied)},
        known_headers(tuple(spec.columns)),
    )
    if len(again):
        raw, repeated = set_apart(raw, again, spec.name)
        faults = pd.concat([faults, repeated], ignore_index=True)
        tidied = _tidied(raw)
    present = _present(raw, [values for values, _ in tidied], faults)
    rows = pd.Series(raw.index.to_numpy()[present])
    columns: dict[str, _Column] = {}
    for column, (values, odd) in zip(spec.columns, tidied):
        name = f"{spec.name}.{column}"
        before = _Column(_select(values, present), _renumber(odd, present))
        columns[column] = _run(model.cleaners.get(name), before, name)
    columns = _typed(columns, spec.name, model)
    cells = {column: found.cells for column, found in columns.items()}
    return Sheet(
        name=spec.name,
        raw=(raw if present.all() else raw.loc[present]).reset_index(drop=True),
        clean=make_frame(cells, pd.RangeIndex(len(rows))),
        rows=rows,
        usable={column: values.notna().to_numpy(dtype=bool) for column, values in cells.items()},
        suspects={column: found.suspects for column, found in columns.items()},
        faults=_faults(faults, rows, headers),
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


def _lay_out(frame: pd.DataFrame, spec: SourceSpec) -> tuple[pd.DataFrame, dict[str, str]]:
    """Give the declared columns of a sheet in order, and the column that each header stands for."""
    headers = tuple(frame.columns)
    found = match_headers(
        spell_headers(headers, spec.columns) if spec.implied else headers,
        tuple(spec.columns),
        sheet=spec.name,
        empty=blank_columns(headers, lambda position: frame.iloc[:, position]),
    )
    places = {column: position for position, column in found.items()}
    raw = make_frame({column: frame.iloc[:, places[column]] for column in spec.columns})
    names = {column: column for column in spec.columns}
    return raw, names | {headers[position]: column for column, position in places.items()}


def _tidied(raw: pd.DataFrame) -> list[tuple[pd.Series, Positions]]:
    return map_threads(lambda column: tidy(raw[column]), list(raw.columns), rows=len(raw))


def _present(raw: pd.DataFrame, columns: list[pd.Series], faults: pd.DataFrame) -> Mask:
    """Tell which rows have a cell at all, usable or not."""
    present = np.isin(raw.index.to_numpy(), faults["row"].to_numpy(dtype=np.int64))
    for values in columns:
        if present.all():  # mostly the key alone says it
            break
        present |= values.notna().to_numpy(dtype=bool)
    return present


def _renumber(positions: Positions, present: Mask) -> Positions:
    """Give the places of rows among those that are present; all of them are."""
    return positions if present.all() else (np.cumsum(present) - 1)[positions]


def _select(values: pd.Series, present: Mask) -> pd.Series:
    kept = values if present.all() else values[present]
    return kept.reset_index(drop=True)


def _run(cleaner: Optional[Cleaner], before: _Column, name: str) -> _Column:
    """Let the model's cleaner of a column change it."""
    if cleaner is None:
        return before
    after = call(f"the cleaner of {name}", lambda: cleaner(before.cells.copy()), "cleaner")
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


# ----------------------------------------------------------------------------- white space

_RUN = re.compile(f"[{WHITE_SPACE}]+")


def clean_white_space(values: pd.Series, /) -> pd.Series:
    r"""Trim white space at both ends, make one space of each inner run, and '' missing.

    White space is the set of the contract (``aspen_etl.columns.text.WHITE_SPACE``), and
    nothing else: a control character is a fault, not space.

    Examples:
        >>> clean_white_space(pd.Series(["  Ann\u00a0 Lee ", "   ", None])).tolist()[0]
        'Ann Lee'
    """
    return tidy(values)[0]


def tidy(values: pd.Series, /) -> tuple[pd.Series, Positions]:
    """Clean white space, and tell which rows of what is clean may hold a control character."""
    rows = COLUMNS.suspects(values)
    if not len(rows):
        return values, rows
    before = COLUMNS.take(values, rows)
    texts = [_RUN.sub(" ", text).strip(" ") or None for text in before.to_numpy(dtype=object)]
    after = conform_text(pd.Series(texts, dtype=object))
    absent = after.isna()
    moved = (absent | (after != before)).to_numpy(dtype=bool)
    held = ~absent.to_numpy(dtype=bool)
    return _put(values, rows[moved], after[moved]), rows[held]


def _put(values: pd.Series, rows: Positions, cells: pd.Series) -> pd.Series:
    if not len(rows):
        return values
    out = values.copy()
    out.iloc[rows] = cells.array
    return conform_text(out)
