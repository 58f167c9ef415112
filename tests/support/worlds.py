"""Two sides and what is between them, and what became of each edit, as laws of two-way sync ask.

Each edit has a number, and knows those that it was made over. What a pull takes and a push writes
is told from what the sides and the head hold before and after, whoever moves it.
"""

from __future__ import annotations

from typing import Any, Protocol

import pandas as pd

import aspen_etl as ae
from tests.support.sides import MODEL, FlatSide

__all__ = [
    "CELLS",
    "ROLES",
    "SUBJECTS",
    "WORDS",
    "Between",
    "Values",
    "World",
    "extract_of",
    "values_of",
]

SUBJECTS = ("a", "b", "c")
WORDS = ("Ann Lee", "Bo Ek", "Cy Fox")
PHONES = (None, "555 0100", "555 0101")
ROLES = ("borrower", "co-borrower")
CELLS = ("full_name", "phone_cell")

#: What each unit of a subject holds: whether it is there, its cells, its roles.
Values = dict[tuple[str, str], Any]


def values_of(sheets: Any) -> Values:
    """Give each unit of the sheets that has a value."""
    out: Values = {}
    for row in sheets["borrower"].astype(object).itertuples(index=False):
        out[row.id, "row"] = True
        for column in CELLS:
            cell = getattr(row, column)
            if not pd.isna(cell):
                out[row.id, column] = cell
    for row in sheets["role_profile"].astype(object).itertuples(index=False):
        out[row.borrower_id, row.role_profile] = True
    return out


def extract_of(values: Values) -> ae.Extract:
    """Give units as an extract."""
    side = FlatSide()
    columns = [name for name in MODEL.sources["borrower"].columns if name != "id"]
    for subject in SUBJECTS:
        if (subject, "row") in values:
            side.people[subject] = {name: values.get((subject, name)) for name in columns}
            side.roles |= {(subject, role) for role in ROLES if (subject, role) in values}
    return side.read()


class Between(Protocol):
    """What keeps two sides in step, and shows what they and the head hold."""

    def values(self, name: str, /) -> Values:
        """Give what ``old``, ``new`` or ``head`` holds."""

    def put(self, name: str, values: Values, /) -> None:
        """Let a user of a side make it so."""

    def pull(self, name: str, /) -> bool:
        """Pull, and hold what is in conflict; tell whether something was committed."""

    def push(self, name: str, /, *, dies: str) -> bool:
        """Push, and maybe die ``before`` or ``after`` the side commits; tell whether it did."""

    def held(self, name: str, /) -> set[str]:
        """Give the subjects that wait at a side."""


class World:
    """Follow each edit through pulls and pushes.

    Args:
        between: What is tried.
    """

    def __init__(self, between: Between) -> None:
        self.between = between
        self.edits = 0
        self.parents: dict[int, set[int]] = {0: set()}
        self.ghosts: dict[str, dict[tuple[str, str], int]] = {"old": {}, "new": {}, "head": {}}
        #: What of a side was accounted for last: a user who changes it and back before anybody
        #: looks did nothing.
        self.known = {name: dict(between.values(name)) for name in ("old", "new")}

    def edit(self, name: str, subject: str, what: str, word: int) -> None:
        """Let a user of a side do something."""
        before = self.between.values(name)
        after = _edited(before, subject, what, word)
        if after == before:
            return
        self.between.put(name, after)
        ghosts = self.ghosts[name]
        for unit in before.keys() | after.keys():
            if before.get(unit) != after.get(unit):
                ghosts[unit] = self._new(ghosts.get(unit, 0))

    def _new(self, *parents: int) -> int:
        self.edits += 1
        self.parents[self.edits] = set(parents)
        return self.edits

    def pull(self, name: str) -> bool:
        """Pull a side: nothing that the head has is lost but to what was made over it."""
        mine, head = self.between.values(name), self.between.values("head")
        moved = self.between.pull(name)
        held, after = self.between.held(name), self.between.values("head")
        ghosts, heads = self.ghosts[name], self.ghosts["head"]
        for unit in mine.keys() | head.keys() | ghosts.keys() | heads.keys():
            if unit[0] in held:
                assert after.get(unit) == head.get(unit), "a held subject was taken"
                continue
            one, two = ghosts.get(unit, 0), heads.get(unit, 0)
            if after.get(unit) != head.get(unit):
                assert after.get(unit) == mine.get(unit)
                is_seen = head.get(unit) == self.known[name].get(unit)
                assert is_seen or self.is_over(two, one), "the head lost what it had not passed on"
                heads[unit] = one
            elif mine.get(unit) == head.get(unit) and one != two:
                ghosts[unit] = heads[unit] = self._joined(one, two)
            self._know(name, unit, mine)
        return moved

    def _know(self, name: str, unit: tuple[str, str], values: Values) -> None:
        self.known[name].pop(unit, None)
        if unit in values:
            self.known[name][unit] = values[unit]

    def _joined(self, one: int, two: int) -> int:
        """Give the head's of two edits that came to the same, or one made over both.

        What a user changed and changed back before anybody looked was never there.
        """
        return two if self.is_over(one, two) or self.is_over(two, one) else self._new(one, two)

    def push(self, name: str, *, dies: str = "") -> bool:
        """Push to a side: nothing is written over that nobody took."""
        mine = self.between.values(name)
        held = self.between.held("old") | self.between.held("new")
        moved = self.between.push(name, dies=dies)
        after, head = self.between.values(name), self.between.values("head")
        ghosts, heads = self.ghosts[name], self.ghosts["head"]
        for unit in mine.keys() | after.keys():
            if after.get(unit) != mine.get(unit):
                assert unit[0] not in held, "a held subject was written to"
                assert after.get(unit) == head.get(unit)
                known = self.known[name].get(unit)
                assert mine.get(unit) == known, "what nobody took is written over"
                ghosts[unit] = heads.get(unit, 0)
                self._know(name, unit, after)
        return moved

    def is_over(self, below: int, above: int) -> bool:
        """Tell whether an edit was made over another one, or is it."""
        seen, ends = set(), [above]
        while ends:
            each = ends.pop()
            if each == below:
                return True
            if each not in seen:
                seen.add(each)
                ends += self.parents[each]
        return False

    def round(self) -> bool:
        """Pull and push both; tell whether anything moved."""
        moved = [self.pull("old"), self.push("new"), self.pull("new"), self.push("old")]
        return any(moved)

    def rest(self) -> None:
        """Come to rest, and hold both sides against the head, but for who waits."""
        rounds = [self.round() for _ in range(3)]
        assert not rounds[-1], "it does not come to rest in two rounds"
        held = self.between.held("old") | self.between.held("new")
        old, new, head = (
            {
                unit: value
                for unit, value in self.between.values(name).items()
                if unit[0] not in held
            }
            for name in ("old", "new", "head")
        )
        assert old == new == head


def _edited(before: Values, subject: str, what: str, word: int) -> Values:
    """Give what a side holds once somebody was added, deleted or changed."""
    after = dict(before)
    if what == "row":
        if (subject, "row") in before:
            return {unit: value for unit, value in before.items() if unit[0] != subject}
        after[subject, "row"], after[subject, "full_name"] = True, WORDS[word]
    elif (subject, "row") in before:
        value: Any = (WORDS if what == "full_name" else PHONES)[word]
        if what in ROLES:
            value = None if (subject, what) in before else True
        after[subject, what] = value
        if value is None:
            del after[subject, what]
    return after
