"""From a sheet as read to the model's columns: in their place, white space clean, blanks told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd

from aspen_etl.columns import Mask, Positions
from aspen_etl.columns.frames import held_frames, make_frame
from aspen_etl.columns.threads import map_threads
from aspen_etl.errors import ExtractError
from aspen_etl.schema.column import hint
from aspen_etl.schema.headers import blank_columns, known_headers, match_headers, spell_headers
from aspen_etl.schema.model import Model
from aspen_etl.schema.repeating import repeated_headers, set_apart
from aspen_etl.schema.spec import SourceSpec
from aspen_etl.schema.values import Extract
from aspen_etl.transform.white_space import tidy

__all__ = ["Arranged", "arrange", "check_sheets"]


def check_sheets(extract: Extract, model: Model, /) -> None:
    """Make sure that an extract has the sheets of a model, and no other.

    Raises:
        ExtractError: It has not.
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


class Arranged(NamedTuple):
    """A sheet in the model's columns, white space clean.

    Attributes:
        raw: The cells as read, without headers that stand there once more.
        tidied: The columns, white space clean, and the rows of each that may hold a control
            character.
        faults: The cells that hold no text.
        headers: The column that each header stands for.
        present: Which rows have a cell at all.
    """

    raw: pd.DataFrame
    tidied: Mapping[str, tuple[pd.Series, Positions]]
    faults: pd.DataFrame
    headers: Mapping[str, str]
    present: Mask

    def column(self, name: str) -> tuple[pd.Series, Positions]:
        """Give the cells of a column in the rows that are present, and which may hold a control."""
        values, odd = self.tidied[name]
        return _select(values, self.present), _renumber(odd, self.present)


def arrange(extract: Extract, spec: SourceSpec, /) -> Arranged:
    """Bring one sheet of an extract to the model's columns.

    Raises:
        ExtractError: A column is missing, or one has no place in the model.
    """
    raw, headers = _lay_out(held_frames(extract)[spec.name], spec)
    faults = extract.faults[extract.faults["source"] == spec.name]
    tidied = _tidied(raw)
    again = repeated_headers(
        {column: values for column, (values, _) in tidied.items()},
        known_headers(tuple(spec.columns)),
    )
    if len(again):
        raw, repeated = set_apart(raw, again, spec.name)
        faults = pd.concat([faults, repeated], ignore_index=True)
        tidied = _tidied(raw)
    present = _present(raw, [values for values, _ in tidied.values()], faults)
    return Arranged(raw, tidied, faults, headers, present)


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


def _tidied(raw: pd.DataFrame) -> dict[str, tuple[pd.Series, Positions]]:
    found = map_threads(lambda column: tidy(raw[column]), list(raw.columns), rows=len(raw))
    return dict(zip(map(str, raw.columns), found))


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
