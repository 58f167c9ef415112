"""Tell whether two sides are in step, across the change of shape: both are read and compared."""

from __future__ import annotations

import contextlib
import datetime as dt
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple, Optional

import numpy as np
import pandas as pd

from aspen_etl.borrower.model import BORROWER_MODEL
from aspen_etl.columns import Mask
from aspen_etl.errors import ArgumentError
from aspen_etl.io.filesystem import locate
from aspen_etl.io.reading import Reading
from aspen_etl.io.waiting import Seconds, seconds_of
from aspen_etl.schema.model import Model
from aspen_etl.schema.values import Run
from aspen_etl.store.snapshot_store import SnapshotStore
from aspen_etl.store.suppressing import suppression_of
from aspen_etl.synchronization.difference_details import Details, Naming
from aspen_etl.synchronization.holding import Comparison, compare_looks, find_held
from aspen_etl.synchronization.parts import Parts
from aspen_etl.synchronization.reconciliation import Reconciliation
from aspen_etl.synchronization.sides import (
    AnySide,
    Look,
    Looking,
    can_change,
    commit_of,
    model_of,
    store_of,
)
from aspen_etl.synchronization.spilling import Spill
from aspen_etl.synchronization.telling import tell
from aspen_etl.transform.noting import DIFFERENCES
from aspen_etl.transform.parting import can_part
from aspen_etl.transform.reconciling import explain_held
from aspen_etl.transform.suppressing import Suppression

__all__ = ["reconcile"]

#: Where a difference is, and which one it is there.
_PLACE = ("sheet", "subject", "key", "column", "kind")


def reconcile(  # noqa: PLR0913 - what a comparison is told, each by name
    source: AnySide,
    target: AnySide,
    /,
    *,
    run: Run,
    model: Optional[Model] = None,
    confirm_after: Seconds = dt.timedelta(0),
    tries: int = 2,
    details: Optional[str] = None,
    details_storage_options: Optional[Mapping[str, Any]] = None,
    secret: Optional[bytes] = None,
    suppress_secret: Optional[bytes] = None,
    read_options: Optional[Mapping[str, Any]] = None,
    tables: bool = False,
    explained_by: Optional[SnapshotStore] = None,
    max_memory: Optional[int] = None,
) -> Reconciliation:
    """Tell whether two sides hold the same, whatever shape each has.

    A side is an extract; what ``read_extract`` takes; a landing folder, which is replayed from its
    first file; tables, or a snapshot of them; a store, or a version of one as ``(store, 3)``; or
    what reads a database: an object with ``read()``, such as a ``FlatDatabase`` or a
    ``TableDatabase``, or a function. An extract is cleaned and judged as a run does it, tables are
    read back into its sheets; audit columns and keys that the library gives are not compared.

    Rows are digested (BLAKE2b, 128 bits) and summed by 4,096 buckets of the hash of the id; where
    buckets differ, their subjects are compared by row and by column. If something differs that
    nothing explains, and a side can change, both are looked at again: what is as it was is
    confirmed, what is not is in flight.

    Args:
        source: The first side: what the other one is made of, where that is so.
        target: The other one.
        run: When this is, and who does it.
        model: The model; by default that of a store or a database among the sides, else the
            one that the package ships.
        confirm_after: How long to wait before another look: seconds, or a ``timedelta``.
        tries: How many looks there are at most, at least one.
        details: A file to write the differences to one by one, with ids and values, as rejects
            have them: ``.csv`` or ``.parquet``. It must not be there yet.
        details_storage_options: What its filesystem takes.
        secret: At least 16 bytes, under which the details name subjects (an HMAC, SHA-256, as a
            store names those it leaves out) and without which nobody can guess at digests.
        suppress_secret: The secret under which a store's purged subjects are left out.
        read_options: What ``read_extract`` takes beside the model.
        tables: Whether both sides are tables that are compared as they are, keys and audit columns
            too: differences are then told by table.
        explained_by: A two-way store that stands between two databases: what differs of a subject
            whose conflict waits there is explained, as it is where a side is such a store.
        max_memory: The bytes that the process may take, about, at least 256 MiB: sides are then
            spilled to a folder of the system for temporary files, and compared some buckets at a
            time. A workbook, a landing and a function that reads are read whole before that.

    Returns:
        Counts and digests, and neither an id nor a value.

    Raises:
        NotSupportedError: The model does not say whose the rows are; the text says why.
        ArgumentError: An argument cannot be one; a store leaves subjects out, and the secret is
            missing.
        TargetExistsError: The file for details is there.
        AspenETLError: What reading a side raises, and writing the details.

    Examples:
        >>> from importlib.resources import files
        >>> from aspen_etl import normalize, read_extract
        >>> run = Run(time=dt.datetime(2026, 1, 31, tzinfo=dt.timezone.utc), actor="me")
        >>> extract = read_extract(str(files("aspen_etl") / "samples/borrowers.xlsx"))
        >>> tables = normalize(extract, run=run).tables
        >>> found = reconcile(extract, tables, run=run)
        >>> found.outcome, found.unexplained, found.explained
        ('in_step', 0, 14)
    """
    if tries < 1:
        raise ArgumentError("tries= is at least 1", problem="limit", argument="tries")
    pause = seconds_of(confirm_after, "confirm_after") or 0.0
    how = can_part(model or model_of(source, target) or BORROWER_MODEL)
    naming = Naming(secret, _store_id(source, target))
    written = None
    if details is not None:
        written = Details.at(details, details_storage_options, naming)
    among = (target, source, *filter(None, [explained_by]))
    suppression = _suppression(suppress_secret, *among)
    parts = Parts(max_memory=max_memory)
    looking = Looking(how, run, Reading.of(read_options), suppression, naming.key, tables)
    with _spilling(looking, parts) as told:
        sides = _Sides(source, target, explained_by, told, parts)
        seen = _look_until(sides, tries, pause)
    looks = ((source, seen.source), (target, seen.target))
    report = tell(looks, seen.compared, seen.in_flight, run)
    report = replace(report, looks=seen.looks, settled=seen.settled)
    if written is not None:
        report = replace(report, details=written.write(seen.found, seen.in_flight))
    return report


