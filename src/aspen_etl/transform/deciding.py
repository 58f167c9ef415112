"""What becomes of conflicts, and so of each subject: merged, as one of the two has it, or held."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from aspen_etl.columns import COLUMNS, Mask
from aspen_etl.columns.frames import make_frame
from aspen_etl.columns.rows import take_rows
from aspen_etl.columns.text import conform_text
from aspen_etl.schema.policy import SIDES, Policy
from aspen_etl.transform.aligned import Aligned
from aspen_etl.transform.conflicting import Alike, Subjects, write_conflicts
from aspen_etl.transform.keyed_sheets import find_in
from aspen_etl.transform.parting import Partitioning

__all__ = ["AS_HEAD", "AS_SIDE", "BY_UNIT", "HELD", "Outcome", "Times", "decide"]

#: What becomes of a subject: merged unit by unit, as the head or the side has it, or it is held.
BY_UNIT, AS_HEAD, AS_SIDE, HELD = range(4)

#: What a conflict is known by where somebody decides it: what it is, and what both have.
DECIDED = ("kind", "sheet", "subject", "key", "column", "side", "head")

#: What is decided so leaves its subject where it is.
_UNDECIDED = ("refuse", "hold")


def names_of(conflicts: pd.DataFrame, /) -> list[tuple[Any, ...]]:
    """Give what each conflict is known by."""
    held = [conflicts[name].astype(object) for name in DECIDED]
    return list(zip(*(values.where(values.notna(), None).tolist() for values in held)))


def decided_by(conflicts: pd.DataFrame, /) -> dict[tuple[Any, ...], str]:
    """Give what somebody decided of conflicts, by what these are known by."""
    names = zip(names_of(conflicts), conflicts["decision"].tolist())
    return {name: decision for name, decision in names if decision in SIDES}


class Times(NamedTuple):
    """Hold when rows were last changed.

    Attributes:
        side: By sheet, a frame of key columns and of ``time``; a row that is not there has none.
        head: The same of the head.
    """

    side: Mapping[str, pd.DataFrame]
    head: Mapping[str, pd.DataFrame]


@dataclass(frozen=True, eq=False)
class Outcome:
    """Hold what is decided.

    Attributes:
        decisions: What becomes of each conflict, by group: ``refuse``, ``hold``, or a side's name.
        also: The same of the conflicts that the caller found.
        modes: By subject, what becomes of it.
    """

    decisions: Sequence[Any] = field(repr=False)
    also: Any = field(repr=False)
    modes: Any = field(repr=False)


@dataclass(frozen=True, eq=False)
class Judge:
    """Decide conflicts by a policy.

    Args:
        policy: What is declared.
        side: The name of the side that is merged into the head.
        head: The name of the other one, for which the head stands.
        times: When rows were changed, if that is known.
        decided: What somebody said of single conflicts, as ``DECIDED`` names them.
    """

    policy: Policy
    side: str
    head: str
    times: Any = field(default=None, repr=False)
    decided: Mapping[tuple[Any, ...], str] = field(default_factory=dict, repr=False)

    def of_group(self, found: Alike, sheet: Aligned, how: Partitioning) -> Any:
        """Decide conflicts of one kind and unit."""
        decision = self.policy.decide(found.kind, found.sheet, found.unit or None)
        out = np.full(len(found.places), decision, dtype=object)
        if decision == "newest":
            out[:] = "hold"
            if self.times is not None and found.unit:
                later = self._compare(found, sheet, how)
                out[later > 0], out[later < 0] = self.side, self.head
        if self.decided:
            told = write_conflicts(found, out, {found.sheet: sheet}, how)
            return self._as_decided(told, out)
        return out

    def _as_decided(self, told: pd.DataFrame, out: Any) -> Any:
        """Put what somebody decided in the place of what the policy says."""
        for place, row in enumerate(names_of(told)):
            out[place] = self.decided.get(row, out[place])
        return out

    def _compare(self, found: Alike, sheet: Aligned, how: Partitioning) -> Any:
        """Tell where the side is later (1), where the head is (-1), and where neither (0)."""
        keys = take_rows(sheet.keys, found.places)
        told = []
        for frames in (self.times.side, self.times.head):
            frame = frames.get(found.sheet)
            if frame is None:
                return np.zeros(len(keys), dtype=np.int64)
            known = make_frame({name: conform_text(frame[name]) for name in keys.columns})
            at = find_in(keys, known.reset_index(drop=True), found.sheet, how)
            told.append(COLUMNS.take(frame["time"].reset_index(drop=True), at))
        one, two = told
        # A time that is missing is neither earlier nor later.
        later, earlier = ((a > b).fillna(value=False) for a, b in ((one, two), (two, one)))
        return later.to_numpy(dtype=np.int64) - earlier.to_numpy(dtype=np.int64)

    def of_also(self, also: pd.DataFrame, how: Partitioning) -> Any:
        """Decide conflicts that the caller found, each of a whole subject."""
        out = np.empty(len(also), dtype=object)
        for at, (kind, sheet, column) in enumerate(
            zip(also["kind"], also["sheet"], also["column"])
        ):
            unit = column if column in how.model.sources[sheet].columns else None
            out[at] = self.policy.decide(kind, sheet, unit)
        out[out == "newest"] = "hold"
        if self.decided:
            out = self._as_decided(also, out)
        # What no flat row can hold cannot be taken, nor a key in the place of one that was given.
        no_row = also["kind"].isin(["inexpressible", "key_mismatch"]).to_numpy(dtype=bool)
        out[no_row & (out == self.side)] = "hold"
        # Who is to be as both have them stays.
        named = [also["subject"][out == word] for word in (self.side, self.head)]
        both = (also["subject"].isin(named[0]) & also["subject"].isin(named[1])).to_numpy(
            dtype=bool
        )
        out[both & ~np.isin(out, _UNDECIDED)] = "hold"
        return out


def decide(
    found: Sequence[Alike],
    also: pd.DataFrame,
    sheets: Mapping[str, Aligned],
    whose: Subjects,
    judge: Judge,
    how: Partitioning,
) -> Outcome:
    """Decide all conflicts, and so what becomes of each subject.

    Args:
        found: The conflicts that the states show.
        also: Those that the caller found, as a frame with the columns of conflicts.
        sheets: The three states of each sheet.
        whose: Their subjects.
        judge: What decides.
        how: Whose the rows are.
    """
    count = len(whose.ids)
    decisions = [judge.of_group(each, sheets[each.sheet], how) for each in found]
    told = {word: np.zeros(count, dtype=bool) for word in (*_UNDECIDED, judge.side, judge.head)}
    for each, decided in zip(found, decisions):
        code = whose.codes[each.sheet][each.places]
        for word, mask in told.items():
            mask[code[decided == word]] = True
    modes = np.full(count, BY_UNIT, dtype=np.int8)
    # Who is deleted goes as one, and stays as one where anything of theirs is wanted.
    modes[whose.side_deleted & told[judge.side]] = AS_SIDE
    modes[whose.side_deleted & told[judge.head]] = AS_HEAD
    modes[whose.head_deleted & told[judge.head]] = AS_HEAD
    modes[whose.head_deleted & told[judge.side]] = AS_SIDE
    whole = judge.of_also(also, how)
    code = COLUMNS.find(conform_text(also["subject"]), whose.ids)
    modes[_mark(count, code, whole == judge.side)] = AS_SIDE
    modes[_mark(count, code, whole == judge.head)] = AS_HEAD
    stay = _mark(count, code, np.isin(whole, _UNDECIDED))
    modes[stay | told["refuse"] | told["hold"]] = HELD
    return Outcome(decisions, whole, modes)


def _mark(count: int, code: Any, wanted: Any) -> Mask:
    out = np.zeros(count, dtype=bool)
    out[code[(code >= 0) & wanted]] = True
    return out
