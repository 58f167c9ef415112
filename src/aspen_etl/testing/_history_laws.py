"""The laws of runs after runs, held against an account in plain Python."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any, Literal, Optional

from aspen_etl.borrower.model import BORROWER_MODEL
from aspen_etl.changes import apply_changes, diff
from aspen_etl.normalization import NormalizeResult, denormalize, normalize, verify
from aspen_etl.schema.model import Model
from aspen_etl.schema.snapshot import Snapshot, Tables
from aspen_etl.schema.spec import TableSpec
from aspen_etl.schema.values import Extract, Run
from aspen_etl.testing._laws import accepted_rows, assert_tables_are_sound, hold, key_of
from aspen_etl.testing._plain import PlainSheet, plain_sheets, rows_of

__all__ = ["History", "assert_history_laws"]

_START = dt.datetime(2026, 1, 31, 12, tzinfo=dt.timezone.utc)

Cells = dict[str, Any]
Key = tuple[Any, ...]


def assert_history_laws(
    history: Sequence[Extract],
    /,
    *,
    model: Model = BORROWER_MODEL,
    missing: Literal["delete", "keep"] = "delete",
) -> None:
    """Assert the laws of ``normalize(..., previous=)`` and ``diff`` through a history.

    3. After each run the tables are sound.
    4. They hold the accepted rows, and those of before that stay: rejected now with a key that
       can be read, or absent with ``missing="keep"``, each with what refers to it.
    6. A natural key keeps its key for good, and no key is given to another; new ones are the
       next numbers in ascending order. ``created`` never moves while a row is there; ``updated``
       moves where a value changed, and only there. Lookup rows stay. The same again changes
       nothing.
    7. ``apply_changes(diff(a, b), a)`` is b; ``diff(a, a)`` is empty.

    Args:
        history: Extracts of one source, in order.
        model: The model.
        missing: What becomes of rows that are absent.

    Raises:
        AssertionError: A law is broken; the text says which, and holds no cell.
    """
    account = History(model, missing)
    previous: Optional[Snapshot] = None
    for day, extract in enumerate(history):
        run = Run(time=_START + dt.timedelta(days=day), actor=f"run {day}")
        before = None if previous is None else _copy(previous)
        result = normalize(extract, model=model, run=run, previous=previous, missing=missing)
        verify(result, extract, model=model, run=run, previous=previous, missing=missing)
        if previous is not None and before is not None:
            hold(previous.equals(before), "2: the snapshot before is another")
        account.follow(extract, result, run)
        _assert_changes(previous.tables if previous else {}, result, model)
        later = Run(time=run.time + dt.timedelta(hours=1), actor="again")
        again = normalize(
            extract, model=model, run=later, previous=result.snapshot, missing=missing
        )
        hold(again.snapshot.equals(result.snapshot), "6: the same again changes the tables")
        hold(again.changes.is_empty, "6: the same again is told as a change")
        previous = result.snapshot


def _copy(snapshot: Snapshot) -> Snapshot:
    tables = {name: frame.copy(deep=True) for name, frame in snapshot.tables.items()}
    return Snapshot(Tables(tables), snapshot.keys, snapshot.time)


def _assert_changes(before: Any, result: NormalizeResult, model: Model) -> None:
    found = diff(before, result.tables, model=model)
    hold(found.equals(result.changes), "7: the result tells other changes than diff")
    hold(apply_changes(found, before).equals(result.tables), "7: changes applied give other tables")
    hold(diff(result.tables, result.tables, model=model).is_empty, "7: nothing is a change")


class History:
    """Keep account of what tables must hold, run after run, in plain Python.

    Args:
        model: The model.
        missing: What becomes of rows that are absent.
    """

    def __init__(self, model: Model, missing: Literal["delete", "keep"]) -> None:
        self.model, self.missing = model, missing
        self.given: dict[str, dict[Key, int]] = {name: {} for name in model.tables}
        self.following = dict.fromkeys(model.tables, 1)
        self.rows: dict[str, dict[Any, Cells]] = {name: {} for name in model.tables}
        self.sheets: dict[str, dict[Key, Cells]] = {name: {} for name in model.sources}

    def follow(self, extract: Extract, result: NormalizeResult, run: Run) -> None:
        """Assert that a run goes on from the one before as the contract says."""
        assert_tables_are_sound(result.tables, self.model)
        self._follow_sheets(extract, result)
        for table in self.model.tables.values():
            rows = [dict(zip(table.columns, row)) for row in rows_of(result.tables[table.name])]
            if table.has_surrogate_key:
                self._follow_keys(table, rows, result)
            self._follow_audit(table, rows, run)
            if self.model.lineage.tables[table.name].is_lookup:
                gone = self.rows[table.name].keys() - {row[table.primary_key] for row in rows}
                hold(not gone, f"6: {len(gone)} rows of the lookup table {table.name!r} are gone")
            self.rows[table.name] = {row[table.primary_key]: row for row in rows}

    # ------------------------------------------------------------------------- keys and audit

    def _follow_keys(self, table: TableSpec, rows: list[Cells], result: NormalizeResult) -> None:
        given, name = self.given[table.name], table.name
        new = []
        for row in rows:
            natural = tuple(row[column] for column in table.natural_key)
            if natural in given:
                hold(row[table.primary_key] == given[natural], f"6: a row of {name!r} lost its key")
            else:
                new.append((tuple((v is not None, v) for v in natural), natural, row))
        for _, natural, row in sorted(new, key=lambda each: each[0]):
            hold(
                row[table.primary_key] == self.following[name],
                f"6: a new row of {name!r} does not have the next number",
            )
            given[natural] = self.following[name]
            self.following[name] += 1
        state = result.snapshot.keys[name]
        hold(state.next == self.following[name], f"6: the next number of {name!r} is another")
        told = {row[1:]: row[0] for row in rows_of(state.given)}
        hold(told == given, f"6: the keys given of {name!r} are others")
        hold(len(state.given) == len(told), f"6: keys of {name!r} stand twice among those given")

    def _follow_audit(self, table: TableSpec, rows: list[Cells], run: Run) -> None:
        values = [
            spec.name
            for spec in table.own_columns
            if spec.name not in {table.primary_key, *table.natural_key}
        ]
        for row in rows:
            old = self.rows[table.name].get(row[table.primary_key])
            expected: tuple[Any, ...]
            if old is None:
                expected = (run.time, run.actor, None, None)
            elif any(row[name] != old[name] for name in values):
                expected = (old["created"], old["created_by"], run.time, run.actor)
            else:
                expected = tuple(old[name] for name in _AUDIT)
            found = tuple(row[name] for name in _AUDIT)
            hold(found == expected, f"6: a row of {table.name!r} has other audit columns")

    # ------------------------------------------------------------------------- what is there

    def _follow_sheets(self, extract: Extract, result: NormalizeResult) -> None:
        found = denormalize(result.tables, model=self.model)
        kept: dict[str, set[Key]] = {}
        stayed: dict[str, set[Key]] = {}
        for sheet in plain_sheets(extract, self.model):
            name = sheet.name
            now = {key_of(sheet, c): c for c in accepted_rows(sheet, result, self.model)}
            kept[name], stayed[name] = set(), set()
            for key, row in self._old(sheet, now):
                why = self._why(sheet, key, result, kept, stayed)
                if why is not None:
                    now[key] = row
                    {"kept": kept, "stayed": stayed}[why][name].add(key)
            back = [dict(zip(found[name].columns, row)) for row in rows_of(found[name])]
            held = kept[name] | stayed[name]
            expected = [(now[key], key in held) for key in sorted(now)]
            hold(
                len(back) == len(expected)
                and all(
                    _comes_back(sheet, row, cells, is_held=is_held)
                    for (row, is_held), cells in zip(expected, back)
                ),
                f"4: {name!r} comes back with other rows than were accepted or stay",
            )
            self.sheets[name] = dict(zip(sorted(now), back))
            summary = result.summary.sources[name]
            hold(summary.kept == len(kept[name]), f"4: {name!r} counts other kept rows")
            hold(summary.stayed == len(stayed[name]), f"4: {name!r} counts other rows that stayed")

    def _old(self, sheet: PlainSheet, now: dict[Key, Cells]) -> Iterator[tuple[Key, Cells]]:
        """Give the rows of before that are not accepted now and could stay."""
        lineage = self.model.lineage.sources[sheet.name]
        for key, row in self.sheets[sheet.name].items():
            lost = {
                column
                for column, target in lineage.references.items()
                if not any(row[column] == parent[0] for parent in self.sheets[target])
            }
            if key not in now and not lost.intersection(lineage.required):
                yield key, {**row, **dict.fromkeys(lost)}

    def _why(
        self,
        sheet: PlainSheet,
        key: Key,
        result: NormalizeResult,
        kept: dict[str, set[Key]],
        stayed: dict[str, set[Key]],
    ) -> Optional[str]:
        lineage, old = self.model.lineage.sources[sheet.name], self.sheets[sheet.name][key]
        parents = [(lineage.references[c], (old[c],)) for c in lineage.owners if old[c] is not None]
        if key in _rejected_keys(sheet, result) or any(at in kept[name] for name, at in parents):
            return "kept"
        absent = self.missing == "keep" and not parents
        return "stayed" if absent or any(at in stayed[name] for name, at in parents) else None


def _comes_back(sheet: PlainSheet, row: Cells, back: Cells, *, is_held: bool) -> bool:
    """Tell whether a row comes back: what it tells of entities may be filled, or follow them."""
    told = sheet.plan.told
    return all(
        back[name] == cell or (name in told and (is_held or cell is None))
        for name, cell in row.items()
    )


_AUDIT = ("created", "created_by", "updated", "updated_by")


def _rejected_keys(sheet: PlainSheet, result: NormalizeResult) -> set[Key]:
    rejects = rows_of(result.rejects[["source", "row", "scope"]])
    whole = {row for source, row, scope in rejects if source == sheet.name and scope == "row"}
    return {key_of(sheet, dict(row.clean)) for row in sheet.rows if row.number in whole}
