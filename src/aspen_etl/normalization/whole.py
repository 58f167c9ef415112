"""Normalize an extract into the tables of a model, losing nothing, and turn it back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Union

import pandas as pd

from aspen_etl.borrower.model import BORROWER_MODEL
from aspen_etl.changes import Changes, diff, part
from aspen_etl.columns.frames import equal_frames, held_frames
from aspen_etl.columns.handing import handed
from aspen_etl.errors import ProofError
from aspen_etl.schema.evolution import conform_known
from aspen_etl.schema.model import Model
from aspen_etl.schema.previous import Previous, previous_of
from aspen_etl.schema.snapshot import Snapshot, Tables
from aspen_etl.schema.validation import find_failures
from aspen_etl.schema.values import Extract, Run
from aspen_etl.transform.accepting import Settled, check, settle
from aspen_etl.transform.assembly import assemble
from aspen_etl.transform.keeping import Missing
from aspen_etl.transform.naming import name_references
from aspen_etl.transform.numbering import number
from aspen_etl.transform.recovery import prove, recover
from aspen_etl.transform.reporting import RejectCount, SourceSummary, Summary

__all__ = [
    "NormalizeResult",
    "RejectCount",
    "SourceSummary",
    "Summary",
    "conclude",
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
    previous: Union[Snapshot, Previous, None] = None,
    missing: Missing = "delete",
) -> NormalizeResult:
    """Normalize an extract, and prove that every cell is in the tables or in the rejects.

    Args:
        extract: The source sheets.
        run: When this is and who does it; it is stamped on every new row.
        model: What the sheets are and what they become.
        previous: The snapshot before, or what reads one table by table, of this model or of one
            with fewer tables and nullable columns: keys stay with their natural keys for good,
            rows that did not change keep their audit columns, and a row that is rejected now keeps
            its last good state.
        missing: Whether rows of the snapshot before that are absent from the source, with what
            refers to them, are gone (``delete``) or stay (``keep``).

    Returns:
        Tables that fit their schemas, their keys and references whole, the rejects, and counts
        in which rows read are rows accepted and rows rejected.

    Raises:
        ExtractError: A sheet or column is missing, or one has no place in the model.
        ModelFunctionError: A cleaner of the model failed, or a builder, its inverse, or a rule.
        ValidationError: A builder of the model made what does not fit its table.
        ProofError: A builder and its inverse do not give back what was accepted.
        AspenETLError: What ``previous`` raises where a table of it cannot be read.

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
    before = previous_of(previous)
    settled = settle(extract, model, before, missing)
    return conclude(settled, model, before, run)


def conclude(settled: Settled, model: Model, before: Previous, run: Run, /) -> NormalizeResult:
    """Make the tables of what ``settle`` gave, and prove them: the second half of ``normalize``.

    Who settles first and concludes then need not hold what was read while tables are made.

    Args:
        settled: The accepted rows, the rejects and the counts.
        model: What the sheets are and what they become.
        before: What was there before, as ``settle`` was given it.
        run: When this is and who does it.

    Raises:
        AspenETLError: What ``normalize`` raises of builders, tables, and of what was before.
    """
    numbered = number(assemble(settled.accepted, model), model, before, run)
    snapshot = numbered.snapshot
    check(settled, snapshot.tables, model)
    summary = settled.summary(snapshot.tables)
    return NormalizeResult(snapshot, handed(settled.rejects), part(numbered, model), summary)


def verify(
    result: NormalizeResult,
    extract: Extract,
    /,
    *,
    run: Run,
    model: Model = BORROWER_MODEL,
    previous: Union[Snapshot, Previous, None] = None,
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
        many = int((failures[["table", "column"]] == first[["table", "column"]]).all(axis=1).sum())
        msg = f"{many} rows of {first['table']}.{first['column']} break the rule {first['rule']!r}"
        raise ProofError(msg, table=first["table"], column=first["column"], count=many)
    before = previous_of(previous)
    settled = settle(extract, model, before, missing)
    expected = number(assemble(settled.accepted, model), model, before, run).snapshot
    held = held_frames(result.tables)
    for name, frame in held_frames(expected.tables).items():
        _same(name, frame, held[name])
    prove(settled.accepted, held, model)
    for name, state in expected.keys.items():
        _same(name, state.given, result.snapshot.keys[name].given)
        if state.next != result.snapshot.keys[name].next:
            column = model.tables[name].primary_key
            msg = f"the next number of {name}.{column} is not what the keys given ask for"
            raise ProofError(msg, table=name, column=column)
    _same("rejects", settled.rejects, result.rejects)
    old = {name: before.table(name) for name in before.names}
    if not result.changes.equals(diff(old, expected.tables, model=model)):
        msg = "the changes are not those between the snapshot before and this one"
        raise ProofError(msg, table="changes", column="")
    if settled.summary(expected.tables) != result.summary:
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
        Keys are in order as text, ``10`` before ``9``; those of tables are by value.

    Raises:
        ProofError: The tables do not hold together; it names table and column.
    """
    given = held_frames(tables)
    held = {name: conform_known(given[name], table) for name, table in model.tables.items()}
    return Extract.from_frames(name_references(recover(held, model), model))
