"""Merge a side into the head by what the side was last known to have, its shadow.

A unit that the side alone changed is taken, one that the head alone changed waits for a push, and
one that both changed, to other values, is a conflict. A subject with a conflict that nobody decided
stays as it is, in all sheets, and so does its shadow.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Optional

import numpy as np
import pandas as pd

from aspen_etl.columns import COLUMNS, Mask
from aspen_etl.columns.frames import make_frame
from aspen_etl.errors import ArgumentError
from aspen_etl.errors.base import listing
from aspen_etl.schema.policy import KINDS, SIDES, Policy
from aspen_etl.transform.aligned import Aligned, State, align
from aspen_etl.transform.conflicting import (
    CONFLICTS,
    Alike,
    find_conflicts,
    join_conflicts,
    list_subjects_of,
    write_conflicts,
)
from aspen_etl.transform.deciding import (
    AS_SIDE,
    BY_UNIT,
    HELD,
    Judge,
    Outcome,
    Times,
    decide,
    decided_by,
)
from aspen_etl.transform.keyed_sheets import Sheets, conform_sheets, differ_rows
from aspen_etl.transform.parting import Partitioning

__all__ = ["CONFLICTS", "Merged", "Times", "merge"]


@dataclass(frozen=True, eq=False)
class Merged:
    """Hold what comes of a merge.

    Attributes:
        rows: By sheet, the rows of the head after it.
        shadow: By sheet, what is accounted for of the side after it.
        taken: By sheet, how many rows of the head are ``inserted``, ``updated`` and ``deleted``.
        conflicts: A row for each conflict, with the columns of ``CONFLICTS``.
        held: The subjects that stay as they are, since a conflict of theirs is not decided.
    """

    rows: Mapping[str, pd.DataFrame] = field(repr=False)
    shadow: Mapping[str, pd.DataFrame] = field(repr=False)
    taken: Mapping[str, Mapping[str, int]]
    conflicts: pd.DataFrame = field(repr=False)
    held: tuple[str, ...] = field(repr=False)

    @property
    def is_refused(self) -> bool:
        """Whether a conflict is refused, so that nothing may be committed."""
        return bool((self.conflicts["decision"] == "refuse").any())


def merge(  # noqa: PLR0913 - what a merge is told, each by name
    shadow: Sheets,
    side: Sheets,
    head: Sheets,
    how: Partitioning,
    /,
    *,
    policy: Policy,
    name: str,
    also: Optional[pd.DataFrame] = None,
    times: Optional[Times] = None,
    decided: Optional[pd.DataFrame] = None,
) -> Merged:
    """Merge a side into the head.

    Args:
        shadow: What is accounted for of the side, by sheet.
        side: What it has now; what is unknown of it as the shadow has it: see ``assume``.
        head: What the head has.
        how: Whose the rows are.
        policy: What becomes of conflicts.
        name: The name of the side, ``old`` or ``new``; the other one is what the head stands for.
        also: Conflicts of whole subjects that the caller found, with ``kind``, ``sheet``,
            ``subject``, and what else of ``CONFLICTS`` it tells.
        times: When rows were changed, for ``newest``.
        decided: Conflicts of which somebody decided; what was decided goes before the policy,
            where both sides still have what they had then.

    Raises:
        ArgumentError: There is no such side, kind, sheet or unit.
    """
    if name not in SIDES:
        msg = f"there is no side of that name; use {listing(SIDES)}"
        raise ArgumentError(msg, problem="name")
    policy.check(how.model)
    more = _conform_also(also, how)
    states = (conform_sheets(shadow, how), conform_sheets(side, how), conform_sheets(head, how))
    sheets = {sheet: align(sheet, states, how) for sheet in how.model.sources}
    whose = list_subjects_of(sheets, how)
    found = find_conflicts(sheets, whose, how)
    said = {} if decided is None else decided_by(decided)
    judge = Judge(policy, name, SIDES[1 - SIDES.index(name)], times, said)
    outcome = decide(found, more, sheets, whose, judge, how)
    rows, kept = dict[str, State](), dict[str, State]()
    for sheet, at in sheets.items():
        modes = outcome.modes[whose.codes[sheet]]
        rows[sheet] = _merge_rows(at, modes, _find_winners(found, outcome, at, judge))
        kept[sheet] = _choose(modes != HELD, at.side, at.shadow)
    told = [write_conflicts(one, d, sheets, how) for one, d in zip(found, outcome.decisions)]
    return Merged(
        rows={sheet: state.bare() for sheet, state in rows.items()},
        shadow={sheet: state.bare() for sheet, state in kept.items()},
        taken={sheet: _count(rows[sheet], at.head) for sheet, at in sheets.items()},
        conflicts=join_conflicts(
            [*told, more.assign(decision=pd.Series(outcome.also, dtype=object))], how
        ),
        held=_list_held(whose.ids, outcome, more),
    )


def _conform_also(also: Optional[pd.DataFrame], how: Partitioning) -> pd.DataFrame:
    """Give the caller's conflicts all columns."""
    given = pd.DataFrame(columns=["kind", "sheet", "subject"]) if also is None else also
    unknown = [*set(given["kind"]) - set(KINDS), *set(given["sheet"]) - set(how.model.sources)]
    if unknown:
        msg = (
            f"{len(unknown)} kinds or sheets of conflicts are not known; kinds are {listing(KINDS)}"
        )
        raise ArgumentError(msg, problem="policy")
    full = given.reindex(columns=list(CONFLICTS)).astype(object).reset_index(drop=True)
    return full.where(full.notna(), None)


