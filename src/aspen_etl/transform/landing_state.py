"""What is known of a landing folder: the state of each source, and the files that were taken."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Optional

from aspen_etl.schema.model import Model
from aspen_etl.schema.values import Extract
from aspen_etl.transform.ledger import Ledger
from aspen_etl.transform.source_state import SourceState

__all__ = ["LandingState"]


@dataclass(frozen=True)
class LandingState:
    """Hold what is known of a landing folder: a value, from which the next run goes on.

    Attributes:
        epoch: Which full load it is of.
        sources: What is known of each source.
        ledger: Which files were taken.
        watermark: The time of the youngest commit that was taken, as text in UTC.
    """

    epoch: int
    sources: Mapping[str, SourceState]
    ledger: Ledger = field(default_factory=Ledger)
    watermark: Optional[str] = None

    def to_extract(self, model: Model, /) -> Extract:
        """Give the living rows, in the order of their keys."""
        return Extract.from_frames(
            {
                source: self.sources[source].to_frame(list(spec.columns))
                for source, spec in model.sources.items()
            }
        )

    def equals(self, other: LandingState, /, *, numbers: bool = True) -> bool:
        """Tell whether the other knows the same of the same keys, by whatever files."""
        return self.sources.keys() == other.sources.keys() and all(
            state.equals(other.sources[source], numbers=numbers)
            for source, state in self.sources.items()
        )
