"""What the newest refused run left: its figures in the store, its rejects where rejects go.

It is no commit. The two files have fixed names, so that a refused run replaces what the one before
it left, also where a run may delete nothing; the next run that is not refused takes both away.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Optional

import pandas as pd

from aspen_etl.columns.handing import handed
from aspen_etl.errors import (
    CorruptFileError,
    CorruptStoreError,
    NotSupportedError,
    SourceNotFoundError,
)
from aspen_etl.errors.base import instead
from aspen_etl.io.calling import attempt
from aspen_etl.io.codecs import decode, encode
from aspen_etl.io.filesystem import Location
from aspen_etl.io.small_files import read_small, take_away, write_words
from aspen_etl.io.writing import make_folder, put
from aspen_etl.schema.rejects import WRITTEN, columns_as_named, rename
from aspen_etl.schema.snapshot import REJECTS
from aspen_etl.store.commit import STRICT
from aspen_etl.store.frames import checksum, empty, read_bytes
from aspen_etl.store.stored import StoredFile

__all__ = [
    "RefusedRun",
    "check_reachable",
    "forget_old_refused",
    "forget_refused",
    "keep_refused",
    "purge_refused",
    "read_refused",
    "read_refused_rejects",
]

_FIGURES, _REJECTS = "_aspen/refused/run.json", "_aspen/refused/rejects.csv"
_NO_LIMIT = 2**62


@dataclass(frozen=True)
class RefusedRun:
    """Tell of a run that broke a limit; it holds no cell value.

    Attributes:
        time: When it was, in ISO form.
        actor: Who ran it.
        version: The version that it was held against, 0 for none.
        error: The name of the error that it raised.
        refusals: The limits that it broke, with figure and parameter.
        sources: The rows of each sheet: read, accepted and rejected.
        rejects: How many rejects there are, by sheet, column, rule and scope.
        place: The file of its rejects, without anything secret in its url.
        elsewhere: Whether that is below ``rejects_url``.
        file: What the file holds.
    """

    __pydantic_config__ = STRICT

    time: str
    actor: str
    version: int
    error: str
    refusals: tuple[str, ...]
    sources: Mapping[str, Mapping[str, int]]
    rejects: tuple[Mapping[str, Any], ...]
    place: str = ""
    elsewhere: bool = False
    file: StoredFile = field(default=StoredFile(_REJECTS, 0, 0, ""), repr=False)

    def to_dict(self) -> dict[str, Any]:
        """Give plain values, ready for JSON."""
        return asdict(self)


def keep_refused(
    root: Location, rejects_root: Optional[Location], refused: RefusedRun, rejects: pd.DataFrame, /
) -> RefusedRun:
    """Write what a refused run leaves, in the place of what the one before it left.

    The figures go first: whatever holds rejects is known to those who erase.

    Raises:
        SourceAccessError: The storage refuses.
        WriteError: The storage failed.
    """
    data = encode(rejects, REJECTS, "csv")
    home = root if rejects_root is None else rejects_root
    refused = replace(
        refused,
        place=home.child(_REJECTS).url,
        elsewhere=rejects_root is not None,
        file=_describe(data, len(rejects)),
    )
    before = read_refused(root)
    if before is not None and before.elsewhere != refused.elsewhere:
        forget_refused(root, rejects_root)
    write_words(root.child(_FIGURES), refused.to_dict())
    make_folder(home.child(_REJECTS.rpartition("/")[0]))
    put(home.child(_REJECTS), data)
    return refused


def _describe(data: bytes, rows: int) -> StoredFile:
    return StoredFile(_REJECTS, len(data), rows, checksum(data))


def read_refused(root: Location, /) -> Optional[RefusedRun]:
    """Read the figures of the newest refused run; none where no run was refused since."""
    from aspen_etl.store.documents import read_if_whole

    data = read_small(root.child(_FIGURES))
    found = None if data is None else read_if_whole(RefusedRun, data)
    if found is None or not _has_zone(found.time):
        return None
    return replace(found, file=replace(found.file, path=_REJECTS))


def _has_zone(time: str) -> bool:
    try:
        return dt.datetime.fromisoformat(time).utcoffset() is not None
    except ValueError:
        return False


def read_refused_rejects(root: Location, rejects_root: Optional[Location], /) -> pd.DataFrame:
    """Read the rejects of the newest refused run, checked; none where no run was refused since.

    Raises:
        NotSupportedError: They are elsewhere, and no ``rejects_url`` was given.
        SourceNotFoundError: They are gone.
        CorruptStoreError: The file is damaged, or of another run that was refused meanwhile.
    """
    refused = read_refused(root)
    if refused is None:
        return handed(empty(REJECTS))
    place = _home(root, rejects_root, refused).child(_REJECTS)
    data = read_bytes(place, refused.file)
    return instead(
        lambda: handed(rename(_decode(data, place))),
        CorruptFileError,
        lambda error: CorruptStoreError.at(place.url, str(error)),
    )


def _decode(data: bytes, place: Location) -> pd.DataFrame:
    """Read rejects under the names that their columns have in the file."""
    heads = {(",".join(names) + "\n").encode(): names for names in WRITTEN}
    names = next((held for head, held in heads.items() if data.startswith(head)), WRITTEN[0])
    return decode(data, columns_as_named(names), "csv", url=place.url)


def check_reachable(root: Location, rejects_root: Optional[Location], /) -> None:
    """Make sure that the rejects of the newest refused run are where this store looks.

    Raises:
        NotSupportedError: They are elsewhere, and no ``rejects_url`` was given.
    """
    refused = read_refused(root)
    if refused is not None:
        _home(root, rejects_root, refused)


def _home(root: Location, rejects_root: Optional[Location], refused: RefusedRun) -> Location:
    if not refused.elsewhere:
        return root
    if rejects_root is None:
        msg = (
            f"the rejects of the refused run of {refused.time} are at {refused.place}; give "
            "rejects_url= (--rejects-url)"
        )
        raise NotSupportedError(msg, url=root.url, place=refused.place)
    return rejects_root


def forget_refused(root: Location, rejects_root: Optional[Location], /) -> int:
    """Take away what the newest refused run left, the rejects first.

    Returns:
        The bytes that went.

    Raises:
        NotSupportedError: The rejects are elsewhere, and no ``rejects_url`` was given.
        SourceAccessError: The storage refuses.
        WriteError: The storage failed.
    """
    refused = read_refused(root)
    if refused is None:
        return 0
    take_away(_home(root, rejects_root, refused).child(_REJECTS))
    take_away(root.child(_FIGURES))
    return refused.file.bytes


def forget_old_refused(
    root: Location, rejects_root: Optional[Location], before: dt.datetime, /
) -> list[int]:
    """Take away what a refused run left before a time, and rejects whose figures are lost.

    Args:
        root: The store's place.
        rejects_root: The place of the rejects, if it is another one and the store's own.
        before: The time.

    Returns:
        The bytes of each file that went.
    """
    refused = read_refused(root)
    if refused is not None:
        old = dt.datetime.fromisoformat(refused.time) < before
        reachable = not refused.elsewhere or rejects_root is not None
        return [forget_refused(root, rejects_root)] if old and reachable else []
    places = [home.child(_REJECTS) for home in (root, rejects_root) if home is not None]
    places = [place for place in (*places, root.child(_FIGURES)) if place.kind() == "file"]
    return [_take_away(place) for place in places]


def _take_away(place: Location) -> int:
    info = attempt(place.url, lambda: place.filesystem.info(place.path))
    take_away(place)
    return int(info["size"])


def purge_refused(
    root: Location,
    rejects_root: Optional[Location],
    judge: Callable[[pd.DataFrame], Any],
    /,
) -> int:
    """Write the rejects of the newest refused run anew without some rows.

    Args:
        root: The store's place.
        rejects_root: The place of the rejects, if it is another one.
        judge: Tells which rows go, as a mask.

    Returns:
        How many rows went.
    """
    refused = read_refused(root)
    homes = [root] if rejects_root is None else [root, rejects_root]
    return sum(_purge(root, home, refused, judge) for home in homes)


def _purge(
    root: Location,
    home: Location,
    refused: Optional[RefusedRun],
    judge: Callable[[pd.DataFrame], Any],
) -> int:
    place = home.child(_REJECTS)
    try:
        frame = rename(_decode(place.read(_NO_LIMIT), place))
    except SourceNotFoundError:
        return 0
    except CorruptFileError:  # of whom it tells cannot be known
        take_away(place)
        return 0
    gone = judge(frame)
    if not gone.any():
        return 0
    left = frame[~gone].reset_index(drop=True)
    data = encode(left, REJECTS, "csv")
    if refused is not None and refused.place == place.url:
        write_words(
            root.child(_FIGURES), replace(refused, file=_describe(data, len(left))).to_dict()
        )
    put(place, data)
    return int(gone.sum())
