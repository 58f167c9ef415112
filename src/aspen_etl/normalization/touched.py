"""Normalize the subjects that changed and nobody else, with the result of a run over all."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Union

import pandas as pd

from aspen_etl.borrower.model import BORROWER_MODEL
from aspen_etl.changes import Changes, apply_changes
from aspen_etl.columns.rows import find_rows
from aspen_etl.columns.text import conform_text
from aspen_etl.errors import ArgumentError, ProofError
from aspen_etl.errors.base import instead
from aspen_etl.normalization.whole import NormalizeResult, conclude
from aspen_etl.schema.model import Model
from aspen_etl.schema.previous import Previous, previous_of
from aspen_etl.schema.snapshot import Snapshot, Tables
from aspen_etl.schema.types import TYPES
from aspen_etl.schema.values import Extract, Run
from aspen_etl.transform.accepting import settle
from aspen_etl.transform.keeping import Missing
from aspen_etl.transform.keys import PartedKeys, Retired, TableKeys, key_columns
from aspen_etl.transform.parting import Partitioning, can_part
from aspen_etl.transform.reporting import Summary
from aspen_etl.transform.touching import Partly, WholeTables, take_touched

__all__ = ["TouchedResult", "normalize_touched"]


@dataclass(frozen=True, eq=False)
class TouchedResult:
    """Hold what a run over some subjects made.

    Attributes:
        changes: What is inserted, updated and deleted, in the tables of all.
        keys: By table whose keys are given, the next number and the retired keys, of all.
        rejects: The rejects of the touched.
        summary: The counts of their rows; those of tables are of all.
        stayed: By sheet, of whom each of their rows is that stays although it is absent.
    """

    changes: Changes
    keys: Mapping[str, Retired] = field(repr=False)
    rejects: pd.DataFrame = field(repr=False)
    summary: Summary = field(repr=False)
    stayed: Mapping[str, pd.Series] = field(default_factory=dict, repr=False)

    def apply(self, before: Snapshot, /, run: Run) -> Snapshot:
        """Give the snapshot of all after the run.

        Args:
            before: The snapshot that the run was given.
            run: When it was.
        """
        tables = apply_changes(self.changes, before.tables)
        keys = {}
        for name, found in self.keys.items():
            table = self.changes[name].table
            in_use = tables[name][list(key_columns(table))]
            keys[name] = TableKeys(table, found.next, PartedKeys(in_use, found.keys))
        time = run.time if before.time is None else max(run.time, before.time)
        return Snapshot(Tables(dict(tables)), keys, time)


def normalize_touched(
    extract: Extract,
    subjects: Collection[str],
    /,
    *,
    run: Run,
    model: Model = BORROWER_MODEL,
    previous: Union[Snapshot, Previous, Partly],
    missing: Missing = "delete",
) -> TouchedResult:
    """Normalize some subjects alone, where it is known that no other one changed.

    A subject is a row of the one sheet that refers to no other, with all that refers to it. Touched
    are those of which a row is new, gone or other than in the run before, those that had a reject
    then. Everybody else was accepted as a whole and stays as before, with ``missing="keep"`` those
    who were absent, too. One who is touched and did not change comes out as before; one who
    changed and is not named stays as before, so name too many rather than too few.

    Args:
        extract: All rows of the touched, under the numbers that their sheets give them, and the
            rows that name no subject; no row of anybody else.
        subjects: What they are known by, as it stands clean in the sheets; those who are gone
            among them.
        run: When this is and who does it.
        model: What the sheets are and what they become.
        previous: What was before.
        missing: What becomes of rows of the touched that are absent now.

    Raises:
        NotSupportedError: The model cannot be parted; the text says why.
        ArgumentError: A subject's key is no key.
        ProofError: The extract has rows of others, or a cleaner does not go row by row.
        AspenETLError: What ``normalize`` raises.

    Examples:
        >>> import datetime as dt
        >>> columns = list(BORROWER_MODEL.sources["borrower"].columns)
        >>> rows = pd.DataFrame({"id": ["b1", "b2"], "full_name": ["Ada Lee", "Bo Lee"]})
        >>> roles = pd.DataFrame({"borrower_id": [], "role_profile": []}, dtype=str)
        >>> first = Extract(borrower=rows.reindex(columns=columns), role_profile=roles)
        >>> run = Run(time=dt.datetime(2026, 1, 31, tzinfo=dt.timezone.utc), actor="me")
        >>> from aspen_etl import normalize
        >>> before = normalize(first, run=run).snapshot
        >>> wed = pd.DataFrame({"id": ["b2"], "full_name": ["Bo Roe"]}, index=[3])
        >>> change = Extract(borrower=wed.reindex(columns=columns), role_profile=roles)
        >>> normalize_touched(change, ["b2"], run=run, previous=before).changes[
        ...     "user_profile"
        ... ].counts
        {'inserted': 0, 'updated': 1, 'deleted': 0}
    """
    how = can_part(model)
    keys = read_subjects(subjects, how)
    before = _in_part(previous, model)
    touched = take_touched(before, keys, how)
    then = previous_of(touched.snapshot)
    settled = settle(extract, model, then, missing)
    result = conclude(settled, model, then, run)
    _check_subjects(result, keys, how)
    retired = {
        name: touched.retire(state, result.tables[name], model.tables[name])
        for name, state in result.snapshot.keys.items()
    }
    summary = replace(result.summary, tables=_count(result.changes, before))
    return TouchedResult(result.changes, retired, result.rejects, summary, settled.stayed)


def _in_part(previous: Union[Snapshot, Previous, Partly], model: Model) -> Partly:
    if isinstance(previous, (Snapshot, Previous)):
        return WholeTables(previous_of(previous), model.tables)
    return previous


def read_subjects(subjects: Collection[str], how: Partitioning, /) -> pd.Series:
    """Give the keys of subjects as values of their type, each once, in order.

    Raises:
        ArgumentError: One is no key.
    """
    spec = replace(how.key, nullable=False)
    texts = conform_text(pd.Series(sorted(set(subjects)), dtype=object))

    def explain(_: Exception) -> ArgumentError:
        msg = f"a subject is no {spec.type}; give keys of {how.root!r} in canonical form"
        return ArgumentError(msg, problem="subjects")

    return instead(lambda: TYPES[spec.type].parse(texts, spec), ValueError, explain)


def _check_subjects(result: NormalizeResult, keys: pd.Series, how: Partitioning) -> None:
    """Make sure that what was made is of the touched."""
    for name, owner in how.owners.items():
        if owner.table is None:
            values = result.tables[name][owner.column]
            count = int((find_rows([values], [keys]) < 0).sum())
            if count:
                msg = (
                    f"{count} rows of {name!r} are of subjects that are not named as touched; "
                    "nothing may be committed: give the rows of the touched alone, and name each"
                )
                raise ProofError(msg, table=name, column=owner.column, count=count)


def _count(changes: Changes, before: Partly) -> dict[str, int]:
    """Count the rows of each table, of all."""
    held = {name: len(before.rows(name)) for name in before.names}
    return {
        name: held.get(name, 0) + len(found.inserted) - len(found.deleted)
        for name, found in changes.items()
    }
