"""Three-way merge said once more, by dictionaries, subject by subject; and sheets drawn for it."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, Optional

import pandas as pd

import aspen_etl as ae
from aspen_etl.schema.policy import Policy
from aspen_etl.transform.parting import Partitioning
from aspen_etl.transform.three_way import CONFLICTS

Row = dict[str, Optional[str]]
#: By sheet and key, the other cells of the row.
State = dict[str, dict[tuple[str, ...], Row]]

#: Nothing is between two subjects, so as many as this are as many cases.
IDS = ("é c", *"abcdefghijklmnopqrst")
PARTS = ("1", "2")
WORDS = (None, "u", "v")

# ----------------------------------------------------------------------------- drawing


def key_of(sheet: str, model: ae.Model) -> tuple[str, ...]:
    return model.lineage.sources[sheet].key


def cells_of(sheet: str, model: ae.Model) -> list[str]:
    return [name for name in model.sources[sheet].columns if name not in key_of(sheet, model)]


def keys_within(subject: str, sheet: str, how: Partitioning) -> Iterator[tuple[str, ...]]:
    """Yield the keys that a subject may have in a sheet."""
    names = key_of(sheet, how.model)
    choices = [(subject,) if name == how.columns[sheet] else PARTS for name in names]
    return itertools.product(*choices)


def a_row(sheet: str, how: Partitioning, random: Random) -> Row:
    return {name: random.choice(WORDS) for name in cells_of(sheet, how.model)}


def a_state(how: Partitioning, random: Random) -> State:
    out: State = {name: {} for name in how.model.sources}
    for subject in IDS:
        if random.random() < 0.7:
            add_subject(out, subject, how, random)
    return out


def add_subject(state: State, subject: str, how: Partitioning, random: Random) -> None:
    for sheet in how.model.sources:
        for key in keys_within(subject, sheet, how):
            if sheet == how.root or random.random() < 0.4:
                state[sheet][key] = a_row(sheet, how, random)


def edited(state: State, how: Partitioning, random: Random) -> State:
    """Change some of a state: rows come, go and change; a row's children go with it."""
    out: State = {
        sheet: {key: dict(row) for key, row in rows.items()} for sheet, rows in state.items()
    }
    for subject in IDS:
        if (subject,) not in out[how.root]:
            if random.random() < 0.3:
                add_subject(out, subject, how, random)
        elif random.random() < 0.2:
            for rows in out.values():
                for key in [key for key in rows if subject in key]:
                    del rows[key]
        else:
            for sheet in how.model.sources:
                edit_rows(out[sheet], list(keys_within(subject, sheet, how)), sheet, how, random)
    return out


def edit_rows(
    rows: dict[tuple[str, ...], Row],
    keys: Sequence[tuple[str, ...]],
    sheet: str,
    how: Partitioning,
    random: Random,
) -> None:
    for key in keys:
        if key not in rows:
            if random.random() < 0.2:
                rows[key] = a_row(sheet, how, random)
        elif sheet != how.root and random.random() < 0.2:
            del rows[key]
        else:
            for column in rows[key]:
                if random.random() < 0.15:
                    rows[key][column] = random.choice(WORDS)


# ----------------------------------------------------------------------------- frames


def frames(state: State, how: Partitioning) -> dict[str, pd.DataFrame]:
    out = {}
    for sheet, spec in how.model.sources.items():
        names = key_of(sheet, how.model)
        rows = [{**dict(zip(names, key)), **row} for key, row in state[sheet].items()]
        out[sheet] = pd.DataFrame(rows, columns=list(spec.columns), dtype=object)
    return out


def state_of(sheets: Mapping[str, pd.DataFrame], how: Partitioning) -> State:
    out: State = {}
    for sheet, frame in sheets.items():
        names = key_of(sheet, how.model)
        out[sheet] = {}
        for cells in frame.astype(object).where(frame.notna(), None).to_dict("records"):
            key = tuple(cells[name] for name in names)
            assert key not in out[sheet]
            out[sheet][key] = {str(name): cells[name] for name in frame if name not in names}
    return out


def only(state: State, subjects: Any, how: Partitioning) -> State:
    """Give what a state has of some subjects."""
    out: State = {}
    for sheet, rows in state.items():
        place = key_of(sheet, how.model).index(how.columns[sheet])
        out[sheet] = {key: row for key, row in rows.items() if key[place] in subjects}
    return out


# ----------------------------------------------------------------------------- the oracle


@dataclass
class Merged:
    """What comes of a merge; conflicts as tuples of the columns of conflicts."""

    rows: State
    shadow: State
    conflicts: list[tuple[Any, ...]] = field(default_factory=list)
    held: set[str] = field(default_factory=set)


def units(sheet: str, model: ae.Model) -> list[list[str]]:
    """Give the units: an address is one, since one fault keeps all of it out."""
    out: list[list[str]] = []
    known: dict[str, list[str]] = {}
    for column in cells_of(sheet, model):
        scope = model.lineage.sources[sheet].scopes[column]
        if scope in ("row", "value"):
            out.append([column])
        elif scope in known:
            known[scope].append(column)
        else:
            known[scope] = [column]
            out.append(known[scope])
    return out


