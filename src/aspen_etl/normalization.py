"""Normalize an extract into the tables of a model, losing nothing, and turn it back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Optional, get_args

import numpy as np
import pandas as pd

from aspen_etl.borrower.model import BORROWER_MODEL
from aspen_etl.changes import Changes, diff, part
from aspen_etl.columns import COLUMNS
from aspen_etl.columns.frames import equal_frames
from aspen_etl.columns.threads import begin
from aspen_etl.errors import NotSupportedError, ProofError
from aspen_etl.schema.evolution import conform_known
from aspen_etl.schema.model import Model
from aspen_etl.schema.snapshot import Snapshot, Tables
from aspen_etl.schema.spec import TableSpec
from aspen_etl.schema.validation import find_failures, validate_columns
from aspen_etl.schema.values import Extract, Run
from aspen_etl.transform.assembly import assemble
from aspen_etl.transform.auditing import Since
from aspen_etl.transform.cleaning import prepare
from aspen_etl.transform.judging import judge
from aspen_etl.transform.keeping import Missing, hold
from aspen_etl.transform.numbering import number, read_ahead
from aspen_etl.transform.recovery import prove, recover
from aspen_etl.transform.reporting import (
    RejectCount,
    SourceSummary,
    Summary,
    check_accounts,
    count_rejects,
    list_rejects,
    summarize_source,
)

__all__ = [
    "NormalizeResult",
    "RejectCount",
    "SourceSummary",
    "Summary",
    "denormalize",
    "normalize",
    "verify",
]


@dataclass(frozen=True, eq=False)
class NormalizeResult:
    """Hold what a run made.

    Attributes:
        snapshot: The tables and the keys given.
        rejects: What stayed out, and why: see ``docs/reference/rejects.md``.
        changes: What is inserted, updated and deleted since the snapshot before.
        summary: The counts.
    """

    snapshot: Snapshot
    rejects: pd.DataFrame = field(repr=False)
    changes: Changes = field(repr=False)
    summary: Summary = field(repr=False)

    @property
    def tables(self) -> Tables:
        """The tables of the snapshot."""
        return self.snapshot.tables

    def equals(self, other: NormalizeResult, /) -> bool:
        """Tell whether the other holds the same tables, keys and rejects."""
        return self.snapshot.equals(other.snapshot) and Tables({"rejects": self.rejects}).equals(
            Tables({"rejects": other.rejects})
        )


def normalize(
    extract: Extract,
    /,
    *,
    run: Run,
    model: Model = BORROWER_MODEL,
    previous: Optional[Snapshot] = None,
    missing: Missing = "delete",
) -> NormalizeResult:
    """Normalize an extract, and prove that every cell is in the tables or in the rejects.

    Args:
        extract: The source sheets.
        run: When this is and who does it; it is stamped on every new row.
        model: What the sheets are and what they become.
        previous: The snapshot before, of this model or of one with fewer tables and nullable
            columns: keys stay with their natural keys for good, rows that did not change keep
            their audit columns, and a row that is rejected now keeps its last good state.
        missing: Whether rows of the snapshot before that are absent from the source, with what
            refers to them, are gone (``delete``) or stay (``keep``).

    Returns:
        Tables that fit their schemas, their keys and references whole, the rejects, and counts
        in which rows read are rows accepted and rows rejected.

    Raises:
        ExtractError: A sheet or column is missing, or one has no place in the model.
        ModelFunctionError: A cleaner of the model failed; a builder of the model failed, or its
            inverse.
        ValidationError: A builder of the model made what does not fit its table.
        ProofError: A builder and its inverse do not give back what was accepted.

    Examples:
        >>> import datetime as dt
        >>> import pandas as pd
        >>> borrower = pd.DataFrame(
        ...     {"id": ["b1"], "full_name": ["Ada Degli Antoni"], "city": ["Turin"]}
        ... )
        >>> borrower = borrower.reindex(columns=list(BORROWER_MODEL.sources["borrower"].columns))
        >>> roles = pd.DataFrame({"borrower_id": ["b1"], "role_profile": ["Borrower"]})
        >>> run = Run(time=dt.datetime(2026, 1, 31, tzinfo=dt.timezone.utc), actor="me")
        >>> result = normalize(Extract(borrower=borrower, role_profile=roles), run=run)
        >>> result.rejects[["row", "column", "rule"]].to_numpy().tolist()
        [[2, 'state', 'incomplete_address'], [2, 'zip_code', 'incomplete_address']]
    """
    work = _Work(extract, model, run, previous, missing)
    del extract  # what was read is judged; where the caller let go of it, its memory is free
    snapshot, since = work.number()
    tables = snapshot.tables
    valid = begin(lambda: work.validate(tables), rows=max(map(len, tables.values())))
    failure: Optional[Exception] = None
    try:
        prove(work.accepted, tables, model)
    except Exception as error:  # noqa: BLE001 - of tables that are not valid, anything
        failure = error
    # NOTE: raised here, outside of `except`, so that no foreign text is the context of ours.
    valid()
    if failure is not None:
        raise failure
    rejects, summary = work.rejects, work.summarize(snapshot)
    check_accounts(summary, rejects)
    changes = part(tables, since, model=model)
    return NormalizeResult(snapshot, rejects, changes, summary)


class _Work:
    """Take an extract from its cells to the rows of the tables, step by step.

    Attributes:
        accepted: What goes on: the accepted rows of each sheet and the old ones that stay.
        rejects: What does not.
    """

    def __init__(
        self,
        extract: Extract,
        model: Model,
        run: Run,
        previous: Optional[Snapshot],
        missing: Missing,
    ) -> None:
        if missing not in get_args(Missing):
            msg = f"there is no missing={missing!r}; use 'delete' or 'keep'"
            raise NotSupportedError(msg, missing=missing)
        self.model, self.run, self.previous = model, run, previous
        prepared = prepare(extract, model)
        judged = judge(prepared, model)
        before = previous.tables if previous else {}
        held = hold(prepared, judged, before, model, missing)
        self.accepted = held.accepted
        # What a store had to read already is held until it is numbered.
        self._held = [*held.before.values()]
        self._has_old_rows = any((*held.kept.values(), *held.stayed.values()))
        self.rejects = list_rejects(prepared, judged, model)
        self._sources = {
            name: summarize_source(name, extract, prepared[name], judged[name], held, model)
            for name in prepared
        }
        self._counts = count_rejects(prepared, judged)

    def number(self) -> tuple[Snapshot, dict[str, Since]]:
        most = max(map(len, self.accepted.values()), default=0)
        ahead = read_ahead(self.model, self.previous, rows=most)
        found = number(
            assemble(self.accepted, self.model),
            self.model,
            self.run,
            previous=self.previous,
            ahead=ahead,
        )
        self._held = []
        return found

    def summarize(self, snapshot: Snapshot) -> Summary:
        rows = {name: len(frame) for name, frame in snapshot.tables.items()}
        return Summary(self._sources, self._counts, rows)

    def validate(self, tables: Tables) -> None:
        """Validate each table, and look at no cell again."""
        for name, table in self.model.tables.items():
            validate_columns(tables[name], table, known=self._known_columns(table))

    def _known_columns(self, table: TableSpec) -> set[str]:
        """Name the columns whose cells were looked at already, and that are the very same.

        A cell of a column with one source is judged by the length and form of the column that it
        goes to, and the proof compares the two. Cells of the snapshot before were not judged now.
        """
        if self._has_old_rows:
            return set()
        split = self.model.lineage.split[table.name]
        return {
            spec.name
            for spec in table.columns.values()
            if (spec.audit and self.previous is None)
            or (len(spec.source) == 1 and spec.source[0] not in split)
        }


def verify(
    result: NormalizeResult,
    extract: Extract,
    /,
    *,
    run: Run,
    model: Model = BORROWER_MODEL,
    previous: Optional[Snapshot] = None,
    missing: Missing = "delete",
) -> None:
    """Prove a result against the extract that it was made of, cell by cell.

    ``normalize`` proves what it gives. This proves what a result holds now: that the tables
    are whole, that they give back what was accepted, that keys, audit columns and rejects
    are those of this extract and this run.

    Args:
        result: What ``normalize`` gave.
        extract: The extract that it was given.
        run: The run that it was given.
        model: The model that it was given.
        previous: The snapshot before that it was given.
        missing: What it was told to do with absent rows.

    Raises:
        ProofError: A cell, a row or a reject is not what it must be; it names the table and
            the column.
    """
    failures = find_failures(result.tables, model=model)
    if len(failures):
        first = failures.iloc[0]
        count = int((failures[["table", "column"]] == first[["table", "column"]]).all(axis=1).sum())
        msg = f"{count} rows of {first['table']}.{first['column']} break the rule {first['rule']!r}"
        raise ProofError(msg, table=first["table"], column=first["column"], count=count)
    work = _Work(extract, model, run, previous, missing)
    expected, _ = work.number()
    for name, frame in expected.tables.items():
        _same(name, frame, result.tables[name])
    prove(work.accepted, result.tables, model)
    for name, state in expected.keys.items():
        _same(name, state.given, result.snapshot.keys[name].given)
        if state.next != result.snapshot.keys[name].next:
            column = model.tables[name].primary_key
            msg = f"the next number of {name}.{column} is not what the keys given ask for"
            raise ProofError(msg, table=name, column=column)
    _same("rejects", work.rejects, result.rejects)
    before = previous.tables if previous else {}
    if not result.changes.equals(diff(before, expected.tables, model=model)):
        msg = "the changes are not those between the snapshot before and this one"
        raise ProofError(msg, table="changes", column="")
    if work.summarize(expected) != result.summary:
        msg = "the counts of the summary are not those of this extract"
        raise ProofError(msg, table="summary", column="")


def _same(name: str, expected: pd.DataFrame, found: pd.DataFrame) -> None:
    """Compare column by column; the key comes first, so a missing row is named by it."""
    for column in expected.columns:
        one, two = expected[[column]], found[[column]] if column in found else pd.DataFrame()
        if not equal_frames(one, two):
            msg = f"{name}.{column} is not what this extract and this run give"
            raise ProofError(msg, table=name, column=column)


def denormalize(tables: Mapping[str, pd.DataFrame], /, *, model: Model = BORROWER_MODEL) -> Extract:
    """Turn tables back into the sheets that they were made of, clean and in order of their keys.

    Args:
        tables: The tables, whole.
        model: The model that they were made with.

    Returns:
        The extract that ``normalize`` accepted: what was read, cleaned, less what was rejected.

    Raises:
        ProofError: The tables do not hold together; it names table and column.
    """
    held = {name: conform_known(tables[name], table) for name, table in model.tables.items()}
    sheets = recover(held, model)
    return Extract.from_frames({name: _named(name, sheets, model) for name in model.sources})


def _named(name: str, sheets: Mapping[str, pd.DataFrame], model: Model) -> pd.DataFrame:
    """Put the key of the sheet referred to where its row number stands."""
    frame = sheets[name]
    for column, parent in model.lineage.sources[name].references.items():
        key = _named(parent, sheets, model)[model.lineage.sources[parent].key[0]]
        frame = frame.assign(**{column: COLUMNS.take(key, frame[column].to_numpy(dtype=np.int64))})
    return frame