def _list_held(ids: pd.Series, outcome: Outcome, also: pd.DataFrame) -> tuple[str, ...]:
    """List who is held; somebody whom no state knows may be among them."""
    held = ids[outcome.modes == HELD].tolist()
    more = also["subject"][np.isin(outcome.also, ("refuse", "hold"))]
    return tuple(dict.fromkeys([*held, *more.dropna().tolist()]))


# ----------------------------------------------------------------------------- rows


def _find_winners(
    found: Sequence[Alike], outcome: Outcome, at: Aligned, judge: Judge
) -> dict[tuple[str, ...], tuple[Mask, Mask]]:
    """Tell by unit, and of whole rows, where the side wins a conflict, and where the head does."""
    wins = {unit: (_nowhere(at), _nowhere(at)) for unit in [*at.units, ()]}
    for each, decided in zip(found, outcome.decisions):
        if each.sheet == at.name:
            for mask, word in zip(wins[each.unit], (judge.side, judge.head)):
                mask[each.places[decided == word]] = True
    return wins


def _nowhere(at: Aligned) -> Mask:
    return np.zeros(len(at), dtype=bool)


def _merge_rows(
    at: Aligned, modes: Any, wins: Mapping[tuple[str, ...], tuple[Mask, Mask]]
) -> State:
    """Give the rows of the head after the merge."""
    was, here, there = at.shadow.there, at.head.there, at.side.there
    side_wins, head_wins = wins[()]
    by_unit, as_side = modes == BY_UNIT, modes == AS_SIDE
    stay = (here & there) | (~was & (here | there))  # what one of them deleted goes ...
    stay |= (here & ~there & head_wins) | (there & ~here & side_wins)  # ... but for these
    stay = np.where(by_unit, stay, np.where(as_side, there, here))
    columns = dict(at.head.rows.items())
    for unit in at.units:
        changed = was & at.side_differs(unit) & ~at.head_differs(unit)
        wanted = as_side | (by_unit & there & (~here | changed | wins[unit][0]))
        for column in unit:
            columns[column] = _pick(wanted, at.side.rows[column], at.head.rows[column])
    return State(make_frame(columns), stay)


def _choose(mask: Mask, one: State, two: State) -> State:
    """Take some places of one state, and the others of another."""
    columns = {name: _pick(mask, one.rows[name], two.rows[name]) for name in one.rows.columns}
    return State(make_frame(columns), np.where(mask, one.there, two.there))


def _pick(mask: Mask, one: pd.Series, two: pd.Series) -> pd.Series:
    if not mask.any():
        return two
    place = np.arange(len(mask), dtype=np.int64)
    return COLUMNS.take(COLUMNS.concat([one, two]), np.where(mask, place, place + len(mask)))


def _count(after: State, before: State) -> dict[str, int]:
    rows = np.flatnonzero(after.there & before.there)
    changed = differ_rows(after.rows, before.rows, list(after.rows.columns), rows, rows)
    return {
        "inserted": int((after.there & ~before.there).sum()),
        "updated": int(changed.sum()),
        "deleted": int((before.there & ~after.there).sum()),
    }
