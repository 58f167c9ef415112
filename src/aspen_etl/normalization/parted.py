"""Normalize an extract in parts of whole subjects, with the very result of one run over all."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Union

import pandas as pd

from aspen_etl.borrower.model import BORROWER_MODEL
from aspen_etl.changes import Changes, TableChanges
from aspen_etl.columns.handing import handed
from aspen_etl.errors import NotSupportedError
from aspen_etl.errors.base import instead
from aspen_etl.normalization.whole import NormalizeResult, normalize
from aspen_etl.schema.model import Model
from aspen_etl.schema.previous import Previous, previous_of
from aspen_etl.schema.snapshot import Snapshot
from aspen_etl.schema.values import Extract, Run
from aspen_etl.transform.claiming import Claim, KeyMap, claim
from aspen_etl.transform.cutting import Part, cut
from aspen_etl.transform.joining import join_rejects, join_rows, join_snapshots, join_summaries
from aspen_etl.transform.keeping import Missing
from aspen_etl.transform.merging import apply, renumber, settle
from aspen_etl.transform.parting import Partitioning, can_part, check_range
from aspen_etl.workers import InTurn, Workers

__all__ = ["check_functions", "join_changes", "normalize_parted", "settle_part"]


def normalize_parted(
    extract: Extract,
    /,
    *,
    bounds: Sequence[str],
    run: Run,
    model: Model = BORROWER_MODEL,
    previous: Union[Snapshot, Previous, None] = None,
    missing: Missing = "delete",
    workers: Workers = InTurn(),  # noqa: B008 - a frozen value
) -> NormalizeResult:
    """Normalize an extract in parts, each proved by itself; the result is that of ``normalize``.

    A part is a range of subjects, that is of rows of the one sheet that refers to no other, with
    all that refers to them. Cleaners, builders and rules of the model's own must go row by row, or
    look within one subject.

    Args:
        extract: The source sheets.
        bounds: What the first subject of each part but the first is known by, as it stands clean
            in its sheet, in rising order; another run may take others.
        run: When this is and who does it.
        model: What the sheets are and what they become.
        previous: What was before, as ``normalize`` takes it.
        missing: What becomes of rows of before that are absent now.
        workers: Who does the parts: this process in turn, or others.

    Returns:
        What ``normalize`` gives: the same tables, keys, rejects, changes and figures.

    Raises:
        NotSupportedError: The model cannot be parted, or not be sent to workers; the text says why.
        ArgumentError: The bounds do not rise, or are no keys.
        ProofError: What was made of the parts does not fit together.
        AspenETLError: What ``normalize`` raises.

    Examples:
        >>> import datetime as dt
        >>> columns = list(BORROWER_MODEL.sources["borrower"].columns)
        >>> borrower = pd.DataFrame({"id": ["b1", "b2"], "full_name": ["Ada Lee", "Bo Lee"]})
        >>> roles = pd.DataFrame({"borrower_id": ["b2"], "role_profile": ["Borrower"]})
        >>> extract = Extract(borrower=borrower.reindex(columns=columns), role_profile=roles)
        >>> run = Run(time=dt.datetime(2026, 1, 31, tzinfo=dt.timezone.utc), actor="me")
        >>> parted = normalize_parted(extract, bounds=["b2"], run=run)
        >>> parted.equals(normalize(extract, run=run))
        True
    """
    how = can_part(model)
    if not isinstance(workers, InTurn):
        check_functions(model)
    pieces = cut(extract, previous_of(previous), bounds, how)
    jobs = [
        _Job(part, number, pieces.bounds, pieces.following, run, how, missing)
        for number, part in enumerate(pieces.parts)
    ]
    done = workers.map(_normalize_part, jobs)
    maps = settle([each.claim for each in done], pieces.following, how)
    results = [settle_part(each.result, keys, how) for each, keys in zip(done, maps)]
    return _join(results, extract, how)


# ----------------------------------------------------------------------------- one part


@dataclass(frozen=True, eq=False)
class _Job:
    """All that a worker has to know of one part."""

    part: Part
    number: int
    bounds: pd.Series
    following: Mapping[str, int]
    run: Run
    how: Partitioning
    missing: Missing


@dataclass(frozen=True, eq=False)
class _Done:
    """What was made of a part under its own numbers, and for what it needs others."""

    result: NormalizeResult
    claim: Claim


def _normalize_part(job: _Job) -> _Done:
    result = normalize(
        job.part.extract,
        run=job.run,
        model=job.how.model,
        previous=job.part.previous,
        missing=job.missing,
    )
    check_range(result.tables, job.number, job.bounds, job.how)
    return _Done(result, claim(result.snapshot, job.following, job.how))


def settle_part(result: NormalizeResult, keys: KeyMap, how: Partitioning, /) -> NormalizeResult:
    """Give the result of a part the numbers of the whole.

    Args:
        result: What was made of the part, or some tables of it.
        keys: What is settled for the part.
        how: How the model is partitioned.
    """
    changes = {
        name: replace(
            found,
            inserted=renumber(found.inserted, found.table, keys),
            updated=renumber(found.updated, found.table, keys),
        )
        for name, found in result.changes.items()
    }
    snapshot = apply(result.snapshot, keys, how)
    return NormalizeResult(snapshot, result.rejects, Changes(changes), result.summary)


# ----------------------------------------------------------------------------- the whole


def _join(parts: Sequence[NormalizeResult], extract: Extract, how: Partitioning) -> NormalizeResult:
    model = how.model
    snapshot = join_snapshots([part.snapshot for part in parts], how)
    rejects = join_rejects(
        [part.rejects for part in parts], {name: extract[name].index for name in extract}, model
    )
    changes = {
        name: join_changes([part.changes[name] for part in parts], how) for name in model.tables
    }
    summary = join_summaries(
        [part.summary for part in parts],
        {name: len(frame) for name, frame in snapshot.tables.items()},
        model,
    )
    return NormalizeResult(snapshot, handed(rejects), Changes(changes), summary)


def join_changes(parts: Sequence[TableChanges], how: Partitioning, /) -> TableChanges:
    """Join what changed in a table of all parts.

    Args:
        parts: What changed in it, by part, its numbers settled.
        how: How the model is partitioned.

    Raises:
        ProofError: Two parts made one row.
    """
    table = parts[0].table
    inserted, updated, deleted = (
        join_rows([getattr(part, kind) for part in parts], table, shared=table.name in how.lookups)
        for kind in ("inserted", "updated", "deleted")
    )
    return TableChanges(inserted, updated, deleted, table)


# ----------------------------------------------------------------------------- what travels


def check_functions(model: Model) -> None:
    """Make sure that workers find the functions of a model.

    Raises:
        NotSupportedError: One cannot be sent to them; the text names it.
    """
    for what, function in _functions(model):
        _check_function(what, function)


def _check_function(what: str, function: Callable[..., Any]) -> None:
    def explain(_: Exception) -> NotSupportedError:
        msg = (
            f"{what} cannot be sent to a worker, since it is not found by name; define it at the "
            "top level of a module, or work in turn"
        )
        return NotSupportedError(msg, function=what)

    instead(lambda: pickle.dumps(function), Exception, explain)


def _functions(model: Model) -> Iterator[tuple[str, Callable[..., Any]]]:
    for column, cleaner in model.cleaners.items():
        yield f"the cleaner of {column}", cleaner
    for table, builder in model.builders.items():
        yield f"the builder of {table!r}", builder.build
        if builder.invert is not None:
            yield f"the inverse of the builder of {table!r}", builder.invert
    for source, rules in model.rules.items():
        for rule in rules:
            yield f"the rule {rule.name!r} of {source!r}", rule.mask
