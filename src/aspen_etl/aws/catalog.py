"""The Glue catalogue kept in step with a store, so that Athena sees its newest commit.

A table points at the folder that the commit names. Moving nine tables is nine calls and not
atomic: for some seconds a query that joins two tables may see two commits. Each table says in
its parameters which commit it was moved to, and a run that dies in the middle is finished by
the next one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, Optional

from aspen_etl import Model, SnapshotStore
from aspen_etl.aws.clients import Statements, call, error_code
from aspen_etl.derive.athena import athena_create, glue_tables
from aspen_etl.errors import CatalogError
from aspen_etl.store.commit import Commit, Stored

__all__ = ["CatalogReport", "TableStatus", "catalog_status", "publish"]

#: The parameters of a table that are ours: the commit it was moved to, its store, its view.
VERSION, STORE, VIEW = "aspen_etl.version", "aspen_etl.store", "aspen_etl.view"

Moved = Literal["created", "moved", "unchanged", "newer"]

_TRIES = 5


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
        InvalidNameError: The database or the store's url cannot stand in a catalogue.
    """
    newest = store.find()
    commit = newest if version is None else store.find(version)
    wanted = _wanted(store, commit, newest, database)
    held = _held(client, database)
    for name, table in wanted.items():
        _refuse_foreign(f"{database}.{table.name}", held.get(table.name), store.url)
        if views is not None and table.view is not None:
            _refuse_table(f"{database}.{name}", held.get(name))
    back = version is not None
    moving = [t for t in wanted.values() if _is_to_move(t, held.get(t.name), commit, back=back)]
    if moving:  # until all of them have moved, both commits are needed
        at = [_version(held[table.name]) for table in wanted.values() if table.name in held]
        # A table may have stood where it is since a version that is no longer kept, while a
        # later one names its files; vacuum passes over a pin on what is no longer kept.
        store.pin(_pin(database), max(newest.oldest_readable, min([commit.version, *at])))
    moved: dict[str, Moved] = {}
    for name, table in wanted.items():
        there = held.get(table.name)
        moved[name] = _bring(client, database, table, there, commit, back=back, views=views)
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
    wanted, held = _wanted(store, newest, newest, database), _held(client, database)
    out = {}
    for name, table in wanted.items():
        there = held.get(table.name)
        version = None if there is None else _version(there)
        out[name] = TableStatus(version, there is not None and not _differs(table, there))
    return out


# ----------------------------------------------------------------------------- wanted and held


@dataclass(frozen=True)
class _Wanted:
    """A table as it should stand in the catalogue: Glue's input, and the view over it."""

    name: str
    input: Mapping[str, Any]
    view: Optional[str]

    @property
    def digest(self) -> Optional[str]:
        if self.view is None:
            return None
        return hashlib.sha256(self.view.encode()).hexdigest()[:16]


def _wanted(
    store: SnapshotStore, commit: Commit, newest: Commit, database: str
) -> dict[str, _Wanted]:
    """Give the tables that a commit holds, by name in the model."""
    stored = {
        name: commit.tables[name].moved(newest.rewrites)
        for name in store.model.tables
        if name in commit.tables
    }
    folders = {name: _folder(store.url, name, stored.get(name)) for name in store.model.tables}
    out = {}
    for file_format in sorted({each.format for each in stored.values()}):
        inputs = glue_tables(
            store.model,
            location=folders,
            format=file_format,
            parameters={VERSION: str(commit.version), STORE: store.url},
        )
        views = _views(store.model, database, folders) if file_format == "csv" else {}
        for name, each in stored.items():
            if each.format == file_format:
                out[name] = _Wanted(inputs[name]["Name"], inputs[name], views.get(name))
    return {name: out[name] for name in stored}


def _folder(url: str, name: str, stored: Optional[Stored]) -> str:
    """Give the folder of a table's files; one that is never written to where it has none."""
    where = {file.path.rpartition("/")[0] for file in stored.files} if stored else set()
    if len(where) > 1:
        msg = "its files stand in several folders since a borrower was erased"
        raise CatalogError.at(name, "finding its folder", msg)
    return f"{url}/{where.pop() if where else f'{name}/none'}"


def _views(model: Model, database: str, folders: Mapping[str, str]) -> dict[str, str]:
    statements = athena_create(model, database=database, location=folders, format="csv")
    return dict(zip(model.tables, statements[1::2]))


def _held(client: Any, database: str) -> dict[str, Mapping[str, Any]]:
    def ask() -> dict[str, Mapping[str, Any]]:
        pages = client.get_paginator("get_tables").paginate(DatabaseName=database)
        return {table["Name"]: table for page in pages for table in page["TableList"]}

    return call(ask, database, "listing its tables")


