"""Accounts: what became of each row and cell of the source, as counts alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import pandas as pd

from aspen_etl.errors import ProofError
from aspen_etl.schema.frames import Extract
from aspen_etl.schema.model import Model
from aspen_etl.transform.faults import Judged
from aspen_etl.transform.history import Held
from aspen_etl.transform.preparation import Prepared

__all__ = [
    "RejectCount",
    "SourceSummary",
    "Summary",
    "check_accounts",
    "count_rejects",
    "summarize_source",
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
        cells: Cells that are not missing, by column.
        rejected_cells: Those of them that stayed out, by column.
        kept: Rows of the snapshot before that stay since they, or a row that they refer to, are
            rejected now.
        stayed: Rows of the snapshot before that are absent now and stay, as asked for.
        notes: What the reader noticed, such as hidden rows.
    """

    rows: int
    blank: int
    accepted: int
    rejected: int
    repairs: Mapping[str, int] = field(default_factory=dict)
    cells: Mapping[str, int] = field(default_factory=dict)
    rejected_cells: Mapping[str, int] = field(default_factory=dict)
    kept: int = 0
    stayed: int = 0
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


def summarize_source(
    name: str, extract: Extract, prepared: Prepared, judged: Judged, held: Held, model: Model
) -> SourceSummary:
    """Count what became of one sheet."""
    references = model.lineage.sources[name].references
    cells = {column: prepared.count_present(column) for column in model.sources[name].columns}
    accepted = {
        column: len(judged.accepted)
        if column in references
        else int(judged.accepted[column].notna().sum())
        for column in cells
    }
    return SourceSummary(
        rows=len(prepared.rows),
        blank=prepared.blank,
        accepted=len(judged.accepted),
        rejected=int(judged.rejected_rows.sum()),
        repairs=dict(prepared.repairs),
        cells=cells,
        rejected_cells={c: cells[c] - count for c, count in accepted.items() if cells[c] > count},
        kept=held.kept[name],
        stayed=held.stayed[name],
        notes=dict(extract.notes.get(name, {})),
    )


def count_rejects(
    prepared: Mapping[str, Prepared], judged: Mapping[str, Judged]
) -> tuple[RejectCount, ...]:
    """Count the rejects by sheet, column and rule."""
    counts: Counter[tuple[str, str, str, str]] = Counter()
    for name, found in judged.items():
        places = list(prepared[name].raw.columns)
        for fault in sorted(found.faults, key=lambda f: (places.index(f.column), f.rule)):
            counts[fault.source, fault.column, fault.rule, fault.scope] += len(fault.positions)
    return tuple(RejectCount(*where, count) for where, count in counts.items())


def check_accounts(summary: Summary, rejects: pd.DataFrame) -> None:
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