# ----------------------------------------------------------------------------- looking


class _Sides(NamedTuple):
    """Two sides, what stands between them, how they are looked at, and in how much memory."""

    source: AnySide
    target: AnySide
    between: Optional[SnapshotStore]
    looking: Looking
    parts: Parts


class _Seen(NamedTuple):
    """What was found at the last look."""

    source: Look
    target: Look
    compared: Comparison
    in_flight: Mask
    looks: int
    settled: int

    @property
    def found(self) -> pd.DataFrame:
        """What differed."""
        return self.compared.found


@contextlib.contextmanager
def _spilling(looking: Looking, parts: Parts) -> Iterator[Looking]:
    """Give a place to spill to, where memory is bounded: no other user sees it, and it goes."""
    if parts.max_memory is None:
        yield looking
        return
    with tempfile.TemporaryDirectory(prefix="aspen-etl-") as folder:
        yield replace(looking, spill=Spill(looking.how, looking.reading, locate(folder)))


def _look_until(sides: _Sides, tries: int, pause: float) -> _Seen:
    """Look at both sides until all that nothing explains is as it was at the look before."""
    seen = _look(sides, None)
    while seen.looks < tries and _unexplained(seen.found).any() and _can_change(sides):
        time.sleep(pause)
        seen = _look(sides, seen)
        if not seen.in_flight.any():
            break
    return seen


def _look(sides: _Sides, before: Optional[_Seen]) -> _Seen:
    one = _again(sides.source, None if before is None else before.source, sides.looking)
    two = _again(sides.target, None if before is None else before.target, sides.looking)
    compared = compare_looks(one, two, sides.looking, sides.parts)
    between = () if sides.between is None else (sides.between,)
    found = explain_held(compared.found, find_held((sides.source, sides.target, *between)))
    compared = compared._replace(found=found)
    if before is None:
        return _Seen(one, two, compared, np.zeros(len(found), dtype=bool), 1, 0)
    known, now = set(_rows(before.found, DIFFERENCES)), set(_rows(found, _PLACE))
    settled = before.settled + sum(each not in now for each in _rows(before.found, _PLACE))
    fresh = np.array([each not in known for each in _rows(found, DIFFERENCES)], dtype=bool)
    return _Seen(one, two, compared, fresh & _unexplained(found), before.looks + 1, settled)


def _again(given: AnySide, before: Optional[Look], looking: Looking) -> Look:
    return looking.look(given) if before is None or can_change(given) else before


def _rows(found: pd.DataFrame, names: Sequence[str]) -> list[tuple[Any, ...]]:
    return list(zip(*(found[name].tolist() for name in names)))


def _unexplained(found: pd.DataFrame) -> Mask:
    mask: Mask = found["why"].isna().to_numpy(dtype=bool)
    return mask


def _can_change(sides: _Sides) -> bool:
    return can_change(sides.source) or can_change(sides.target)


def _suppression(secret: Optional[bytes], *among: AnySide) -> Optional[Suppression]:
    """Give who is left out, by what the first store among some says."""
    for given in among:
        commit, store = commit_of(given), store_of(given)
        if commit is not None and store is not None:
            return suppression_of(store.place, store.newest(), secret)
    return None


def _store_id(*sides: AnySide) -> str:
    found = [commit.store for commit in map(commit_of, reversed(sides)) if commit is not None]
    return str(found[0]) if found else ""
