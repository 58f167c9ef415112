"""Small sources written by hand, and what is asked of every error and every store."""

from __future__ import annotations

import datetime as dt
import os
import secrets
import traceback
from collections.abc import Iterable
from pathlib import Path

import aspen_etl as ae
from aspen_etl.errors import AspenETLError

RUN = ae.Run(time=dt.datetime(2026, 1, 31, tzinfo=dt.timezone.utc), actor="me")

#: Few rows: one of them is soon more than a share.
LENIENT = ae.Thresholds(max_deleted_rows=1, max_rejected_rows=1, max_rejected_cells=1)

#: For vacuum where nobody else writes: files may go however young they are, also by a clock of
#: whole seconds.
NO_AGE = dt.timedelta(seconds=-2)

_HEADER = "id,full_name,street,city,state,zip_code,phone_home,phone_cell,email\n"


def write_borrowers(folder: Path, names: Iterable[str]) -> str:
    """Write a source of one borrower for each name, each file at once, and give its url.

    The sheet of roles never changes, so that the source as a whole is replaced atomically.
    """
    folder.mkdir(exist_ok=True)
    rows = [
        f"{100 + i},{name},{i} Elm Street,Austin,TX,7870{i},512-555-010{i},,a{i}@example.org\n"
        for i, name in enumerate(names)
    ]
    roles = folder / "role_profile.csv"
    if not roles.exists():
        _replace(roles, "borrower_id,role_profile\n100,Borrower\n")
    _replace(folder / "borrower.csv", _HEADER + "".join(rows))
    return str(folder)


def _replace(path: Path, text: str) -> None:
    aside = path.with_suffix(f".{secrets.token_hex(4)}")
    aside.write_text(text, encoding="utf-8")
    os.replace(aside, path)  # noqa: PTH105 - atomic, whatever the system


def check_ours(error: BaseException, *secret: str) -> None:
    """Make sure that an error is one of ours, alone in its traceback, and tells no secret."""
    assert isinstance(error, AspenETLError), repr(error)
    each: BaseException | None = error
    while each is not None:
        assert isinstance(each, AspenETLError), f"{each!r} stands behind {error!r}"
        each = each.__cause__ or each.__context__
    shown = "".join(traceback.format_exception(type(error), error, None))
    assert not [text for text in secret if text in shown]


def check_whole(store: ae.SnapshotStore) -> None:
    """Make sure that the newest version is whole."""
    assert store.verify().problems == ()


def names_in(store: ae.SnapshotStore) -> list[str]:
    """Give the full names of the newest version."""
    profiles = store.read().tables["user_profile"]
    return list(profiles["first_name"] + " " + profiles["last_name"])


def files_below(store: ae.SnapshotStore) -> dict[str, bytes]:
    """Read every file of a store, by its path below the store's url."""
    filesystem, root = store.place.root.filesystem, store.place.root.path.rstrip("/")
    return {
        path[path.index(root) + len(root) + 1 :]: filesystem.cat_file(path)
        for path in filesystem.find(root)
    }


def put_files(store: ae.SnapshotStore, files: dict[str, bytes]) -> None:
    """Write files below a store's url."""
    for name, data in files.items():
        place = store.place.root.child(name)
        store.place.root.filesystem.makedirs(place.path.rpartition("/")[0], exist_ok=True)
        place.filesystem.pipe_file(place.path, data)
