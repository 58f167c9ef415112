"""The Glue catalogue kept in step with a store, so that Athena sees its newest commit.

A table points at the folder that the commit names. Moving nine tables is nine calls and not
atomic: for some seconds a query that joins two tables may see two commits. Each table says in
its parameters which commit it was moved to, and a run that dies in the middle is finished by
the next one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, Optional

from aspen_etl import SnapshotStore
from aspen_etl.aws.catalog_tables import (
    Held,
    Wanted,
    refuse_foreign,
    refuse_table,
    version_of,
    wanted_tables,
)
from aspen_etl.aws.clients import Statements, call, error_code
from aspen_etl.errors import CatalogError
from aspen_etl.io.calling import retry

__all__ = ["CatalogReport", "TableStatus", "catalog_status", "publish"]

Moved = Literal["created", "moved", "unchanged", "newer"]

_TRIES, _OVERTAKEN = 5, "others change it all the time"


@dataclass(frozen=True)
class CatalogReport:
    """Tell what became of the tables of a catalogue.

    Attributes:
        database: The Glue database.
        version: The commit that it was brought to.
        tables: What became of each table: ``created``, ``moved``, ``unchanged``; or ``newer``,
            where another run had moved it to a later commit.
    """

    database: str
    version: int
    tables: Mapping[str, Moved]

    def to_dict(self) -> dict[str, Any]:
        """Give plain values, ready for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class TableStatus:
    """Tell where a table of the catalogue stands.

    Attributes:
        version: The commit that it was moved to; None where the table is not there.
        current: Whether it shows what the newest commit holds; a table that did not change
            since an older commit does.
    """

    version: Optional[int]
    current: bool


def publish(
    store: SnapshotStore,
    /,
    *,
    client: Any,
    database: str,
    version: Optional[int] = None,
    views: Optional[Statements] = None,
) -> CatalogReport:
    """Create the tables of a store in the Glue catalogue, or point them at a commit.

    Only tables that moved are changed, and without an archived version of the old state. Run
    again, it changes nothing; after a failure it does what is left. The commit is pinned in the
    store under ``catalog-<database>``, so that vacuum leaves it alone.

    Args:
        store: The store, on S3.
        client: A Glue client, of boto3 or botocore.
        database: The Glue database, which is there.
        version: The commit, by default the newest; an older one moves tables back.
        views: For CSV: what runs a statement in Athena (``run_statements``), for the typed
            views over the tables of text; without it there are only those.

    Returns:
        What became of each table.

    Raises:
        CatalogError: Glue or Athena refused, or a table of that name is not of this store.
        VersionNotFoundError: The store has no such commit.
        ArgumentError: The database or the store's url cannot stand in a catalogue.
    """
    newest = store.find()
    commit = newest if version is None else store.find(version)
    place = _Place(client, database, None if version is not None else commit.version, views)
    wanted, held = wanted_tables(store, commit, newest, database), place.tables()
    for name, table in wanted.items():
        refuse_foreign(place.show(table.name), held.get(table.name), store.url)
        if views is not None and table.view is not None:
            refuse_table(place.show(name), held.get(name))
    if any(place.is_to_move(table, held.get(table.name)) for table in wanted.values()):
        # Until all of them have moved, both commits are needed. A table may have stood where it
        # is since a version that is no longer kept, while a later one names its files; vacuum
        # passes over a pin on what is no longer kept.
        at = [version_of(held[table.name]) for table in wanted.values() if table.name in held]
        store.pin(_pin(database), max(newest.oldest_readable, min([commit.version, *at])))
    moved = {name: place.bring(table, held.get(table.name)) for name, table in wanted.items()}
    if "newer" not in moved.values():
        store.pin(_pin(database), commit.version)
    return CatalogReport(database, commit.version, moved)


