"""What a comparison of two sides tells: counts and digests, and neither an id nor a value."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, Optional

__all__ = ["DifferenceCount", "ReconcileOutcome", "Reconciliation", "SideReport"]

#: How it ended: all is explained; something is not; or nothing but what moved meanwhile.
ReconcileOutcome = Literal["in_step", "unexplained", "undecided"]


@dataclass(frozen=True)
class SideReport:
    """Tell what one side is, and what it has.

    Attributes:
        kind: ``extract``, ``files``, ``landing``, ``store``, ``tables`` or ``database``.
        rows: The rows of each sheet that are compared.
        rejected: The rows of each sheet that stay out, where the side is a source.
        digest: The sum of the rows' digests, 32 hexadecimal digits: equal rows, equal digests,
            whatever their order. Where nobody gave a secret, one who knows all rows but one can
            try out what that one is.
        version: The version, where it is a store.
        watermark: The time of the youngest change in it, where it is a landing, or a store that
            is fed by one.
    """

    kind: str
    rows: Mapping[str, int]
    rejected: Mapping[str, int]
    digest: str
    version: Optional[int] = None
    watermark: Optional[str] = None

    @property
    def told(self) -> str:
        """What it is, in words."""
        version = "" if self.version is None else f" version {self.version}"
        return f"{self.kind}{version}"


@dataclass(frozen=True)
class DifferenceCount:
    """Count the differences of one kind.

    Attributes:
        kind: ``missing`` in the target, ``extra`` there, ``differs``, ``duplicate``, or
            ``inexpressible``: the tables of a subject hold what no flat row can.
        sheet: The sheet.
        column: The column that differs, or by which a row is rejected; of tables that do not hold
            together ``TABLE.COLUMN``; none for a row as a whole.
        why: What explains it: the rule of a reject, or ``kept``, where tables keep the last good
            state of a row that is rejected now; none where nothing does.
        in_flight: Whether it came or changed between two looks.
        count: How many there are.
    """

    kind: str
    sheet: str
    column: Optional[str]
    why: Optional[str]
    in_flight: bool
    count: int


@dataclass(frozen=True)
class Reconciliation:
    """Tell whether two sides are in step; it holds no id and no cell value.

    Attributes:
        time: When it was, in ISO form.
        actor: Who ran it.
        source: The first side.
        target: The other one.
        differences: What differs, by kind, sheet, column and what explains it.
        subjects: How many subjects have a difference that nothing explains.
        looks: How often the sides were compared.
        settled: How many differences of a look were gone at the next, not merely others.
        details: Where they are written one by one, without anything secret in the url.
    """

    time: str
    actor: str
    source: SideReport
    target: SideReport
    differences: tuple[DifferenceCount, ...] = ()
    subjects: int = 0
    looks: int = 1
    settled: int = 0
    details: Optional[str] = None

    @property
    def unexplained(self) -> int:
        """How many differences nothing explains, and no move either."""
        return sum(e.count for e in self.differences if e.why is None and not e.in_flight)

    @property
    def in_flight(self) -> int:
        """How many there are that came or changed between two looks."""
        return sum(each.count for each in self.differences if each.in_flight)

    @property
    def explained(self) -> int:
        """How many there are that a run leaves on purpose."""
        return sum(each.count for each in self.differences if each.why is not None)

    @property
    def outcome(self) -> ReconcileOutcome:
        """How it ended."""
        if self.unexplained:
            return "unexplained"
        return "undecided" if self.in_flight else "in_step"

    def to_dict(self) -> dict[str, Any]:
        """Give plain values, ready for JSON."""
        counts = {name: getattr(self, name) for name in ("unexplained", "in_flight", "explained")}
        return {"outcome": self.outcome, **counts, **asdict(self)}

    def to_json(self) -> str:
        """Give one line of JSON."""
        return json.dumps(self.to_dict(), ensure_ascii=True)

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        one, two = self.source, self.target
        yield f"{'':32}{one.told:>24}{two.told:>24}"
        for sheet in one.rows:
            yield f"{sheet + ' rows':32}{one.rows[sheet]:24,}{two.rows[sheet]:24,}"
            if one.rejected.get(sheet) or two.rejected.get(sheet):
                left = [side.rejected.get(sheet, 0) for side in (one, two)]
                yield f"{'  rejected':32}{left[0]:24,}{left[1]:24,}"
        yield f"{'digest':32}{one.digest[:16]:>24}{two.digest[:16]:>24}"
        if one.watermark or two.watermark:
            yield f"{'watermark':32}{one.watermark or '-':>24}{two.watermark or '-':>24}"
        groups = (
            ("not explained", [e for e in self.differences if e.why is None and not e.in_flight]),
            ("in flight", [each for each in self.differences if each.in_flight]),
            ("explained", [each for each in self.differences if each.why is not None]),
        )
        for title, found in groups:
            if found:
                yield f"\n{title}"
            for each in found:
                place = f"{each.sheet}.{each.column}" if each.column else each.sheet
                yield f"  {each.kind:16}{place:38}{each.why or '':24}{each.count:8,}"
        if self.settled:
            yield f"\ngone at the next look: {self.settled:,}"
        yield f"\n{self._ending()}"

    def _ending(self) -> str:
        if self.outcome == "in_step":
            return "in step: " + ("what differs is explained" if self.explained else "all is equal")
        if self.outcome == "undecided":
            return f"undecided: {self.in_flight:,} differences are in flight; look again later"
        many = f"{self.unexplained:,} differences of {self.subjects:,} subjects"
        return f"not in step: {many} are not explained"
