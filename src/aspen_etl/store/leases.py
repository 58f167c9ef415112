"""Leases: of runs that would do the same, such as those of one side, one goes and the others end.

A lease is a file with a number, made exclusively, as a commit is: whoever finds the newest given
back, or over, makes the next number. So nobody has to delete a file that may be another's by now.
Whether one is over is told by the storage's clock alone, since those of two machines differ.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import re
import secrets
import time
from dataclasses import dataclass
from typing import Optional

from aspen_etl.errors import (
    AspenETLError,
    CorruptStoreError,
    NotSupportedError,
    ReadError,
    SourceAccessError,
    SourceNotFoundError,
    WriteError,
)
from aspen_etl.io.calling import attempt
from aspen_etl.io.content import modified_time
from aspen_etl.io.filesystem import Location
from aspen_etl.io.small_files import SMALL, read_state
from aspen_etl.io.waiting import Seconds, seconds_of
from aspen_etl.io.writing import delete, make_folder, put
from aspen_etl.store.commit_log import CommitLog
from aspen_etl.store.listing import list_names
from aspen_etl.store.sealing import sealed

__all__ = ["LONGEST", "Lease", "end_lease", "take_lease"]

#: The longest that a lease is given for, in seconds; one that cannot be read counts as such.
LONGEST = 86_400

_FOLDER = "_aspen/leases"
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}\Z")
_NUMBER = re.compile(r"([0-9]{20})\.json\Z")

#: How often a write is looked for of which the storage did not say what became of it.
_TRIES, _WAIT_SECONDS = 5, 0.05


@dataclass(frozen=True)
class Lease:
    """A lease that is ours.

    Attributes:
        place: Its file.
        token: What tells it from one that another made.
    """

    place: Location
    token: str


def take_lease(log: CommitLog, name: str, seconds: Seconds, /) -> Optional[Lease]:
    """Take a lease; none where another one holds it.

    Args:
        log: The commits of the store, which say how its storage makes files.
        name: What is leased.
        seconds: For how long, if nobody gives it back.

    Raises:
        NotSupportedError: It is no name; or the storage is not known to create exclusively.
        ArgumentError: The time cannot be one.
        SourceAccessError: The storage refuses.
        WriteError: It failed.
    """
    if not _NAME.match(name):
        msg = f"{name!r} is no name for a lease: use up to 64 letters, digits, and any of _.-"
        raise NotSupportedError(msg, name=name)
    span = min(seconds_of(seconds, "seconds") or 0.0, LONGEST)
    log.identity()  # it refuses a storage on which two could make the same file
    folder = log.root.child(f"{_FOLDER}/{name}")
    make_folder(folder)
    numbers = _numbers(folder)
    newest = max(numbers, default=0)
    if newest and not _is_over(folder, newest):
        return None
    mine = Lease(_file(folder, newest + 1), secrets.token_hex(8))
    if not _make(log, mine, _words(mine.token, span, ended=False)):
        return None
    # NOTE: the newest may have been taken, given back and swept away since it was looked for;
    # then the number was free, and there is a newer one, which is never swept away.
    if max(_numbers(folder), default=0) != newest + 1:
        return None
    _sweep(folder, numbers)
    return mine


def end_lease(lease: Lease, /) -> None:
    """Give a lease back; where that fails, it is over in its time."""
    # Where it was over, and another one has the next number, this changes nothing.
    with contextlib.suppress(SourceAccessError, WriteError):
        put(lease.place, _words(lease.token, 0.0, ended=True))


def _make(log: CommitLog, lease: Lease, data: bytes) -> bool:
    for number in range(_TRIES):
        created = log.create(lease.place, data)
        found = data if created == "made" else _read(lease.place)
        if found is not None:
            return found == data
        time.sleep(_WAIT_SECONDS * 2**number)
    raise ReadError.at(lease.place.url, "no answer")


def _is_over(folder: Location, number: int) -> bool:
    """Tell whether a lease was given back, or has lasted for its time by the storage's clock."""
    from aspen_etl.store.documents import LeaseNote, read_if_whole

    place = _file(folder, number)
    data = _read(place)
    if data is None:  # swept away: there is a newer one
        return False
    found = read_if_whole(LeaseNote, data)
    if found is not None and found.ended:
        return True
    since, now = _time_of(place), _now(folder)
    if since is None or now is None:
        return False
    span = LONGEST if found is None else min(found.seconds, LONGEST)
    return now >= since + dt.timedelta(seconds=span)


def _now(folder: Location) -> Optional[dt.datetime]:
    """Ask the storage what time it is, by a file that it has just taken."""
    place = folder.child("clock.json")
    put(place, b"{}\n")
    return _time_of(place)


def _time_of(place: Location) -> Optional[dt.datetime]:
    try:
        return modified_time(attempt(place.url, lambda: place.filesystem.info(place.path)))
    except SourceNotFoundError:
        return None


def _read(place: Location) -> Optional[bytes]:
    try:
        return read_state(place, SMALL)
    except SourceNotFoundError:
        return None
    except CorruptStoreError:
        return b""


def _sweep(folder: Location, numbers: set[int]) -> None:
    """Take away older leases, if that is allowed."""
    with contextlib.suppress(AspenETLError):
        for number in sorted(numbers):
            delete(_file(folder, number))


def _numbers(folder: Location) -> set[int]:
    found = (_NUMBER.match(name) for name in list_names(folder))
    return {int(match[1]) for match in found if match}


def _file(folder: Location, number: int) -> Location:
    return folder.child(f"{number:020d}.json")


def _words(token: str, seconds: float, *, ended: bool) -> bytes:
    return sealed({"token": token, "seconds": seconds, "ended": ended})
