"""Normalize an extract into the tables of a model, losing nothing, and turn it back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Optional

import numpy as np
import pandas as pd

from aspen_etl.errors import NotSupportedError, ProofError
from aspen_etl.schema.frames import Extract, Run, Snapshot, Tables, equal_frames
from aspen_etl.schema.model import Model
from aspen_etl.schema.validation import find_failures, validate_columns
from aspen_etl.transform import kernels
from aspen_etl.transform.assembly import assemble
from aspen_etl.transform.borrower import BORROWER_MODEL
from aspen_etl.transform.numbering import number
from aspen_etl.transform.preparation import Prepared, prepare
from aspen_etl.transform.proof import prove
from aspen_etl.transform.recovery import recover
from aspen_etl.transform.rejection import Judged, judge
from aspen_etl.transform.rejects import list_rejects

__all__ = [
    "NormalizeResult",
    "RejectCount",
    "SourceSummary",
    "Summary",
    "denormalize",
    "normalize",
    "verify",
]


@dataclass(frozen=True)
class SourceSummary:
    """Count what became of one sheet.

    Attributes:
        rows: Rows read, blank ones not counted; always ``accepted + rejected``.
        blank: Blank rows, which were passed over.
        accepted: Rows that are in the tables.
        rejected: Rows that stayed out as a whole.
        repairs: Cells that a cleaner changed beyond white space, by column.
        notes: What the reader noticed, such as hidden rows.
    """

    rows: int
    blank: int
    accepted: int
    rejected: int
    repairs: Mapping[str, int] = field(default_factory=dict)
    notes: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class RejectCount:
    """Count the rejects of one column by one rule."""

    source: str
    column: str
    rule: str
    scope: str
    count: int


@dataclass(frozen=True)
class Summary:
    """Count what a run read, wrote, repaired and rejected; it holds no cell value.

    Attributes:
        sources: By sheet.
        rejects: By sheet, column and rule.
        tables: The rows of each table.
    """

    sources: Mapping[str, SourceSummary]
    rejects: tuple[RejectCount, ...]
    tables: Mapping[str, int]

    def to_dict(self) -> dict[str, Any]:
        """Give plain values, ready for JSON."""
        return asdict(self)


@dataclass(frozen=True, eq=False)
class NormalizeResult:
    """Hold what a run made.

    Attributes:
        snapshot: The tables and the keys given.
        rejects: What stayed out, and why: see ``docs/reference/rejects.md``.
        summary: The counts.
    """

    snapshot: Snapshot
    rejects: pd.DataFrame = field(repr=False)
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
) -> NormalizeResult:
    """Normalize an extract, and prove that every cell is in the tables or in the rejects.

    Args:
        extract: The source sheets.
        run: When this is and who does it; it is stamped on every new row.
        model: What the sheets are and what they become.
        previous: Not offered yet: each run makes its tables anew.

    Returns:
        Tables that fit their schemas, their keys and references whole, the rejects, and counts
        in which rows read are rows accepted and rows rejected.

    Raises:
        ExtractError: A sheet or column is missing, or one has no place in the model.
        CleanerError: A cleaner of the model failed.
        BuilderError: A builder of the model failed, or its inverse.
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
    if previous is not None:
        msg = "normalize does not take a previous snapshot yet; call it without previous="
        raise NotSupportedError(msg)
    prepared = prepare(extract, model)
    judged = judge(prepared, model)
    accepted = {name: found.accepted for name, found in judged.items()}
    snapshot = number(assemble(accepted, model), model, run)
    for table in model.tables.values():
        validate_columns(snapshot.tables[table.name], table)
    prove(accepted, snapshot.tables, model)
    rejects = list_rejects(prepared, judged, model)
    summary = _summarize(extract, prepared, judged, snapshot)
    _account(summary, rejects)
    return NormalizeResult(snapshot, rejects, summary)


def verify(
    result: NormalizeResult, extract: Extract, /, *, run: Run, model: Model = BORROWER_MODEL
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
    prepared = prepare(extract, model)
    judged = judge(prepared, model)
    accepted = {name: found.accepted for name, found in judged.items()}
    expected = number(assemble(accepted, model), model, run)
    for name, frame in expected.tables.items():
        _same(name, frame, result.tables[name])
    prove(accepted, result.tables, model)
    for name, state in expected.keys.items():
        _same(name, state.given, result.snapshot.keys[name].given)
        if state.next != result.snapshot.keys[name].next:
            column = model.tables[name].primary_key
            msg = f"the next number of {name}.{column} is not what the keys given ask for"
            raise ProofError(msg, table=name, column=column)
    _same("rejects", list_rejects(prepared, judged, model), result.rejects)
    if _summarize(extract, prepared, judged, expected) != result.summary:
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
    sheets = recover(tables, model)
    return Extract.from_frames({name: _named(name, sheets, model) for name in model.sources})


def _named(name: str, sheets: Mapping[str, pd.DataFrame], model: Model) -> pd.DataFrame:
    """Put the key of the sheet referred to where its row number stands."""
    frame = sheets[name]
    for column, parent in model.lineage.sources[name].references.items():
        key = _named(parent, sheets, model)[model.lineage.sources[parent].key[0]]
        frame = frame.assign(**{column: kernels.take(key, frame[column].to_numpy(dtype=np.int64))})
    return frame


# ----------------------------------------------------------------------------- accounts


def _summarize(
    extract: Extract,
    prepared: Mapping[str, Prepared],
    judged: Mapping[str, Judged],
    snapshot: Snapshot,
) -> Summary:
    sources = {
        name: SourceSummary(
            rows=len(found.rows),
            blank=found.blank,
            accepted=len(judged[name].accepted),
            rejected=int(judged[name].rejected_rows.sum()),
            repairs=dict(found.repairs),
            notes=dict(extract.notes.get(name, {})),
        )
        for name, found in prepared.items()
    }
    counts: Counter[tuple[str, str, str, str]] = Counter()
    for name, found in judged.items():
        places = list(prepared[name].raw.columns)
        for fault in sorted(found.faults, key=lambda f: (places.index(f.column), f.rule)):
            counts[fault.source, fault.column, fault.rule, fault.scope] += len(fault.positions)
    rejects = tuple(RejectCount(*where, count) for where, count in counts.items())
    return Summary(sources, rejects, {name: len(frame) for name, frame in snapshot.tables.items()})


def _account(summary: Summary, rejects: pd.DataFrame) -> None:
    """Check that rows in are rows accepted and rows rejected, as the rejects list them."""
    whole = rejects[rejects["scope"] == "row"].groupby("source")["row"].nunique()
    for name, source in summary.sources.items():
        listed = int(whole.get(name, 0))
        if not source.rows == source.accepted + source.rejected == source.accepted + listed:
            msg = (
                f"the accounts of {name!r} do not add up: {source.rows} rows in, "
                f"{source.accepted} accepted, "
                f"{source.rejected} rejected, {listed} listed; nothing may be committed: this "
                "is a fault of the library"
            )
            raise ProofError(msg, source=name)
