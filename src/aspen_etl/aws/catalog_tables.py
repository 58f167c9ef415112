"""The tables of a catalogue as they should stand, and whether one that stands there does."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Optional

from aspen_etl import Model, SnapshotStore
from aspen_etl.derive.athena import athena_create, glue_tables
from aspen_etl.derive.formats import FORMATS, FormatName
from aspen_etl.errors import CatalogError
from aspen_etl.store.commit import Commit
from aspen_etl.store.stored import Stored

__all__ = ["Held", "Wanted", "refuse_foreign", "refuse_table", "version_of", "wanted_tables"]

#: A table as Glue describes it.
Held = Mapping[str, Any]

#: The parameters of a table that are ours: the commit it was moved to, its store, its view.
VERSION, STORE, VIEW = "aspen_etl.version", "aspen_etl.store", "aspen_etl.view"


@dataclass(frozen=True)
class Wanted:
    """A table as it should stand in the catalogue.

    Attributes:
        name: Its name there.
        input: What Glue is told of it.
        view: The statement of Athena that makes the typed view over it, if it needs one.
    """

    name: str
    input: Mapping[str, Any]
    view: Optional[str]

    @property
    def digest(self) -> Optional[str]:
        """What the table says of its view, so that a view is made once."""
        if self.view is None:
            return None
        return hashlib.sha256(self.view.encode()).hexdigest()[:16]

    def differs(self, held: Held) -> bool:
        """Tell whether a table shows something else, whatever its commit's number."""
        names = self.input["Parameters"].keys() - {VERSION}
        return bool(_comparable(self.input, names) != _comparable(held, names))

    def lacks_view(self, held: Held) -> bool:
        """Tell whether the view over it has not been made."""
        return self.view is not None and _parameters(held).get(VIEW) != self.digest

    def input_over(self, held: Optional[Held], view: Optional[str]) -> dict[str, Any]:
        """Give what Glue is told, with the view that there is, or was."""
        kept = view or _parameters(held).get(VIEW)
        more = {} if kept is None else {VIEW: kept}
        return {**self.input, "Parameters": {**self.input["Parameters"], **more}}


def version_of(held: Held, /) -> int:
    """Give the commit that a table was moved to."""
    return int(_parameters(held).get(VERSION, 0))


def refuse_foreign(name: str, held: Optional[Held], url: str, /) -> None:
    """Refuse to change a table that is not of a store.

    Raises:
        CatalogError: It is not.
    """
    if held is None:
        return
    owner = _parameters(held).get(STORE)
    if owner is None:
        raise CatalogError.foreign(name, "a table of that name is there that is not ours")
    if owner != url:
        raise CatalogError.foreign(name, "the table belongs to another store")


def refuse_table(name: str, held: Optional[Held], /) -> None:
    """Refuse to make a view in the place of a table.

    Raises:
        CatalogError: There is one.
    """
    if held is not None and held.get("TableType") != "VIRTUAL_VIEW":
        raise CatalogError.foreign(name, "a table stands where the view over the CSV should be")


def wanted_tables(
    store: SnapshotStore, commit: Commit, newest: Commit, database: str, /
) -> dict[str, Wanted]:
    """Give the tables that a commit holds, by name in the model."""
    stored = {
        name: commit.tables[name].moved(newest.rewrites)
        for name in store.model.tables
        if name in commit.tables
    }
    folders = {name: _folder(store.url, name, stored.get(name)) for name in store.model.tables}
    out = {}
    for file_format in sorted({each.table_format for each in stored.values()}):
        inputs = glue_tables(
            store.model,
            location=folders,
            format=file_format,
            parameters={VERSION: str(commit.version), STORE: store.url},
        )
        views = _views(store.model, database, folders, file_format)
        for name, each in stored.items():
            if each.format == file_format:
                out[name] = Wanted(inputs[name]["Name"], inputs[name], views.get(name))
    return {name: out[name] for name in stored}


def _folder(url: str, name: str, stored: Optional[Stored]) -> str:
    """Give the folder of a table's files; one that is never written to where it has none."""
    folder = f"{name}/none" if stored is None else stored.folder(name)
    if folder is None:
        msg = "its files stand in several folders since a subject was erased"
        raise CatalogError.at(name, "finding its folder", msg)
    return f"{url}/{folder}"


def _views(
    model: Model, database: str, folders: Mapping[str, str], file_format: FormatName
) -> dict[str, str]:
    if not FORMATS[file_format].typed_view:
        return {}
    statements = athena_create(model, database=database, location=folders, format=file_format)
    return dict(zip(model.tables, statements[1::2]))


def _parameters(held: Optional[Held]) -> Mapping[str, Any]:
    return {} if held is None else held.get("Parameters", {})


def _comparable(table: Mapping[str, Any], parameters: Collection[str]) -> Any:
    storage = table["StorageDescriptor"]
    serde = storage["SerdeInfo"]
    return (
        [(each["Name"], each["Type"], each.get("Comment")) for each in storage["Columns"]],
        [storage[part] for part in ("Location", "InputFormat", "OutputFormat")],
        [serde["SerializationLibrary"], serde.get("Parameters")],
        {name: _parameters(table).get(name) for name in parameters},
    )