def _version(table: Mapping[str, Any]) -> int:
    return int(table.get("Parameters", {}).get(VERSION, 0))


def _refuse_foreign(name: str, table: Optional[Mapping[str, Any]], url: str) -> None:
    if table is None:
        return
    owner = table.get("Parameters", {}).get(STORE)
    if owner is None:
        raise CatalogError.foreign(name, "a table of that name is there that is not ours")
    if owner != url:
        raise CatalogError.foreign(name, "the table belongs to another store")


def _refuse_table(name: str, table: Optional[Mapping[str, Any]]) -> None:
    if table is not None and table.get("TableType") != "VIRTUAL_VIEW":
        raise CatalogError.foreign(name, "a table stands where the view over the CSV should be")


def _differs(table: _Wanted, held: Mapping[str, Any]) -> bool:
    """Tell whether a table shows something else than it should, whatever its commit's number."""
    names = table.input["Parameters"].keys() - {VERSION}
    return bool(_comparable(table.input, names) != _comparable(held, names))


def _comparable(table: Mapping[str, Any], parameters: Collection[str]) -> Any:
    storage = table["StorageDescriptor"]
    serde = storage["SerdeInfo"]
    return (
        [(each["Name"], each["Type"], each.get("Comment")) for each in storage["Columns"]],
        [storage[part] for part in ("Location", "InputFormat", "OutputFormat")],
        [serde["SerializationLibrary"], serde.get("Parameters")],
        {name: table.get("Parameters", {}).get(name) for name in parameters},
    )


def _has_view(table: _Wanted, held: Mapping[str, Any]) -> bool:
    return bool(held.get("Parameters", {}).get(VIEW) == table.digest)


def _is_newer(held: Optional[Mapping[str, Any]], commit: Commit, *, back: bool) -> bool:
    return held is not None and not back and _version(held) > commit.version


def _is_to_move(
    table: _Wanted, held: Optional[Mapping[str, Any]], commit: Commit, *, back: bool
) -> bool:
    return held is None or (_differs(table, held) and not _is_newer(held, commit, back=back))


# ----------------------------------------------------------------------------- changing


def _bring(
    client: Any,
    database: str,
    table: _Wanted,
    there: Optional[Mapping[str, Any]],
    commit: Commit,
    *,
    back: bool,
    views: Optional[Statements],
) -> Moved:
    """Bring one table to a commit, given what stands in its place."""
    name = f"{database}.{table.name}"
    outcome: Moved = "unchanged" if there is not None else "created"
    for _ in range(_TRIES):
        if _is_newer(there, commit, back=back):
            return "newer"
        if there is None or _differs(table, there):
            written = _write(client, database, table, there)
            if written is None:  # another run came between
                there = call(lambda: _get(client, database, table), name, "reading it")
                outcome = "unchanged"
                continue
            outcome = "moved" if outcome == "unchanged" else outcome
            there = written
        if views is not None and table.view is not None and not _has_view(table, there):
            views(table.view, database)
            _write(client, database, table, there, view=table.digest)
            outcome = "moved" if outcome == "unchanged" else outcome
        return outcome
    raise CatalogError.at(name, "moving it", "others change it all the time")


def _get(client: Any, database: str, table: _Wanted) -> Mapping[str, Any]:
    found: Mapping[str, Any] = client.get_table(DatabaseName=database, Name=table.name)["Table"]
    return found


def _write(
    client: Any,
    database: str,
    table: _Wanted,
    there: Optional[Mapping[str, Any]],
    view: Optional[str] = None,
) -> Optional[Mapping[str, Any]]:
    """Create or update a table; give it as it is now, or None where another run came between."""
    parameters = dict(table.input["Parameters"])
    kept = view or ({} if there is None else there.get("Parameters", {})).get(VIEW)
    if kept is not None:
        parameters[VIEW] = kept
    value = {**table.input, "Parameters": parameters}
    name = f"{database}.{table.name}"
    try:
        if there is None:
            client.create_table(DatabaseName=database, TableInput=value)
        else:
            known = {"VersionId": there["VersionId"]} if "VersionId" in there else {}
            client.update_table(DatabaseName=database, TableInput=value, SkipArchive=True, **known)
    except Exception as error:
        code = error_code(error)
        if code is None:
            raise
        if code in {"AlreadyExistsException", "ConcurrentModificationException"}:
            return None
    else:
        return call(lambda: _get(client, database, table), name, "reading it")
    raise CatalogError.at(name, "writing it", code)


def _pin(database: str) -> str:
    if len(database) <= 48:  # noqa: PLR2004 - a pin's name has at most 64 characters
        return f"catalog-{database}"
    return f"catalog-{database[:32]}-{hashlib.sha256(database.encode()).hexdigest()[:16]}"