@dataclass
class Oracle:
    """Merge a side into the head."""

    how: Partitioning
    policy: Policy
    name: str

    @property
    def other(self) -> str:
        return {"old": "new", "new": "old"}[self.name]

    def merge(
        self, shadow: State, side: State, head: State, also: Sequence[tuple[str, str, str]] = ()
    ) -> Merged:
        sheets = self.how.model.sources
        out = Merged({sheet: {} for sheet in sheets}, {sheet: {} for sheet in sheets})
        more = [subject for _, _, subject in also]
        for subject in dict.fromkeys([*IDS, *more]):
            mine = [self._of(state, subject) for state in (shadow, side, head)]
            told = [(kind, sheet) for kind, sheet, who in also if who == subject]
            self._merge(subject, mine, told, out)
        return out

    def _of(self, state: State, subject: str) -> dict[tuple[str, tuple[str, ...]], Row]:
        found = {}
        for sheet, rows in state.items():
            place = key_of(sheet, self.how.model).index(self.how.columns[sheet])
            found.update({(sheet, key): row for key, row in rows.items() if key[place] == subject})
        return found

    def _merge(self, subject: str, states: list[Any], also: Any, out: Merged) -> None:
        shadow, side, head = states
        rows: dict[Any, Row] = {}
        own = (self.how.root, (subject,))
        decisions = set()
        for place in sorted({*shadow, *side, *head}):
            row, found = self._row(place, own, states)
            for kind, unit in found:
                decision = self._decide(kind, place[0], unit)
                decisions.add(decision)
                out.conflicts.append(self._tell(kind, place, unit, states, decision))
                row = self._decided(row, unit, decision, side.get(place), head.get(place))
            if row is not None:
                rows[place] = row
        # A subject goes as a whole, or stays as a whole.
        if own in shadow and own in head and own not in side and self.other in decisions:
            rows = head
        if own in shadow and own in side and own not in head and self.name in decisions:
            rows = side
        whole = self._of_caller(subject, also, out)
        if whole & {"old", "new"}:
            rows = side if self.name in whole else head
        kept = side
        if {"hold", "refuse"} & (decisions | whole):
            out.held.add(subject)
            rows, kept = head, shadow
        for into, some in ((out.rows, rows), (out.shadow, kept)):
            for (sheet, key), row in some.items():
                into[sheet][key] = dict(row)

    def _decide(self, kind: str, sheet: str, unit: Any = ()) -> str:
        decision = self.policy.decide(kind, sheet, unit or None)
        return "hold" if decision == "newest" else decision

    def _of_caller(self, subject: str, also: Any, out: Merged) -> set[str]:
        found = []
        for kind, sheet in also:
            decision = self._decide(kind, sheet)
            cannot = kind in ("inexpressible", "key_mismatch") and decision == self.name
            found.append("hold" if cannot else decision)
        if {"old", "new"} <= set(found):
            found = ["hold" if each in ("old", "new") else each for each in found]
        for (kind, sheet), decision in zip(also, found):
            out.conflicts.append((kind, sheet, subject, *[None] * 5, decision))
        return set(found)

    def _row(self, place: Any, own: Any, states: list[Any]) -> tuple[Optional[Row], list[Any]]:
        """Give the row that comes of three, and its conflicts: kind and unit."""
        a, b, c = (state.get(place) for state in states)
        parents = [own in state for state in states]
        if b is None and c is None:
            return None, []
        if b is None or c is None:
            kept, side_has = (c, False) if b is None else (b, True)
            is_lost = parents[0] and not (parents[2] if side_has else parents[1])
            if a is None:
                lost = is_lost and place != own
                return kept, [("parent_deleted", ())] if lost else []
            if kept == a:
                return None, []
            if is_lost and place != own:
                return None, [("parent_deleted", ())]
            return None, [("changed_and_deleted" if side_has else "deleted_and_changed", ())]
        out, found = dict(c), []
        for unit in units(place[0], self.how.model):
            new, now = ([row[column] for column in unit] for row in (b, c))
            was = None if a is None else [a[column] for column in unit]
            if now in (was, new):
                out.update(zip(unit, new))
            elif was != new:
                found.append(("both_inserted" if a is None else "both_changed", tuple(unit)))
        return out, found

    def _decided(
        self, row: Optional[Row], unit: Any, decision: str, new: Optional[Row], now: Optional[Row]
    ) -> Optional[Row]:
        if decision not in ("old", "new"):
            return row
        wanted = new if decision == self.name else now
        if not unit:
            return wanted
        assert row is not None
        assert wanted is not None
        return {**row, **{column: wanted[column] for column in unit}}

    def _tell(self, kind: str, place: Any, unit: Any, states: Any, decision: str) -> Any:
        sheet, key = place
        names = key_of(sheet, self.how.model)
        rest = [part for name, part in zip(names, key) if name != self.how.columns[sheet]]
        told = None if not rest else rest[0] if len(rest) == 1 else json.dumps(rest)
        subject = key[names.index(self.how.columns[sheet])]
        values: list[Optional[str]] = []
        for state in states:
            row = state.get(place)
            if row is None:
                values.append(None)
            elif len(unit) == 1:
                values.append(row[unit[0]])
            else:
                whole = {**dict(zip(names, key)), **row}
                every = self.how.model.sources[sheet].columns
                values.append(json.dumps({name: whole[name] for name in unit or every}))
        return (kind, sheet, subject, told, unit[0] if unit else None, *values, decision)


def tuples(conflicts: pd.DataFrame) -> list[tuple[Any, ...]]:
    assert list(conflicts.columns) == list(CONFLICTS)
    assert all(pd.api.types.is_object_dtype(dtype) for dtype in conflicts.dtypes)
    assert all(cell is None or isinstance(cell, str) for cell in conflicts.to_numpy().ravel())
    return list(zip(*(conflicts[name].tolist() for name in CONFLICTS)))
