"""From the sheets of an extract to the rows that a run goes on with, and the check of its tables.

The cells as they were read end with ``settle``: what goes on is the accepted rows, what does not
is the rejects, and the rest is counts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import get_args

import pandas as pd

from aspen_etl.columns.frames import held_frames
from aspen_etl.columns.threads import map_threads
from aspen_etl.errors import NotSupportedError
from aspen_etl.schema.model import Model
from aspen_etl.schema.previous import Previous
from aspen_etl.schema.spec import TableSpec
from aspen_etl.schema.validation import validate_columns
from aspen_etl.schema.values import Extract
from aspen_etl.transform.accounting import count_filled
from aspen_etl.transform.cleaning import clean
from aspen_etl.transform.judging import gather, judge
from aspen_etl.transform.keeping import Missing, keep
from aspen_etl.transform.narrowing import narrow
from aspen_etl.transform.recovery import prove
from aspen_etl.transform.reporting import Summary, check_accounts, count, list_rejects
from aspen_etl.transform.settling import agree

__all__ = ["Settled", "check", "settle"]


@dataclass(frozen=True)
class Settled:
    """Hold what goes on and what does not; the cells as read are let go of.

    Attributes:
        accepted: By sheet, the accepted rows and the old ones that stay, each with the values that
            its entities have.
        rejects: What stays out, and why.
        counts: What became of each sheet; tables are not counted yet.
        is_first: Whether nothing was there before.
        stayed: By sheet, what each old row that stays although it is absent is known by.
    """

    accepted: Mapping[str, pd.DataFrame] = field(repr=False)
    rejects: pd.DataFrame = field(repr=False)
    counts: Summary
    is_first: bool
    stayed: Mapping[str, pd.Series] = field(default_factory=dict, repr=False)

    @property
    def has_old_rows(self) -> bool:
        """Whether rows stay that were judged in another run."""
        return any(sheet.kept or sheet.stayed for sheet in self.counts.sources.values())

    def summary(self, tables: Mapping[str, pd.DataFrame], /) -> Summary:
        """Count the tables too, and check that what was read is accounted for.

        Raises:
            ProofError: The counts do not add up.
        """
        rows = {name: len(frame) for name, frame in held_frames(tables).items()}
        summary = replace(self.counts, tables=rows)
        check_accounts(summary, self.rejects)
        return summary


def settle(extract: Extract, model: Model, before: Previous, missing: Missing, /) -> Settled:
    """Clean and judge the sheets of an extract, and settle which rows a run goes on with.

    Args:
        extract: The source sheets.
        model: What the sheets are and what they become.
        before: What was there before.
        missing: Whether rows of before that are absent from the source are gone, or stay.

    Raises:
        AspenETLError: What ``normalize`` raises of sheets, cleaners, rules, and of what was before.
    """
    if missing not in get_args(Missing):
        msg = f"there is no missing={missing!r}; use 'delete' or 'keep'"
        raise NotSupportedError(msg, missing=missing)
    sheets = clean(extract, model)
    verdicts = judge(sheets, model)
    while True:
        kept = keep(gather(sheets, verdicts), sheets, verdicts, before, missing, model)
        agreed = agree(kept, verdicts, model)
        if not agreed.unmade:
            break
        verdicts = narrow(sheets, verdicts, agreed.unmade, model)  # rejects only grow
    verdicts = narrow(sheets, verdicts, agreed.faults, model)
    filled = count_filled(sheets, verdicts, kept, agreed, model)
    rejects = list_rejects(sheets, verdicts, model)
    counts = count(extract, sheets, verdicts, kept, filled)
    return Settled(agreed.rows, rejects, counts, not before.names, kept.stayed)


def check(settled: Settled, tables: Mapping[str, pd.DataFrame], model: Model, /) -> None:
    """Check that tables fit their schemas, and prove that they hold what was settled.

    Args:
        settled: The accepted rows.
        tables: The tables that were made of them.
        model: The model.

    Raises:
        ValidationError: A table does not fit its schema.
        ProofError: The tables do not hold exactly the accepted rows.
    """
    tables = held_frames(tables)
    jobs: list[Callable[[], None]] = [
        partial(_validate, settled, tables, model),
        partial(prove, settled.accepted, tables, model),
    ]
    map_threads(lambda job: job(), jobs, rows=max(map(len, tables.values()), default=0))


def _validate(settled: Settled, tables: Mapping[str, pd.DataFrame], model: Model) -> None:
    """Validate each table, and look at no cell again."""
    for name, table in model.tables.items():
        validate_columns(tables[name], table, known=_known_columns(settled, table, model))


def _known_columns(settled: Settled, table: TableSpec, model: Model) -> set[str]:
    """Name the columns whose cells were looked at already, and that are the very same.

    A cell of a column with one source is judged by the length and form of the column that it goes
    to, and the proof compares the two. Cells of the snapshot before were not judged now.
    """
    if settled.has_old_rows:
        return set()
    split = model.lineage.split[table.name]
    return {
        spec.name
        for spec in table.columns.values()
        if (spec.audit and settled.is_first)
        or (len(spec.source) == 1 and spec.source[0] not in split)
    }
