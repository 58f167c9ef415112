"""What a load did, as plain values without a cell."""

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
    """

    outcome: LoadOutcome
    version: Optional[int]
    tables: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    created: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Give plain values, ready for JSON."""
        return asdict(self)
