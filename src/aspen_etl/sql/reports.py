"""What a load tells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, Optional

__all__ = ["LoadOutcome", "LoadReport"]

LoadOutcome = Literal["unchanged", "filled", "changed", "compared", "replaced"]


@dataclass(frozen=True)
class LoadReport:
    """Tell what a load did; it holds no cell value.

    Attributes:
        outcome: ``unchanged``, where the database was at the commit already; ``filled``, where
            it was empty; ``changed``, where the difference of two commits was applied;
            ``compared``, where every row was compared; ``replaced``, where its keys were those
            of other rows, so that all rows were written anew.
        version: The commit that the database is at; none after a load of frames.
        tables: The rows inserted, updated and deleted, by table.
        created: The tables and columns that were made for it.
        conflicts: The rows that somebody else wrote since the last load, by table and kind:
            ``changed``, ``deleted`` and ``inserted`` by the database alone, ``both_changed``,
            ``changed_and_deleted``, ``deleted_and_changed``, ``both_inserted`` and
            ``key_mismatch`` against what was to be written.
        held: The rows that stay as the database has them, by table: those, and what depends on
            them.
        identities: The tables whose next key was one of ours until now: from now on, what the
            database numbers by itself is ``ADOPTED_FROM`` or more.
        pin: The name under which the store keeps the version, if it does.
        unpinned: Why it does not: the error's name, where the store cannot be written to.
    """

    outcome: LoadOutcome
    version: Optional[int]
    tables: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    created: tuple[str, ...] = ()
    conflicts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    held: Mapping[str, int] = field(default_factory=dict)
    identities: tuple[str, ...] = ()
    pin: Optional[str] = None
    unpinned: Optional[str] = None

    def to_dict(self) -> dict[str, Any]:
        """Give plain values, ready for JSON."""
        return asdict(self)
