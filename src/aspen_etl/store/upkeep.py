"""What keeps a store in order: going back, letting go, erasing, and a look whether all is whole."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Optional

from aspen_etl.io.waiting import Seconds
from aspen_etl.schema.values import Run
from aspen_etl.store import pins, reading
from aspen_etl.store.commit import Commit
from aspen_etl.store.place import Place

if TYPE_CHECKING:
    from aspen_etl.store.purge_report import PurgeReport
    from aspen_etl.store.vacuuming import VacuumReport
    from aspen_etl.store.verifying import Verification

__all__ = ["Upkeep"]


class Upkeep:
    """The part of a store that its keeper uses; runs and readers use the rest."""

    __slots__ = ("__weakref__", "place")

    place: Place

    def restore(self, version: int, /, *, run: Run) -> Commit:
        """Commit the rows of an old version, and put the store on hold.

        Next numbers do not fall, and keys given since are remembered. ``sync`` refuses until
        ``resume``, since the source would at once undo what was restored. It raises
        ``VersionNotFoundError`` where that version is not there, or no longer kept, and
        ``TwoWayError`` where the store is kept in step with two sides.
        """
        from aspen_etl.store import restoring

        return restoring.restore(self.place, version, run)

    def resume(self, *, run: Run) -> Commit:
        """Let ``sync`` go on after ``restore``; the newest commit, where it is not on hold."""
        from aspen_etl.store import restoring

        return restoring.resume(self.place, run)

    def begin_two_way(self, *, run: Run) -> Commit:
        """Let the store be kept in step with an old and a new side, by ``pull`` and ``push``.

        The old side is taken to hold what the newest commit does. Until ``end_two_way`` the store
        refuses ``sync``, ``plan`` and ``restore`` by ``TwoWayError``. It gives the newest commit
        where the store is two-way already.

        Raises:
            VersionNotFoundError: Nothing was committed yet.
            StoreOnHoldError: An old version was restored, and the store was not resumed.
            NotSupportedError: The rows of the model do not belong to subjects, each to one; or a
                sheet has a column ``present``.
        """
        from aspen_etl.store import two_way

        return two_way.begin(self.place, run)

    def end_two_way(self, *, run: Run, discard_conflicts: bool = False) -> Commit:
        """Forget what is known of the sides, so that ``sync`` may go on.

        It gives the newest commit where the store is not two-way.

        Raises:
            VersionNotFoundError: Nothing was committed yet.
            TwoWayError: Conflicts wait, and they are not to be discarded.
        """
        from aspen_etl.store import two_way

        return two_way.end(self.place, run, discard=discard_conflicts)

    def vacuum(self, *, run: Run, keep_for: dt.timedelta = dt.timedelta(days=7)) -> VacuumReport:
        """Let old versions go, and delete the files that no version needs any more.

        First a commit raises ``oldest_readable``, then files go: those that no readable commit
        names and that are older than twice ``attempt_limit`` by the storage's clock. Versions
        that are younger than ``keep_for`` or pinned, and all after them, stay.

        It raises ``VersionNotFoundError`` where nothing was committed yet, and
        ``SourceAccessError`` where the storage does not let files be deleted.
        """
        from aspen_etl.store import vacuuming

        return vacuuming.vacuum(self.place, run, keep_for)

    def pin(self, name: str, version: int, /) -> None:
        """Keep a version readable, under the name of who stands on it; it replaces its last pin."""
        reading.find(self.place, version)
        pins.set_pin(self.place.root, name, version)

    def unpin(self, name: str, /) -> None:
        """Let go of what ``name`` had pinned."""
        pins.remove_pin(self.place.root, name)

    @contextmanager
    def lease(self, name: str, /, *, seconds: Seconds) -> Iterator[bool]:
        """Keep runs that begin a lease of the same name from each other, as those of a side.

        What is given is whether it is ours. It is given back at the end; where the process dies,
        it is over after ``seconds``, by the storage's clock: take more than a run lasts. It saves
        runs from work in vain, and keeps nothing whole: commits and sides are guarded as ever.

        Raises:
            NotSupportedError: It is no name, or the storage is not known to create exclusively.
            ArgumentError: The time cannot be one.
            SourceAccessError, WriteError: The storage refuses, or failed.

        Examples:
            >>> from aspen_etl import SnapshotStore
            >>> store = SnapshotStore("memory://doctest/leases")
            >>> with store.lease("old", seconds=900) as mine, store.lease("old", seconds=1) as two:
            ...     print(mine, two)
            True False
        """
        from aspen_etl.store import leases

        held = leases.take_lease(self.place.log, name, seconds)
        try:
            yield held is not None
        finally:
            if held is not None:
                leases.end_lease(held)

    def verify(self, version: Optional[int] = None) -> Verification:
        """Recompute every checksum, key and reference of a version, by default the newest.

        It raises ``VersionNotFoundError`` where there is no such version, or it is not kept.
        """
        from aspen_etl.store import verifying

        return verifying.verify(self.place, version)

    def purge(
        self,
        subject_id: str,
        /,
        *,
        run: Run,
        subject: Optional[str] = None,
        suppress: bool = False,
        suppress_secret: Optional[bytes] = None,
    ) -> PurgeReport:
        """Erase a subject from every readable version: its row, and all that refers to it.

        Tables, retired keys, rejects and what is known of sources are written anew without it, a
        commit names the new files, and the old ones are deleted at once; ``vacuum`` takes what dead
        attempts left, when it is old enough. A source that still has the row brings it back, under
        new keys. The id is as it stands in the tables; of several columns, a JSON list of texts.
        ``subject`` names the table of the subjects, where that is not ``model.subject``.

        With ``suppress`` the commit keeps an HMAC of the id under ``suppress_secret``: rows of the
        subject are left out of each later run, which needs the secret, until ``unsuppress``.

        Raises:
            VersionNotFoundError: Nothing was committed yet.
            ArgumentError: Which table the subject is of is not known; or the secret is missing,
                too short, or another one than that of others who are left out.
            NotSupportedError: The rejects are elsewhere, and no ``rejects_url`` was given.
        """
        from aspen_etl.store import purging

        leave_out = None
        if suppress:
            from aspen_etl.store import suppressing

            leave_out = partial(suppressing.suppress, self.place, suppress_secret)
        return purging.purge(self.place, subject_id, subject, run, leave_out)

    def unsuppress(self, subject_id: str, /, *, run: Run, suppress_secret: bytes) -> Commit:
        """Let a subject be read again from the next run on.

        Raises:
            VersionNotFoundError: Nothing was committed yet.
            ArgumentError: It is another secret than the one of those that are left out.
        """
        from aspen_etl.store import suppressing

        return suppressing.unsuppress(self.place, subject_id, suppress_secret, run)
