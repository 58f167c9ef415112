"""Rules: which rows and cells of the source stay out, and why.

Every rule is a mask over a column, worked out at once; what it hits is kept as a ``Fault``.
The rules are not written here: which columns are required, unique, limited or of a form
follows from the tables that they feed (``schema.lineage``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import chain
from typing import Any, NamedTuple, Optional

import numpy as np
import pandas as pd

from aspen_etl.columns import COLUMNS, Mask, Positions
from aspen_etl.columns.conversion import as_text
from aspen_etl.columns.frames import make_column, make_frame
from aspen_etl.columns.rows import sort_rows
from aspen_etl.columns.scanning import control_characters, no_integers
from aspen_etl.columns.threads import begin, map_threads
from aspen_etl.schema.lineage import ROW, SourceLineage
from aspen_etl.schema.model import Model
from aspen_etl.schema.snapshot import REPEATED_HEADER
from aspen_etl.schema.spec import ColumnSpec
from aspen_etl.transform.calling import call
from aspen_etl.transform.cleaning import Prepared
from aspen_etl.transform.faults import Fault, Judged

__all__ = ["judge"]


def judge(prepared: Mapping[str, Prepared], model: Model, /) -> dict[str, Judged]:
    """Part each sheet into accepted rows and faults, each sheet after those it refers to.

    Args:
        prepared: The sheets.
        model: The model.
    """
    verdicts: dict[str, _Verdict] = {}
    accepted: dict[str, Callable[[], pd.DataFrame]] = {}
    for name in model.sources:
        one = _Judge(name, prepared[name], model, verdicts)
        verdicts[name] = one.judge()
        # The accepted rows are gathered while the next sheet is judged: it needs their key alone.
        rows = len(verdicts[name].order)
        accepted[name] = begin(partial(one.accept, verdicts[name]), rows=rows)
    return {
        name: Judged(accepted[name](), verdict.faults, verdict.rejected)
        for name, verdict in verdicts.items()
    }


class _Verdict(NamedTuple):
    """What is found out of a sheet before its accepted rows are gathered.

    Attributes:
        order: The accepted rows in their order.
        key: Their first key column, as text, if a sheet refers to them.
        faults: What is not accepted.
        rejected: Which rows stay out as a whole.
    """

    order: Positions
    key: Optional[pd.Series]
    faults: tuple[Fault, ...]
    rejected: Mask


class _Judge:
    """Judge one sheet: a method for each kind of rule, each giving faults."""

    def __init__(
        self, source: str, prepared: Prepared, model: Model, judged: Mapping[str, _Verdict]
    ) -> None:
        self.source, self.prepared, self.model = source, prepared, model
        self.lineage: SourceLineage = model.lineage.sources[source]
        self.spec = model.sources[source]
        self.faulty = {column: prepared.faulty(column) for column in self.spec.columns}
        self.present = prepared.usable
        self.links = {
            column: COLUMNS.find(prepared.clean[column], key)
            for column, parent in self.lineage.references.items()
            if (key := judged[parent].key) is not None
        }

    def judge(self) -> _Verdict:
        columns = [partial(self._column, column) for column in self.spec.columns]
        jobs: list[Callable[[], Any]] = [self._sort, *columns]
        sort, *cells = map_threads(lambda job: job(), jobs, rows=len(self.prepared.rows))
        faults = [
            *self._unusable(),
            *chain(*cells),
            *self._long(),
            *self._incomplete(),
            *self._missing(),
            *self._unknown(),
        ]
        rejected = self._rows(faults)
        order, same = sort
        duplicates = _duplicates(order, same, rejected)
        if duplicates.any():
            rows = np.flatnonzero(duplicates)
            faults.append(
                self._fault(
                    self.lineage.key[-1], self._rule("duplicate", self.lineage.key[-1]), rows
                )
            )
            rejected = rejected | duplicates
        accepted = order[~rejected[order]] if rejected.any() else order
        key = self._text_key(accepted) if self._is_referred_to() else None
        return _Verdict(accepted, key, tuple(faults), rejected)

    # ------------------------------------------------------------------------- rules

    def _unusable(self) -> Iterator[Fault]:
        for (column, rule), cells in self.prepared.faults.items():
            if rule == REPEATED_HEADER and column != self.lineage.key[0]:
                continue  # the row is one reject, not one for each of its cells
            yield self._fault(column, rule, np.sort(cells.index.to_numpy(dtype=np.int64)))
        for column, mask in self.prepared.emptied.items():
            yield self._fault(column, "emptied", np.flatnonzero(mask))

    def _column(self, column: str) -> list[Fault]:
        return list(self._cells(column))

    def _cells(self, column: str) -> Iterator[Fault]:
        values = self.prepared.clean[column]
        suspects = self.prepared.suspects[column]
        yield from self._found(column, "invalid_text", control_characters(values, suspects))
        for table, name in self.lineage.destinations[column]:
            yield from self._form(column, self._target(table, name))
        if not self._splits(column):
            yield from self._found(column, "too_long", self._too_long(column))

    def _long(self) -> Iterator[Fault]:
        """Look at what builders split: a user's function is called in the user's own thread."""
        for column in self.spec.columns:
            if self._splits(column):
                yield from self._found(column, "too_long", self._too_long(column))

    def _splits(self, column: str) -> bool:
        return any(self._is_split(table, column) for table, _ in self.lineage.destinations[column])

    def _too_long(self, column: str) -> Mask:
        values = self.prepared.clean[column]
        too_long = np.zeros(len(values), dtype=bool)
        for table, name in self.lineage.destinations[column]:
            target = self._target(table, name)
            if self._is_split(table, column):
                too_long |= self._long_parts(table, column)
            elif target.length is not None:
                too_long |= COLUMNS.longer(values, target.length)
        return too_long

    def _target(self, table: str, name: str) -> ColumnSpec:
        """Give the column that holds the text in the end: of a lookup, the text that it lists."""
        spec = self.model.tables[table].columns[name]
        if spec.references and self.model.lineage.tables[spec.references].kind == "lookup":
            lookup = self.model.tables[spec.references]
            return lookup.columns[lookup.natural_key[0]]
        return spec

    def _form(self, column: str, target: ColumnSpec) -> Iterator[Fault]:
        values = self.prepared.clean[column]
        if target.text_format is not None:
            yield from self._found(
                column,
                f"invalid_{target.text_format.name}",
                ~COLUMNS.matches(values, target.text_format.pattern),
            )
        elif target.type == "integer" and target.references is None:
            wrong = no_integers(values)
            yield from self._found(column, self._rule("invalid", column), wrong)

    def _long_parts(self, table: str, column: str) -> Mask:
        """Tell where a part of a column that a builder splits is longer than its destination."""
        targets = [
            spec
            for spec in self.model.tables[table].own_columns
            if f"{self.source}.{column}" in spec.source and spec.length
        ]
        values, out = self.prepared.clean[column], np.zeros(len(self.prepared.rows), dtype=bool)
        rows = np.flatnonzero(
            COLUMNS.longer(values, min((spec.length or 0 for spec in targets), default=0))
        )
        if not targets or not len(rows):
            return out
        some = self.prepared.clean.iloc[rows].reset_index(drop=True)
        build = self.model.builders[table].build
        built = call(f"the builder of {table!r}", build, "builder", **{self.source: some})
        for spec in targets:
            out[rows] |= COLUMNS.longer(as_text(built[spec.name]), spec.length or 0)
        return out

    def _incomplete(self) -> Iterator[Fault]:
        for table in dict.fromkeys(self.lineage.scopes.values()):
            if table not in self.model.tables:
                continue
            columns = [column for column, scope in self.lineage.scopes.items() if scope == table]
            held = {column: self.present[column] | self.faulty[column] for column in columns}
            some = np.logical_or.reduce(list(held.values()))
            for column in columns:
                if any(
                    not self.model.tables[t].columns[c].nullable
                    for t, c in self.lineage.destinations[column]
                ):
                    yield from self._found(column, f"incomplete_{table}", some & ~held[column])

    def _missing(self) -> Iterator[Fault]:
        for column in self.lineage.required:
            yield from self._found(
                column, self._rule("missing", column), ~self.present[column] & ~self.faulty[column]
            )

    def _unknown(self) -> Iterator[Fault]:
        for column, parent in self.lineage.references.items():
            yield from self._found(
                column, f"unknown_{parent}", (self.links[column] < 0) & self.present[column]
            )

    # ------------------------------------------------------------------------- rows

    def _rows(self, faults: list[Fault]) -> Mask:
        rejected = np.zeros(len(self.prepared.rows), dtype=bool)
        for fault in faults:
            if fault.scope == ROW:
                rejected[fault.positions] = True
        return rejected

    def _sort(self) -> tuple[Positions, Mask]:
        """Order the rows by key, and tell which have the key of the one before."""
        key = self.lineage.key
        complete = np.logical_and.reduce(
            [self.links[c] >= 0 if c in self.links else self.present[c] for c in key]
        )
        rows = np.flatnonzero(complete)
        order, same = sort_rows([self._key(column, rows) for column in key])
        return rows[order], same

    def _is_referred_to(self) -> bool:
        others = self.model.lineage.sources.values()
        return any(self.source in lineage.references.values() for lineage in others)

    def _text_key(self, order: Positions) -> pd.Series:
        return _gathered(self.prepared.clean[self.lineage.key[0]], order)

    def _key(self, column: str, rows: Positions) -> pd.Series:
        if column in self.links:
            return make_column(self.links[column][rows])
        return COLUMNS.take(self.prepared.clean[column], rows)

    def accept(self, verdict: _Verdict) -> pd.DataFrame:
        """Gather the accepted rows in their order, without the rejected cells."""
        drop = {
            column: np.zeros(len(self.prepared.rows), dtype=bool) for column in self.spec.columns
        }
        for fault in verdict.faults:
            for column in self._dropped(fault):
                drop[column][fault.positions] = True
        accepted = map_threads(
            lambda column: self._accepted(column, verdict, drop[column]),
            self.spec.columns,
            rows=len(verdict.order),
        )
        index = pd.RangeIndex(len(verdict.order))
        return make_frame(dict(zip(self.spec.columns, accepted)), index)

    def _accepted(self, column: str, verdict: _Verdict, drop: Mask) -> pd.Series:
        order = verdict.order
        if verdict.key is not None and column == self.lineage.key[0] and column not in self.links:
            return verdict.key  # a row whose key is at fault is not accepted
        if column in self.links:
            return make_column(self.links[column][order])
        rows = np.where(drop[order], -1, order) if drop.any() else order
        return _gathered(self.prepared.clean[column], rows)

    def _dropped(self, fault: Fault) -> tuple[str, ...]:
        if fault.scope in self.model.tables:
            return tuple(
                column for column, scope in self.lineage.scopes.items() if scope == fault.scope
            )
        return () if fault.scope == ROW else (fault.column,)

    # ------------------------------------------------------------------------- helpers

    def _is_split(self, table: str, column: str) -> bool:
        name = f"{self.source}.{column}"
        fed = [spec for spec in self.model.tables[table].own_columns if name in spec.source]
        return len(fed) > 1

    def _rule(self, verb: str, column: str) -> str:
        return f"{verb}_{self.spec.columns[column].label}"

    def _found(self, column: str, rule: str, mask: Mask) -> Iterator[Fault]:
        if mask.any():
            yield self._fault(column, rule, np.flatnonzero(mask))

    def _fault(self, column: str, rule: str, positions: Positions) -> Fault:
        scope = ROW if rule == self._rule("duplicate", column) else self.lineage.scopes[column]
        return Fault(self.source, column, rule, scope, positions)


def _gathered(values: pd.Series, rows: Positions) -> pd.Series:
    """Gather rows in one piece, as what looks at a whole column many times wants it."""
    return COLUMNS.concat([COLUMNS.take(values, rows)])


def _duplicates(order: Positions, same: Mask, rejected: Mask) -> Mask:
    """Tell which rows come after an accepted one of the same key."""
    out = np.zeros(len(rejected), dtype=bool)
    if same.any():
        accepted = ~rejected[order]
        before: Positions = np.cumsum(accepted) - accepted
        first = np.maximum.accumulate(np.where(same, 0, np.arange(len(order))))
        out[order[before - before[first] > 0]] = True
    return out
