"""The record of a cut-over that was checked and found green: a commit that changes no table."""

from __future__ import annotations

from dataclasses import replace
from typing import Optional

import pandas as pd

from aspen_etl.schema.side_frames import ACCEPTED
from aspen_etl.schema.values import Run
from aspen_etl.store.attempt import Attempt
from aspen_etl.store.commit import Commit
from aspen_etl.store.committing import append, begin, claim_rejects, next_commit
from aspen_etl.store.place import Place
from aspen_etl.store.stored import CutoverRecord

__all__ = ["commit_cutover"]


def commit_cutover(
    place: Place,
    newest: Commit,
    record: CutoverRecord,
    /,
    *,
    accepted: Optional[pd.DataFrame],
    run: Run,
) -> Commit:
    """Commit that a cut-over was checked; the list of accepted rejects is copied to the rejects.

    Args:
        place: The store.
        newest: The commit that was checked.
        record: What was found.
        accepted: The rows of the list, with the columns of ``ACCEPTED``; none where there is none.
        run: When this is, and who does it.

    Raises:
        ConflictError: Another writer committed since.
    """
    begin(place, newest.version)
    attempt = Attempt(place, newest.version + 1, base=newest)
    if accepted is not None and len(accepted):
        claim_rejects(place, first=True)
        before = None if newest.cutover is None else newest.cutover.accepted
        path = f"_aspen/rejects/{attempt.folder}/accepted"
        stored = attempt.sided(path, accepted, ACCEPTED, before)
        record = replace(record, accepted=stored)
    commit = next_commit(place, newest, "cutover", run, attempt)
    return append(place, replace(commit, cutover=record), attempt)
