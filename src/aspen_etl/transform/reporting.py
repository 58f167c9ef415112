"""What a run tells: the rejects, one tidy frame; and the accounts, as counts alone."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from aspen_etl.columns import COLUMNS, Positions
from aspen_etl.columns.text import conform_text
from aspen_etl.errors import ProofError
from aspen_etl.schema.model import Model
from aspen_etl.schema.snapshot import REJECTS
from aspen_etl.schema.values import Extract
from aspen_etl.transform.cleaning import Sheet
from aspen_etl.transform.judging import Fault, Verdict
from aspen_etl.transform.keeping import Kept
from aspen_etl.transform.subjects import cells_of, list_subjects

__all__ = [
    "RejectCount",
    "SourceSummary",
    "Summary",
    "check_accounts",
    "count",
    "count_cells",
    "list_rejects",
]


def list_rejects(
    sheets: Mapping[str, Sheet], verdicts: Mapping[str, Verdict], model: Model, /
) -> pd.DataFrame:
    """List what was rejected, ordered by source, row, column and rule.

    Args:
        sheets: The sheets, as ``clean`` gives them.
        verdicts: What ``judge`` says of these.
        model: The model.

    Returns:
        A frame with a row for each source row, rule and column: ``source`` (sheet), ``row`` (the
        sheet's own number), ``subject`` (whose row it is), ``column``, ``value`` (as read, null if
        empty), ``rule``, ``scope`` (``row``, ``value``, or the table whose row was not made) and
        ``record`` (the whole source row as read, a JSON object in ASCII). What a text column
        cannot hold is backslash-escaped.
    """
    parts = [_source_rejects(sheets, name, verdicts[name].faults, model) for name in model.sources]
    columns = {name: [part[name] for part in parts if len(part)] for name in REJECTS}
    return pd.DataFrame(
        {
            name: pd.concat(found, ignore_index=True) if found else _empty(name)
            for name, found in columns.items()
        },
        columns=list(REJECTS),
    )


def _empty(name: str) -> pd.Series:
    return pd.Series(dtype=REJECTS[name].held_dtype)


def _source_rejects(
    sheets: Mapping[str, Sheet], name: str, faults: tuple[Fault, ...], model: Model
) -> pd.DataFrame:
    if not faults:
        return pd.DataFrame()
    sheet = sheets[name]
    positions = np.concatenate([fault.positions for fault in faults])
    turn = np.argsort(positions, kind="stable")
    rows, first = np.unique(positions, return_inverse=True)
    lengths = [len(fault.positions) for fault in faults]
    values = [cells_of(sheet, fault.column, fault.positions) for fault in faults]
    return pd.DataFrame(
        {
            "source": _text(np.full(len(positions), sheet.name, dtype=object)),
            "row": sheet.rows.to_numpy(dtype=np.int64)[positions[turn]],
            "subject": _text(list_subjects(sheets, name, rows, model)[first][turn]),
            "column": _text(
                np.repeat([fault.column for fault in faults], lengths).astype(object)[turn]
            ),
            "value": _text(np.concatenate(values)[turn]),
            "rule": _text(
                np.repeat([fault.rule for fault in faults], lengths).astype(object)[turn]
            ),
            "scope": _text(
                np.repeat([fault.scope for fault in faults], lengths).astype(object)[turn]
            ),
            "record": _text(_records(sheet, rows)[first][turn]),
        }
    )


def _records(sheet: Sheet, rows: Positions) -> Any:
    """Write whole source rows as JSON objects in ASCII; a missing cell is null."""
    columns = {
        name: COLUMNS.take(sheet.raw[name], rows).astype(object) for name in sheet.raw.columns
    }
    frame = pd.DataFrame(columns)
    lines = (
        frame.to_json(orient="records", lines=True, force_ascii=True)
        .replace("\\/", "/")
        .splitlines()
    )
    records = np.array(lines, dtype=object)
    unusable = {int(position) for cells in sheet.faults.values() for position in cells.index}
    for place in np.flatnonzero(np.isin(rows, sorted(unusable))):
        record = json.loads(records[place])
        for (name, _), cells in sheet.faults.items():
            if rows[place] in cells.index:
                record[name] = cells[rows[place]]
        records[place] = json.dumps(record, ensure_ascii=True, separators=(",", ":"))
    return records


def _text(cells: Any) -> pd.Series:
    return conform_text(pd.Series(cells, dtype=object))


# ----------------------------------------------------------------------------- accounts


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
        filled: Cells that were missing and now hold what their entity has, by column.
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
    filled: Mapping[str, int] = field(default_factory=dict)


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


def count(
    extract: Extract,
    sheets: Mapping[str, Sheet],
    verdicts: Mapping[str, Verdict],
    kept: Kept,
    filled: Mapping[str, Mapping[str, int]],
    /,
) -> Summary:
    """Count what became of each sheet; tables are not counted yet.

    Args:
        extract: What was read.
        sheets: Its sheets, as ``clean`` gives them.
        verdicts: What ``judge`` says of these.
        kept: The rows that the run goes on with.
        filled: By sheet and column, how many missing cells hold what their entity has.
    """
    sources = {
        name: replace(
            _summarize(sheets[name], verdict, kept),
            notes=dict(extract.notes.get(name, {})),
            filled=filled[name],
        )
        for name, verdict in verdicts.items()
    }
    return Summary(sources, _count_rejects(verdicts), {})


def count_cells(sheet: Sheet, /) -> dict[str, int]:
    """Count the cells of a sheet that are not missing, by column."""
    return {str(name): int(sheet.present(str(name)).sum()) for name in sheet.clean.columns}


def _summarize(sheet: Sheet, verdict: Verdict, kept: Kept) -> SourceSummary:
    cells = count_cells(sheet)
    accepted = {name: _count_accepted(sheet, verdict, name) for name in cells}
    return SourceSummary(
        rows=len(sheet.rows),
        blank=sheet.blank,
        accepted=len(verdict.order),
        rejected=int(verdict.rejected.sum()),
        repairs=dict(sheet.repairs),
        cells=cells,
        rejected_cells={c: cells[c] - taken for c, taken in accepted.items() if cells[c] > taken},
        kept=kept.kept[sheet.name],
        stayed=len(kept.stayed[sheet.name]),
    )


def _count_accepted(sheet: Sheet, verdict: Verdict, column: str) -> int:
    """Count the cells of a column that go on; a reference that leads nowhere does not."""
    going = sheet.usable[column][verdict.order]
    if column in verdict.links:
        going = verdict.links[column][verdict.order] >= 0
    if column in verdict.dropped:
        going = going & ~verdict.dropped[column][verdict.order]
    return int(going.sum())


def _count_rejects(verdicts: Mapping[str, Verdict]) -> tuple[RejectCount, ...]:
    """Count the rejects by sheet, column and rule."""
    counts: Counter[tuple[str, str, str, str]] = Counter()
    for verdict in verdicts.values():
        for fault in verdict.faults:
            counts[fault.source, fault.column, fault.rule, fault.scope] += len(fault.positions)
    return tuple(RejectCount(*where, many) for where, many in counts.items())


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
