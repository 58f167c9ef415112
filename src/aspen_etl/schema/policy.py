"""What becomes of a conflict between the two sides of a two-way sync: declared, by kind and place.

A frozen value. Where nothing is declared a conflict is refused, so that nothing is decided unseen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, Optional, Union, get_args

from aspen_etl.errors import ArgumentError
from aspen_etl.errors.base import listing

if TYPE_CHECKING:
    from aspen_etl.schema.model import Model

__all__ = ["KINDS", "SIDES", "Decision", "Policy"]

#: What may be decided: commit nothing, leave the subject as it is on both sides, take what the
#: named side has, or take what is newer.
Decision = Literal["refuse", "hold", "old", "new", "newest"]

#: The names of the sides: the flat database, and that of the tables.
SIDES = ("old", "new")

#: What can be between a side and the head, or between a side and the model.
KINDS = (
    "both_changed",
    "deleted_and_changed",
    "changed_and_deleted",
    "both_inserted",
    "parent_deleted",
    "key_mismatch",
    "inexpressible",
    "invalid",
)


@dataclass(frozen=True)
class Policy:
    """Say what becomes of conflicts: what is said of a unit goes before its kind, then the default.

    Attributes:
        default: ``refuse`` commits nothing; ``hold`` leaves the subject as it is on both sides and
            lets others go on; ``old`` and ``new`` take what that side has; ``newest`` takes what
            was changed last, where both sides tell when that was, and holds otherwise.
        units: The same by ``"sheet.column"``, or by ``"sheet"`` for its rows.
        kinds: The same by kind of conflict.

    Raises:
        ArgumentError: There is no such decision or kind.

    Examples:
        >>> policy = Policy("hold", units={"borrower.email": "new"}, kinds={"invalid": "refuse"})
        >>> policy.decide("both_changed", "borrower", "email")
        'new'
        >>> policy.decide("both_changed", "borrower", "city")
        'hold'
    """

    default: Decision = "refuse"
    units: Mapping[str, Decision] = field(default_factory=dict)
    kinds: Mapping[str, Decision] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check what is declared, and let nobody change it."""
        for given in (self.default, *self.units.values(), *self.kinds.values()):
            if given not in get_args(Decision):
                msg = f"there is no decision of that name; use {listing(get_args(Decision))}"
                raise ArgumentError(msg, problem="policy")
        unknown = [kind for kind in self.kinds if kind not in KINDS]
        if unknown:
            msg = f"there is no conflict of the kind {listing(unknown)}; use {listing(KINDS)}"
            raise ArgumentError(msg, problem="policy", kinds=tuple(unknown))
        object.__setattr__(self, "units", MappingProxyType(dict(self.units)))
        object.__setattr__(self, "kinds", MappingProxyType(dict(self.kinds)))

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel without the views of the mappings, which do not pickle."""
        return type(self), (self.default, dict(self.units), dict(self.kinds))

    def check(self, model: Model, /) -> None:
        """Check that the units are sheets and columns of a model.

        Raises:
            ArgumentError: One is not.
        """
        known = {
            f"{name}.{column}" for name, spec in model.sources.items() for column in spec.columns
        }
        unknown = [unit for unit in self.units if unit not in known and unit not in model.sources]
        if unknown:
            msg = f"the policy names {listing(unknown)}, and no sheet has it; give 'sheet.column'"
            raise ArgumentError(msg, problem="policy", units=tuple(unknown))

    def decide(
        self, kind: str, sheet: str, unit: Optional[Union[str, Sequence[str]]] = None, /
    ) -> Decision:
        """Say what becomes of a conflict.

        Args:
            kind: Its kind.
            sheet: The sheet that it is in.
            unit: The column; the columns, where several are one unit; nothing for a whole row.
        """
        columns = (unit,) if isinstance(unit, str) else unit or ()
        for place in [f"{sheet}.{column}" for column in columns] or [sheet]:
            if place in self.units:
                return self.units[place]
        return self.kinds.get(kind, self.default)
