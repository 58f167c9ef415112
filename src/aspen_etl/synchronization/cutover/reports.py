"""What a check of a cut-over tells: a row for each gate, and neither an id nor a value."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Optional

from aspen_etl.synchronization.reconciliation import Reconciliation

__all__ = ["CutoverReport", "Gate"]


@dataclass(frozen=True)
class Gate:
    """Tell whether one condition of a cut-over holds.

    Attributes:
        name: ``source``, ``landing``, ``head``, ``conflicts``, ``rejects``, ``reconcile``,
            ``keys`` or ``constraints``.
        green: Whether it holds.
        figure: What was found.
        todo: What to do where it does not hold.
    """

    name: str
    green: bool
    figure: str
    todo: str = ""


@dataclass(frozen=True)
class CutoverReport:
    """Tell whether the new side can go on alone; it holds no id and no cell value.

    Attributes:
        time: When it was, in ISO form.
        actor: Who ran it.
        version: The version of the store that was checked.
        gates: The gates, in the order of looking.
        reconciliation: How both sides compare.
        accepted_sha256: The SHA-256 of the signed list of rejects, if one was given.
        committed: The version whose commit records that all gates were green.
    """

    time: str
    actor: str
    version: int
    gates: tuple[Gate, ...]
    reconciliation: Reconciliation
    accepted_sha256: Optional[str] = None
    committed: Optional[int] = None

    @property
    def green(self) -> bool:
        """Whether all gates are."""
        return all(gate.green for gate in self.gates)

    @property
    def report_sha256(self) -> str:
        """The SHA-256 of the comparison's report, as ``Reconciliation.to_json`` gives it."""
        return hashlib.sha256(self.reconciliation.to_json().encode("ascii")).hexdigest()

    def to_dict(self) -> dict[str, Any]:
        """Give plain values, ready for JSON."""
        told = {**asdict(self), "reconciliation": self.reconciliation.to_dict()}
        return {"green": self.green, "report_sha256": self.report_sha256, **told}

    def to_json(self) -> str:
        """Give one line of JSON."""
        return json.dumps(self.to_dict(), ensure_ascii=True)

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        yield f"{'gate':14}{'green':8}found"
        for gate in self.gates:
            yield f"{gate.name:14}{'yes' if gate.green else 'NO':8}{gate.figure}"
            if not gate.green:
                yield f"{'':22}{gate.todo}"
        red = sum(not gate.green for gate in self.gates)
        if red:
            yield f"\nnot green: {red} of {len(self.gates)} gates; nothing was recorded"
        elif self.committed is None:
            yield f"\ngreen: version {self.version}"
        else:
            yield f"\ngreen: version {self.version}; recorded as version {self.committed}"
