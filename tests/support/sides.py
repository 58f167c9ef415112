"""Two sides of a two-way store, in memory: a flat one, and one with the tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Optional

import pandas as pd

import aspen_etl as ae
from aspen_etl.errors import ConflictError
from aspen_etl.schema.evolution import complete
from aspen_etl.transform.flat_changes import FlatChanges

MODEL = ae.BORROWER_MODEL
COLUMNS = list(MODEL.sources["borrower"].columns)


@dataclass(frozen=True)
class Said:
    """What a side says was written to it last."""

    version: Optional[int]
    token: Optional[str]
    deletes: bool = True


class DiedError(Exception):
    """The process died before or after the side committed."""


@dataclass
class FlatSide:
    """The old side: people and their roles, as a lender's application has them."""

    people: dict[str, dict[str, Optional[str]]] = field(default_factory=dict)
    roles: set[tuple[str, str]] = field(default_factory=set)
    said: Optional[Said] = None
    dies: str = ""
    names: tuple[()] = ()
    written: int = 0

    def state(self) -> Optional[Said]:
        return self.said

    def read(self) -> ae.Extract:
        rows = [{"id": id_, **cells} for id_, cells in sorted(self.people.items())]
        borrower = pd.DataFrame(rows, columns=COLUMNS, dtype=object)
        roles = pd.DataFrame(
            sorted(self.roles), columns=["borrower_id", "role_profile"], dtype=object
        )
        return ae.Extract(borrower=borrower, role_profile=roles)

    def put(self, extract: ae.Extract) -> None:
        """Let its users make it so."""
        frame, pairs = (extract[each].astype(object) for each in MODEL.sources)
        rows = records(frame)
        self.people = {str(row["id"]): without(row) for row in rows}
        self.roles = set(pairs.itertuples(index=False, name=None))

    def write(  # noqa: C901, PLR0912 - three kinds of changes to two sheets
        self,
        changes: FlatChanges,
        *,
        version: int,
        token: str,
        deletes: bool,
        expected: Optional[Said],
        defaults: Any = None,
    ) -> Mapping[str, Mapping[str, int]]:
        del defaults
        if self.dies == "before":
            raise DiedError
        if self.said != expected:
            raise ConflictError.side("old", "state")
        people = {id_: dict(cells) for id_, cells in self.people.items()}
        roles = set(self.roles)
        for name in ("borrower", "role_profile"):
            for row in records(changes.deleted[name]):
                if name == "borrower":
                    check(people.get(str(row["id"])), without(row), name)
                    del people[str(row["id"])]
                else:
                    check({pair(row)} & roles, {pair(row)}, name)
                    roles.remove(pair(row))
            for row in records(changes.inserted[name]):
                if name == "borrower":
                    check({str(row["id"])} & people.keys(), set(), name)
                    people[str(row["id"])] = without(row)
                else:
                    check({pair(row)} & roles, set(), name)
                    roles.add(pair(row))
        for was, row in zip(records(changes.was["borrower"]), records(changes.updated["borrower"])):
            held = people[str(row["id"])]
            for column, value in row.items():
                if value != was[column]:
                    check(held[column], was[column], column)
                    held[column] = value
        self.people, self.roles = people, roles
        self.said = Said(version, token, deletes)
        self.written += 1
        if self.dies:
            raise DiedError
        return changes.counts


def check(held: object, known: object, where: str) -> None:
    if held != known:
        raise ConflictError.side("old", where)


def records(frame: pd.DataFrame) -> list[dict[str, Optional[str]]]:
    held = frame.astype(object)
    return held.where(held.notna(), None).to_dict("records")  # type: ignore[return-value]


def without(row: Mapping[str, Optional[str]]) -> dict[str, Optional[str]]:
    return {name: value for name, value in row.items() if name != "id"}


def pair(row: Mapping[str, Optional[str]]) -> tuple[str, str]:
    return str(row["borrower_id"]), str(row["role_profile"])


@dataclass
class TableSide:
    """The new side: the tables of the model, in which an application writes, too."""

    tables: dict[str, pd.DataFrame] = field(default_factory=lambda: dict(complete({}, MODEL)[0]))
    said: Optional[Said] = None
    dies: str = ""
    written: int = 0

    def state(self) -> Optional[Said]:
        return self.said

    def read(self) -> ae.Tables:
        return ae.Tables({name: frame.copy() for name, frame in self.tables.items()})

    def write(
        self,
        before: Mapping[str, pd.DataFrame],
        after: Mapping[str, pd.DataFrame],
        *,
        version: int,
        token: str,
        expected: Optional[Said],
    ) -> Mapping[str, Mapping[str, int]]:
        if self.dies == "before":
            raise DiedError
        if self.said != expected:
            raise ConflictError.side("new", "state")
        changes = ae.diff(before, after, model=MODEL)
        self.tables = dict(ae.apply_changes(changes, ae.Tables(self.tables)))
        self.said = Said(version, token)
        self.written += 1
        if self.dies:
            raise DiedError
        return {name: found.counts for name, found in changes.items()}

    def create(self) -> None:
        """Do nothing: the tables are there."""

    def put(self, tables: dict[str, pd.DataFrame]) -> None:
        """Let an application make it so."""
        self.tables = tables