def catalog_status(
    store: SnapshotStore, /, *, client: Any, database: str
) -> Mapping[str, TableStatus]:
    """Tell which commit each table of the catalogue is at.

    Raises:
        CatalogError: Glue refused.
        VersionNotFoundError: The store holds no commit.
    """
    newest = store.find()
    wanted = wanted_tables(store, newest, newest, database)
    held = _Place(client, database, newest.version).tables()
    out = {}
    for name, table in wanted.items():
        there = held.get(table.name)
        version = None if there is None else version_of(there)
        out[name] = TableStatus(version, there is not None and not table.differs(there))
    return out


@dataclass(frozen=True)
class _Place:
    """A database of the catalogue, and to which commit its tables are brought.

    Attributes:
        client: A Glue client.
        database: Its name.
        newest: A table that stands at a later version is left there; None where tables move back.
        views: What makes views.
    """

    client: Any
    database: str
    newest: Optional[int]
    views: Optional[Statements] = None

    def show(self, name: str) -> str:
        """Name a table as messages do."""
        return f"{self.database}.{name}"

    def tables(self) -> dict[str, Held]:
        """Give the tables that are there, by name."""

        def ask() -> dict[str, Held]:
            pages = self.client.get_paginator("get_tables").paginate(DatabaseName=self.database)
            return {table["Name"]: table for page in pages for table in page["TableList"]}

        return call(ask, self.database, "listing its tables")

    def is_newer(self, there: Optional[Held]) -> bool:
        """Tell whether a table stands at a later version, and is to be left there."""
        return there is not None and self.newest is not None and version_of(there) > self.newest

    def is_to_move(self, table: Wanted, there: Optional[Held]) -> bool:
        """Tell whether a table is to be made or changed."""
        return there is None or (table.differs(there) and not self.is_newer(there))

    def bring(self, table: Wanted, there: Optional[Held]) -> Moved:
        """Bring one table to the commit, given what stands in its place."""
        seen = [there]

        def step() -> Moved:
            moved = self._bring(table, seen[-1])
            if moved is None:
                seen.append(self._get(table))
                raise CatalogError.at(self.show(table.name), "moving it", _OVERTAKEN)
            return moved

        return retry(
            step, tries=_TRIES, again=lambda error: error.details.get("reason") == _OVERTAKEN
        )

    def _bring(self, table: Wanted, there: Optional[Held]) -> Optional[Moved]:
        """Do so, or give none where another run comes between."""
        if self.is_newer(there):
            return "newer"
        outcome: Moved = "unchanged"
        if there is None or table.differs(there):
            outcome = "created" if there is None else "moved"
            there = self._write(table, there)
            if there is None:
                return None
        if self.views is not None and table.view is not None and table.lacks_view(there):
            self.views(table.view, self.database)
            self._write(table, there, view=table.digest)
            outcome = "moved" if outcome == "unchanged" else outcome
        return outcome

    def _get(self, table: Wanted) -> Held:
        def ask() -> Held:
            found: Held = self.client.get_table(DatabaseName=self.database, Name=table.name)[
                "Table"
            ]
            return found

        return call(ask, self.show(table.name), "reading it")

    def _write(
        self, table: Wanted, there: Optional[Held], view: Optional[str] = None
    ) -> Optional[Held]:
        """Create or update a table; give it as it is now, or None where another run came first."""
        told = {"DatabaseName": self.database, "TableInput": table.input_over(there, view)}
        try:
            if there is None:
                self.client.create_table(**told)
            else:
                known = {"VersionId": there["VersionId"]} if "VersionId" in there else {}
                self.client.update_table(**told, SkipArchive=True, **known)
        except Exception as error:
            code = error_code(error)
            if code is None:
                raise
            if code in {"AlreadyExistsException", "ConcurrentModificationException"}:
                return None
        else:
            return self._get(table)
        raise CatalogError.at(self.show(table.name), "writing it", code)


def _pin(database: str) -> str:
    if len(database) <= 48:  # noqa: PLR2004 - a pin's name has at most 64 characters
        return f"catalog-{database}"
    return f"catalog-{database[:32]}-{hashlib.sha256(database.encode()).hexdigest()[:16]}"
