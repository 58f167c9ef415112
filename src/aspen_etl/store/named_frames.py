"""Every frame that some commits name, by what it is: what a purge looks into."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from aspen_etl.schema.model import Model
from aspen_etl.store.commit import Commit
from aspen_etl.store.stored import SideRecord, Stored, StoredFile

__all__ = ["NamedFrames", "each_file"]


class NamedFrames:
    """Gather the frames of commits, each once.

    Args:
        model: The model; what is kept of a sheet that it does not have is passed over.
        commits: The commits.
        rewrites: The files that were written anew, by their old paths.

    Attributes:
        tables: Those of each table.
        keys: Those of the keys that each table gave to rows that are gone.
        rejects: Those of rejects.
        landed: Those of what is known of a landing folder, by sheet.
        shadows: Those of what is accounted for of a side, by sheet.
        conflicts: Those of conflicts that wait.
        accepted: Those of lists of accepted rejects.
    """

    def __init__(
        self, model: Model, commits: Iterable[Commit], rewrites: Mapping[str, StoredFile]
    ) -> None:
        self._rewrites = rewrites
        self.tables: dict[str, list[Stored]] = {name: [] for name in model.tables}
        self.keys: dict[str, list[Stored]] = {name: [] for name in model.tables}
        self.rejects: list[Stored] = []
        self.landed: dict[str, list[Stored]] = {name: [] for name in model.sources}
        self.shadows: dict[str, list[Stored]] = {name: [] for name in model.sources}
        self.conflicts: list[Stored] = []
        self.accepted: list[Stored] = []
        for commit in commits:
            self._add_commit(commit)

    def _add_commit(self, commit: Commit) -> None:
        for name, stored in commit.tables.items():
            self._add(self.tables[name], stored)
        for name, entry in commit.keys.items():
            self._add(self.keys[name], entry.retired)
        if commit.rejects is not None:
            self._add(self.rejects, commit.rejects)
        for name, stored in commit.landing.named() if commit.landing else ():
            self._add(self.landed.get(name, []), stored)
        for side in (commit.sides or {}).values():
            self._add_side(side)
        for stored in commit.cutover.stored if commit.cutover else ():
            self._add(self.accepted, stored)

    def _add_side(self, side: SideRecord) -> None:
        for name, stored in side.shadows():
            self._add(self.shadows.get(name, []), stored)
        if side.conflicts is not None:
            self._add(self.conflicts, side.conflicts)

    def _add(self, held: list[Stored], stored: Stored) -> None:
        moved = stored.moved(self._rewrites)
        if moved.files and moved not in held:
            held.append(moved)


def each_file(held: Sequence[Stored], /) -> Iterator[Stored]:
    """Give each file of frames, as a frame of its own; two versions may share one."""
    found = {file.path: replace(stored, files=(file,)) for stored in held for file in stored.files}
    yield from found.values()
