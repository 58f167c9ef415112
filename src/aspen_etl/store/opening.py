"""A table of a commit that is read and written in part, where its file allows that."""

from __future__ import annotations

from functools import partial
from typing import Optional

from aspen_etl.derive.formats import FormatName
from aspen_etl.io.codecs import CODECS
from aspen_etl.schema.evolution import complete_table, describe_tables
from aspen_etl.schema.spec import TableSpec
from aspen_etl.store.commit import Commit
from aspen_etl.store.frames import decode_checked, read_bytes
from aspen_etl.store.held_tables import FrameTable, HeldTable
from aspen_etl.store.line_tables import find_lines
from aspen_etl.store.place import Place
from aspen_etl.store.reading import read_stored
from aspen_etl.store.stored import Stored

__all__ = ["open_table"]


def open_table(place: Place, commit: Commit, newest: Commit, /, name: str) -> HeldTable:
    """Open a table of a commit: its bytes are read once, and checked.

    Args:
        place: The store.
        commit: A commit that its model can continue, as ``Place.check_model`` tells.
        newest: The newest commit.
        name: A table of the model; one that the commit does not hold is empty.

    Returns:
        The table as the model has it now, which is written after changes in the format of what
        goes on from this commit. It is not parsed as a whole where its one file is of that
        format, whose rows stand for themselves, and of the very columns of the model.

    Raises:
        SourceNotFoundError: A file is not there.
        SourceAccessError: The storage refuses.
        ReadError: The storage fails.
        CorruptStoreError: A file is not what was written, also where it is parsed later.
    """
    table, file_format = place.model.tables[name], place.format_after(commit)
    if name not in commit.tables:
        return FrameTable(complete_table(None, table), table, file_format)
    stored = commit.tables[name].moved(newest.rewrites)
    is_as_now = commit.model.get(name) == describe_tables(place.model)[name]
    if is_as_now and stored.format == file_format and stored.columns == tuple(table.columns):
        found = _open_file(place, stored, table, file_format)
        if found is not None:
            return found
    return FrameTable(read_stored(place, stored, table.columns), table, file_format)


def _open_file(
    place: Place, stored: Stored, table: TableSpec, file_format: FormatName
) -> Optional[HeldTable]:
    """Open a table of one file by its rows, if they stand for themselves in its format."""
    if len(stored.files) != 1 or CODECS[file_format].bounds is None:
        return None
    (file,) = stored.files
    location = place.root_of(stored).child(file.path)
    data = read_bytes(location, file)
    decode = partial(decode_checked, file_format=file_format, url=location.url)
    found = find_lines(data, table, file_format, decode)
    if found is not None and len(found) == file.rows:
        return found
    return FrameTable(decode(data, table.columns), table, file_format)
