"""From accepted rows to the rows of every table, in natural terms.

Rows are in the order of their source or builder. A reference to a table of source rows is
that table's row number (-1 for none); a reference to a lookup table is the text it lists, as a
categorical.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from aspen_etl.columns import COLUMNS, Positions
from aspen_etl.columns.conversion import as_text
from aspen_etl.columns.frames import make_column, make_frame
from aspen_etl.columns.positions import gather, reverse
from aspen_etl.columns.rows import codes
from aspen_etl.columns.threads import map_threads
from aspen_etl.errors import ModelError
from aspen_etl.schema.column_spec import ColumnSpec
from aspen_etl.schema.model import Builder, Model
from aspen_etl.schema.spec import TableSpec
from aspen_etl.schema.types import TYPES
from aspen_etl.transform.calling import call
from aspen_etl.transform.entities import Entities
from aspen_etl.transform.given import as_values, text_of
from aspen_etl.transform.leading import text_of_cells

__all__ = ["assemble"]


def assemble(accepted: Mapping[str, pd.DataFrame], model: Model, /) -> dict[str, pd.DataFrame]:
    """Make the rows of every table.

    Args:
        accepted: The accepted rows of each source, in the order of their key, as settled; a column
            that refers to another source holds the row number there.
        model: The model.

    Raises:
        ModelError: A builder gives what its table does not have, or not what it has.
    """
    rows: dict[str, pd.DataFrame] = {}
    entities = Entities(accepted, model)
    for table in model.tables.values():
        if not model.lineage.tables[table.name].is_lookup:
            rows[table.name] = _Assembly(table, entities, model, rows).rows()
    rows = _categorize(rows, model)
    for table in model.tables.values():
        if model.lineage.tables[table.name].is_lookup:
            rows[table.name] = _lookup(table, rows, model)
    return {name: rows[name] for name in model.tables}


def _categorize(rows: Mapping[str, pd.DataFrame], model: Model) -> dict[str, pd.DataFrame]:
    """Make a categorical of each column that refers to a lookup table."""
    places = [
        (name, column)
        for name in rows
        for column, target in model.tables[name].references.items()
        if model.lineage.tables[target].is_lookup
    ]
    texts = [rows[name][column] for name, column in places]
    found = map_threads(_categorical, texts, rows=max(map(len, texts), default=0))
    categories = dict(zip(places, found))
    return {
        name: make_frame(
            {
                str(column): categories.get((name, str(column)), values)
                for column, values in frame.items()
            }
        )
        for name, frame in rows.items()
    }


def _categorical(values: pd.Series) -> pd.Series:
    found, distinct = codes(values)
    return pd.Series(pd.Categorical.from_codes(found, pd.Index(distinct)), index=values.index)


def _lookup(table: TableSpec, rows: Mapping[str, pd.DataFrame], model: Model) -> pd.DataFrame:
    """List each value that a row refers to, once; a missing one makes no row."""
    used = [
        pd.Series(rows[other.name][column].cat.categories)
        for other in model.tables.values()
        for column, target in other.references.items()
        if target == table.name
    ]
    _, values = codes(COLUMNS.concat([COLUMNS.repeat(None, 0), *used]))
    return pd.DataFrame({table.natural_key[0]: COLUMNS.take(values, COLUMNS.order(values)[0])})


def _values(texts: pd.Series, spec: ColumnSpec) -> pd.Series:
    """Turn canonical text into the values of a column."""
    return texts if spec.references else TYPES[spec.type].convert(texts, spec)


class _Assembly:
    """Make the rows of one table: what its builder gives, then what its declaration fills."""

    def __init__(
        self,
        table: TableSpec,
        entities: Entities,
        model: Model,
        rows: Mapping[str, pd.DataFrame],
    ) -> None:
        self.table, self.entities, self.model, self.done = table, entities, model, rows
        self.accepted = entities.agreed
        self.lineage = model.lineage.tables[table.name]

    def rows(self) -> pd.DataFrame:
        if self.lineage.is_entity:
            return self._entity_rows()
        builder = self.model.builders.get(self.table.name)
        if builder is not None:
            built = self._build(builder)
        else:
            built = pd.DataFrame(index=self.accepted[str(self.lineage.source)].index)
        if self.lineage.source is None:
            built = built.reset_index(drop=True)
        index = built.index.to_numpy(dtype=np.int64)
        columns: dict[str, Any] = {}
        for spec in self.table.own_columns:
            if self.table.has_surrogate_key and spec.primary_key:
                continue
            if spec.name in built.columns:
                columns[spec.name] = self._conform(spec, built[spec.name].reset_index(drop=True))
            else:
                columns[spec.name] = self._fill(spec, index, columns)
        return make_frame(columns, pd.RangeIndex(len(index))).set_axis(built.index)

    def _entity_rows(self) -> pd.DataFrame:
        """Make one row for each distinct natural key."""
        name, columns = self.table.name, {}
        for spec in self.table.own_columns:
            if self.table.has_surrogate_key and spec.primary_key:
                continue
            if spec.references in self.model.lineage.entities:
                columns[spec.name] = make_column(self.entities.references(name, spec.name))
                continue
            values = self.entities.cells(name, spec.name)
            if values is None:
                msg = f"nothing fills {name}.{spec.name}; give it source=, or take it away"
                raise ModelError(msg, table=name, column=spec.name)
            is_row = self._is_position(spec)
            columns[spec.name] = self._to_rows(spec, values) if is_row else _values(values, spec)
        return make_frame(columns, pd.RangeIndex(self.entities.length(name)))

    # ----------------------------------------------------------------- what a builder gives

    def _build(self, builder: Builder) -> pd.DataFrame:
        frames = {**self.accepted, **{f"{name}_rows": frame for name, frame in self.done.items()}}
        given = {name: frames[name] for name in builder.inputs}
        what = f"the builder of {self.table.name!r}"
        built = call(what, builder.build, "builder", **given)
        table = self.table
        if not isinstance(built, pd.DataFrame):
            msg = f"the builder of {table.name!r} gives {type(built).__name__}; give a DataFrame"
            raise ModelError(msg, table=table.name)
        known = {
            spec.name
            for spec in table.own_columns
            if not (table.has_surrogate_key and spec.primary_key)
        }
        extra = sorted(set(map(str, built.columns)) - known)
        if extra:
            msg = (
                f"the builder of {table.name!r} gives {', '.join(extra)}, which it must not: keys "
                "and audit columns are given later, and others the table does not have"
            )
            raise ModelError(msg, table=table.name, columns=tuple(extra))
        if self.lineage.source is not None:
            self._check_index(built.index)
        return built

    def _check_index(self, index: pd.Index) -> None:
        length = len(self.accepted[str(self.lineage.source)])
        numbers = index.to_numpy()
        if index.dtype.kind != "i" or (
            len(numbers) and (numbers.min() < -1 or numbers.max() >= length)
        ):
            msg = (
                f"the builder of {self.table.name!r} must keep the row numbers of "
                f"{self.lineage.source!r} as its index (-1 for a row from elsewhere)"
            )
            raise ModelError(msg, table=self.table.name)

    def _conform(self, spec: ColumnSpec, values: pd.Series) -> pd.Series:
        if self._is_position(spec):
            if not pd.api.types.is_integer_dtype(values.dtype) and len(values):
                found = self._positions_of_text(spec, values)
            else:
                found = values.fillna(-1).astype("int64")
            self._check_led(spec, found)
            return found
        if spec.references:
            return as_text(values)
        try:
            return as_values(values, spec)
        except ValueError as error:
            reason = str(error)
        msg = (
            f"the builder of {self.table.name!r} gives what is no {spec.type} for {spec.name!r}: "
            f"{reason}; give values of its type, or text as its source has it"
        )
        raise ModelError(msg, table=self.table.name, column=spec.name)

    def _check_led(self, spec: ColumnSpec, rows: pd.Series) -> None:
        """Refuse what leads to no row: a number that is none, or none where there must be one."""
        parent = str(spec.references)
        lost = (rows >= len(self.done[parent])) | ((rows < 0) & (not spec.nullable))
        count = int(lost.sum())
        if count:
            is_entity = parent in self.model.lineage.entities
            why = ", which has a row for each key that its sheets hold" if is_entity else ""
            msg = (
                f"the builder of {self.table.name!r} gives {count} rows whose {spec.name!r} leads "
                f"to no row of {parent!r}{why}; leave these rows out, or give the column "
                "nullable=True and -1 there"
            )
            raise ModelError(msg, table=self.table.name, column=spec.name, count=count)

    def _positions_of_text(self, spec: ColumnSpec, values: pd.Series) -> pd.Series:
        parent = self.model.tables[str(spec.references)]
        known = parent.columns[parent.natural_key[0]]
        keys = self.done[parent.name][known.name]
        if len(parent.natural_key) > 1 or keys.dtype.kind == "i":
            msg = (
                f"the builder of {self.table.name!r} gives text for {spec.name!r}, and "
                f"{parent.name!r} is not known by one "
                f"text; give row numbers of {parent.name}_rows"
            )
            raise ModelError(msg, table=self.table.name, column=spec.name)
        texts = TYPES[known.type].text(keys, known)
        return make_column(COLUMNS.find(text_of(values, replace(known, nullable=True)), texts))

    def _is_position(self, spec: ColumnSpec) -> bool:
        return (
            spec.references is not None and not self.model.lineage.tables[spec.references].is_lookup
        )

    # ----------------------------------------------------------------- what a declaration fills

    def _fill(
        self, spec: ColumnSpec, index: Positions, columns: Mapping[str, pd.Series]
    ) -> pd.Series:
        source = self.lineage.source
        if source is not None and spec.references in self.model.lineage.entities:
            rows = self.entities.rows(str(spec.references), source, spec.name, self.table.name)
            return make_column(gather(rows, index))
        if len(spec.source) != 1:
            msg = (
                f"nothing fills {self.table.name}.{spec.name}; give it source=, or let the "
                f"builder of {self.table.name!r} give it"
            )
            raise ModelError(msg, table=self.table.name, column=spec.name)
        sheet, _, column = spec.source[0].partition(".")
        source_rows = index if sheet == self.lineage.source else self._follow(sheet, columns)
        if not self._is_position(spec):
            return _values(COLUMNS.take(self._text(sheet, column), source_rows), spec)
        if self.model.lineage.tables[str(spec.references)].source != sheet:
            return self._to_rows(spec, COLUMNS.take(self.accepted[sheet][column], source_rows))
        return self._to_rows(spec, make_column(source_rows))

    def _to_rows(self, spec: ColumnSpec, source_rows: pd.Series) -> pd.Series:
        """Lead from rows of a sheet to those of the table that a column refers to."""
        parent = str(spec.references)
        length = len(self.accepted[str(self.model.lineage.tables[parent].source)])
        to_parent = reverse(self.done[parent].index.to_numpy(dtype=np.int64), length)
        return make_column(gather(to_parent, source_rows.to_numpy(dtype=np.int64)))

    def _follow(self, sheet: str, columns: Mapping[str, pd.Series]) -> Positions:
        """Follow references from this table to the row of a sheet that each row belongs to."""
        first, *rest = self.lineage.anchors[sheet]
        table = str(self.table.columns[first].references)
        at = columns[first].to_numpy(dtype=np.int64)
        for name in rest:
            at = gather(self.done[table][name].to_numpy(dtype=np.int64), at)
            table = str(self.model.tables[table].columns[name].references)
        return gather(self.done[table].index.to_numpy(dtype=np.int64), at)

    def _text(self, sheet: str, column: str) -> pd.Series:
        cells = self.accepted[sheet][column]
        return text_of_cells(self.accepted, sheet, column, cells, self.model)
