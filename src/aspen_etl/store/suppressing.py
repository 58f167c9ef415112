"""Who is left out of every run of a store: what its commits say, and who may ask."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Optional

from aspen_etl.errors import ArgumentError
from aspen_etl.schema.values import Run
from aspen_etl.store.attempt import Attempt
from aspen_etl.store.belonging import find_root, read_subject
from aspen_etl.store.commit import Commit
from aspen_etl.store.committing import append, next_commit, retrying
from aspen_etl.store.place import Place
from aspen_etl.store.stored import Suppressed
from aspen_etl.transform.suppressing import Suppression, check_suppressible

__all__ = ["suppress", "suppression_of", "unsuppress"]

#: The least bytes of a secret: fewer can be tried out.
_LEAST = 16


def suppression_of(
    place: Place, newest: Optional[Commit], secret: Optional[bytes], /
) -> Optional[Suppression]:
    """Give who is left out, by what the newest commit says; none where that is nobody.

    Raises:
        ArgumentError: Subjects are suppressed, and the secret is missing or another one.
    """
    held = None if newest is None else newest.suppressed
    if held is None or newest is None or not held.subjects:
        return None
    if secret is None:
        what = "and the secret was not given"
    else:
        found = _made(newest, secret)
        if found.check == held.check:
            return replace(found, digests=frozenset(held.subjects))
        what = "under another secret than the one given"
    msg = (
        f"{place.url} leaves {len(held.subjects):,} erased subjects out of each run, {what}; give "
        "suppress_secret= (--suppress-secret), or unsuppress them: nothing was read or written"
    )
    raise ArgumentError(msg, problem="secret", count=len(held.subjects))


def suppress(place: Place, secret: Optional[bytes], commit: Commit, subject: str, /) -> Commit:
    """Give a commit that leaves a subject out from now on, too.

    Raises:
        ArgumentError: There is no secret, or it is not the one of those that are left out.
    """
    check_suppressible(place.model)
    if secret is None or len(secret) < _LEAST:
        msg = (
            f"a subject is suppressed under a secret of at least {_LEAST} bytes; give one by "
            "suppress_secret= (--suppress-secret), and keep it: each later run needs it"
        )
        raise ArgumentError(msg, problem="secret")
    known = suppression_of(place, commit, secret) or _made(commit, secret)
    subjects = sorted({*known.digests, known.digest(subject)})
    return replace(commit, suppressed=Suppressed(known.check, tuple(subjects)))


def unsuppress(place: Place, subject_id: str, secret: bytes, run: Run, /) -> Commit:
    """Let a subject be read again from the next run on; the newest commit where nothing changes."""
    check_suppressible(place.model)
    root = find_root(place.model, None)
    subject = read_subject(place.model, root, subject_id)
    return retrying(place, partial(_unsuppress, place, subject.id, secret, run))


def _unsuppress(place: Place, subject: str, secret: bytes, run: Run, newest: Commit) -> Commit:
    known = suppression_of(place, newest, secret)
    if known is None or known.digest(subject) not in known.digests:
        return newest
    attempt = Attempt(place, newest.version + 1, base=newest)
    left = tuple(sorted(known.digests - {known.digest(subject)}))
    commit = next_commit(place, newest, "unsuppress", run, attempt)
    now = replace(commit, suppressed=Suppressed(known.check, left) if left else None)
    return append(place, now, attempt)


def _made(commit: Commit, secret: bytes) -> Suppression:
    return Suppression(secret, str(commit.store))
