"""What a purge erased, what it left, and where it does not reach."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

__all__ = ["NOT_REACHED", "PurgeReport"]

#: Where a subject may be that no purge of a store reaches.
NOT_REACHED = (
    "the source, and copies of it: unless the subject is suppressed, the next run brings it back",
    "lookup tables: a type, such as a role, that nobody else has",
    "databases: load the new version",
    "what Athena keeps of its queries, and tables that were made from ours",
    "exports, and tables written by normalize",
    "what the storage keeps of deleted files: versions of objects, snapshots, backups",
)


@dataclass(frozen=True)
class PurgeReport:
    """Tell what was erased and what was not; it does not tell whom.

    Attributes:
        version: The version that the store is at.
        versions: From how many versions.
        rows: How many rows of the newest version went, by table.
        files: How many files were written anew.
        deleted: How many old files were deleted.
        rejects: How many rejects went, those of all files.
        refused: How many rejects of the newest refused run went.
        similar: How many rows are left of an id that is like this one (other letters, blanks or
            form of a number) and stands in the tables by itself: of that subject, and rejects.
        young: How many files that no version names are too young to go; a dead attempt's may
            hold the subject until ``vacuum`` takes them.
        foreign: As ``VacuumReport`` has it.
        kept: How many files of the source that was kept for the next run went, whole.
        landed: How many rows went of what is known of a landing folder, those of all files.
        sides: How many rows went of what is known of the sides of a two-way sync, and how many
            conflicts, those of all files.
        not_reached: Where the subject may still be.
    """

    version: int
    versions: int
    rows: Mapping[str, int]
    files: int
    deleted: int
    rejects: int = 0
    refused: int = 0
    similar: int = 0
    young: int = 0
    foreign: int = 0
    kept: int = 0
    landed: int = 0
    sides: int = 0
    not_reached: tuple[str, ...] = NOT_REACHED

    @property
    def left(self) -> tuple[str, ...]:
        """What a person should read: the rejects that went, what is left here, and elsewhere."""
        told = [f"rejects erased: {self.rejects:,}, and {self.refused:,} of a refused run"]
        if self.landed:
            told.append(f"landed rows erased: {self.landed:,}")
        if self.sides:
            told.append(f"rows of sides, and conflicts, erased: {self.sides:,}")
        if self.similar:
            told.append(
                f"left: {self.similar:,} rows of a similar id that stands in the tables; if it is "
                "the same subject, purge that id, too"
            )
        if self.young:
            told.append(
                f"left: {self.young:,} files of attempts that may be running, or died; vacuum "
                "takes them when they are old enough"
            )
        if self.foreign:
            told.append(f"left: {self.foreign:,} files among the rejects of no version; see vacuum")
        return (*told, *(f"not reached: {each}" for each in self.not_reached))

    def to_dict(self) -> dict[str, Any]:
        """Give plain values, ready for JSON."""
        return asdict(self)
