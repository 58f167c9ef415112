"""Settling entities: what rows say of one thing becomes one thing.

Of rows that name the same entity each is put to the vote, column by column, and downward: first in
which city a clinic is, then what is true of the city. What comes out is *agreed* sheets, in which
every row holds its entities' values; what lost is a reject.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
import pandas as pd

from aspen_etl.columns import COLUMNS, Mask, Positions
from aspen_etl.columns.frames import make_frame
from aspen_etl.columns.positions import gather
from aspen_etl.columns.rows import are_present, are_whole, number_rows
from aspen_etl.schema.column_spec import ColumnSpec
from aspen_etl.schema.feeding import Feed
from aspen_etl.schema.keywords import EntityFacts
from aspen_etl.schema.lineage import ROW, VALUE
from aspen_etl.schema.model import Model
from aspen_etl.schema.spec import TableSpec
from aspen_etl.transform.judging import Fault, Verdict
from aspen_etl.transform.keeping import Kept
from aspen_etl.transform.leading import text_of_cells
from aspen_etl.transform.voting import Ballot, rank_cells, rank_rows, vote

__all__ = ["Agreed", "agree"]


class Agreed(NamedTuple):
    """What rows agree on.

    Attributes:
        rows: By sheet, the rows, each with its entities' values.
        faults: The cells that lost a vote, or belong to an entity whose key is not whole.
        unmade: What must stay out since an entity cannot be made: it lacks what must not be null.
            Where there is any, the rest is not settled yet.
        given: The sheets and columns of which a row holds another cell than before.
    """

    rows: Mapping[str, pd.DataFrame]
    faults: tuple[Fault, ...]
    unmade: tuple[Fault, ...]
    given: frozenset[tuple[str, str]]


def agree(kept: Kept, verdicts: Mapping[str, Verdict], model: Model, /) -> Agreed:
    """Settle what the rows of sheets say of entities.

    The accepted rows vote. A row of before that stays has no say; what it holds counts where no
    accepted row says anything, and else it follows its entities.

    Args:
        kept: The rows that a run goes on with.
        verdicts: What ``judge`` says of the sheets that they come from.
        model: The model.
    """
    order = [name for name in reversed(model.lineage.table_order) if name in model.lineage.entities]
    if not order:
        return Agreed(kept.rows, (), (), frozenset())
    work = _Settling(kept, verdicts, model)
    for name in order:  # what refers comes before what it refers to
        work.settle(model.tables[name])
    unmade = [fault for name in order for fault in work.unmade(model.tables[name])]
    rows = {
        sheet: make_frame(columns, pd.RangeIndex(len(kept.rows[sheet])))
        for sheet, columns in work.cells.items()
    }
    return Agreed(rows, tuple(work.faults), tuple(unmade), frozenset(work.given))


class _Numbered(NamedTuple):
    """The entity of each row of the sheets that feed it, and how many there are."""

    rows: Mapping[Feed, Positions]
    entities: int


class _Said(NamedTuple):
    """What rows say of one column of an entity, in the cells that hold it, sheet after sheet.

    Attributes:
        key: The entity of each row.
        read: The row of the sheet as read of each row; -1 for one of before.
    """

    spec: ColumnSpec
    feeds: tuple[Feed, ...]
    columns: list[pd.Series]
    key: Positions
    read: Positions


class _Settling:
    """Settle one entity after the other.

    Attributes:
        cells: By sheet, the columns as they are settled so far.
        read: By sheet, the row of the sheet as read of each row; -1 for one of before.
        faults: The cells that stay out.
        given: The sheets and columns of which a row holds another cell than before.
    """

    def __init__(self, kept: Kept, verdicts: Mapping[str, Verdict], model: Model) -> None:
        self.model, self.before = model, kept.rows
        self.cells = {
            sheet: {str(name): values for name, values in frame.items()}
            for sheet, frame in kept.rows.items()
        }
        self.read: dict[str, Positions] = {}
        for sheet, frame in kept.rows.items():
            self.read[sheet] = np.full(len(frame), -1, dtype=np.int64)
            self.read[sheet][kept.now[sheet]] = verdicts[sheet].order
        self.faults: list[Fault] = []
        self.given: set[tuple[str, str]] = set()
        self.numbered: dict[str, _Numbered] = {}

    def settle(self, table: TableSpec) -> None:
        """Let rows of one entity hold one value in each of its columns."""
        feeds = self.model.lineage.tables[table.name].feeds
        for feed in feeds:
            self._leave_out(feed)
        numbered = self.numbered[table.name] = self._number(feeds)
        for spec in table.own_columns:
            some = tuple(feed for feed in feeds if spec.name in feed.columns)
            if spec.name not in table.natural_key and some:
                self._vote(table, self._said(spec, some, numbered), numbered.entities)

    def _leave_out(self, feed: Feed) -> None:
        """Leave out what rows say of an entity without naming it."""
        absent = ~are_whole([self.cells[feed.sheet][name] for name in feed.key])
        for name in feed.under if absent.any() else ():
            self._drop(feed.sheet, name, absent, f"incomplete_{feed.entity}", feed.entity)

    def _number(self, feeds: Sequence[Feed]) -> _Numbered:
        parts = [[self.cells[feed.sheet][name] for name in feed.key] for feed in feeds]
        codes, count = number_rows([COLUMNS.concat(columns) for columns in zip(*parts)])
        ends = np.cumsum([len(part[0]) for part in parts])
        return _Numbered(dict(zip(feeds, np.split(codes, ends[:-1]))), count)

    def _said(self, spec: ColumnSpec, feeds: tuple[Feed, ...], numbered: _Numbered) -> _Said:
        parts = [[self.cells[feed.sheet][n] for n in feed.columns[spec.name]] for feed in feeds]
        return _Said(
            spec,
            feeds,
            [COLUMNS.concat(columns) for columns in zip(*parts)],
            np.concatenate([numbered.rows[feed] for feed in feeds]),
            np.concatenate([self.read[feed.sheet] for feed in feeds]),
        )

    # ------------------------------------------------------------------------- votes

    def _vote(self, table: TableSpec, said: _Said, count: int) -> None:
        value, distinct = number_rows(said.columns)
        holder = np.full(distinct + 1, -1, dtype=np.int64)  # the last one is that of no value
        holder[value] = np.arange(len(value))
        facts = table.entity or EntityFacts()
        rank = partial(self._rank, said, holder)
        latest = None if facts.newest is None else partial(self._latest, said, facts.newest)
        now = said.read >= 0
        key = np.where(now, said.key, -1)
        win = vote(Ballot(key, count, value, rank, latest, facts.conflict == "reject"))
        if not now.all():
            then = vote(Ballot(np.where(now, -1, said.key), count, value, rank))
            win = np.where(win < 0, then, win)
        want = gather(win, said.key)
        rows = np.flatnonzero((said.key >= 0) & (value != want))
        if len(rows):
            self._give(said, rows, gather(holder, want[rows]))

    def _rank(self, said: _Said, holder: Positions, values: Positions) -> Positions:
        sheet, names = said.feeds[0].sheet, said.feeds[0].columns[said.spec.name]
        cells = (COLUMNS.take(column, holder[values]) for column in said.columns)
        return rank_rows([self._places(sheet, *each) for each in zip(names, cells)])

    def _latest(self, said: _Said, newest: str, rows: Positions) -> Positions:
        sheet, _, column = newest.partition(".")
        out = np.full(len(rows), -1, dtype=np.int64)
        start = 0
        for feed in said.feeds:
            length = len(self.before[feed.sheet])
            if feed.sheet == sheet:
                mine = np.flatnonzero((rows >= start) & (rows < start + length))
                cells = COLUMNS.take(self.before[sheet][column], rows[mine] - start)
                out[mine] = self._places(sheet, column, cells)
            start += length
        return out

    def _places(self, sheet: str, column: str, cells: pd.Series) -> Positions:
        """Give the place of each cell of a column in the order of its values."""
        texts = text_of_cells(self.before, sheet, column, cells, self.model)
        return rank_cells(texts, self.model.lineage.cells[f"{sheet}.{column}"])

    def _give(self, said: _Said, rows: Positions, winners: Positions) -> None:
        """Give rows the cells of others, and leave out what they said."""
        start = 0
        for feed in said.feeds:
            length = len(self.read[feed.sheet])
            some = np.flatnonzero((rows >= start) & (rows < start + length))
            mine = rows[some] - start
            lost = np.zeros(len(mine), dtype=bool)
            names = feed.columns[said.spec.name]
            for column, name in zip(said.columns, names):
                new = COLUMNS.take(column, winners[some])
                old = COLUMNS.take(column, rows[some])
                gone = are_present(old) & COLUMNS.differ(old, new)
                self._reject(feed.sheet, name, mine[gone], self._conflict(feed, name), VALUE)
                lost |= gone
                self._put(feed.sheet, name, mine, new)
            self._drop_beyond(feed, said.spec, mine[lost])
            start += length

    def _drop_beyond(self, feed: Feed, spec: ColumnSpec, rows: Positions) -> None:
        """Leave out what losers say of the entity that they wrongly refer to."""
        names = feed.columns[spec.name]
        for target in self.model.lineage.feeds_of(feed.sheet):
            if len(rows) and target.path == (*feed.path, spec.name):
                mask = np.zeros(len(self.read[feed.sheet]), dtype=bool)
                mask[rows] = True
                for name in target.under:
                    if name not in names:
                        self._drop(feed.sheet, name, mask, self._conflict(feed, names[0]), VALUE)

    def _label(self, feed: Feed, column: str) -> str:
        return self.model.sources[feed.sheet].columns[column].label

    def _conflict(self, feed: Feed, column: str) -> str:
        return f"conflicting_{self._label(feed, column)}"

    # ------------------------------------------------------------------------- cells

    def _drop(self, sheet: str, column: str, rows: Mask, rule: str, scope: str) -> None:
        """Leave out the cells that some rows have in a column."""
        held = np.flatnonzero(rows & are_present(self.cells[sheet][column]))
        if len(held):
            self._reject(sheet, column, held, rule, scope)
            nothing = np.full(len(held), -1, dtype=np.int64)
            self._put(sheet, column, held, COLUMNS.take(self.cells[sheet][column], nothing))

    def _put(self, sheet: str, column: str, rows: Positions, cells: pd.Series) -> None:
        values = self.cells[sheet][column]
        at = np.arange(len(values), dtype=np.int64)
        at[rows] = len(values) + np.arange(len(rows))
        self.cells[sheet][column] = COLUMNS.take(COLUMNS.concat([values, cells]), at)
        self.given.add((sheet, column))

    def _reject(self, sheet: str, column: str, rows: Positions, rule: str, scope: str) -> None:
        """List cells of accepted rows as rejects; what rows of before say goes without."""
        read = self.read[sheet][rows]
        if (read >= 0).any():
            self.faults.append(Fault(sheet, column, rule, scope, np.sort(read[read >= 0])))

    # ------------------------------------------------------------------------- what cannot be made

    def unmade(self, table: TableSpec) -> list[Fault]:
        """List what must stay out since an entity lacks what must not be null."""
        feeds, out = self.model.lineage.tables[table.name].feeds, []
        numbered = self.numbered[table.name]
        for spec in table.own_columns:
            some = [feed for feed in feeds if spec.name in feed.columns]
            if spec.nullable or spec.name in table.natural_key or not some:
                continue
            lacks = np.ones(numbered.entities, dtype=bool)
            for feed in some:
                held = are_whole([self.cells[feed.sheet][name] for name in feed.columns[spec.name]])
                lacks[numbered.rows[feed][held & (numbered.rows[feed] >= 0)]] = False
            if lacks.any():
                rule = f"missing_{self._label(some[0], some[0].columns[spec.name][0])}"
                for feed in feeds:
                    rows = (numbered.rows[feed] >= 0) & lacks[numbered.rows[feed]]
                    out += self._lose(feed, spec, rows & (self.read[feed.sheet] >= 0), rule)
        return out

    def _lose(self, feed: Feed, spec: ColumnSpec, rows: Mask, rule: str) -> list[Fault]:
        """Leave out rows of an entity that cannot be made, or what they say of it."""
        read, lost = self.read[feed.sheet], feed
        while lost.in_key and lost.holder is not None:  # what is known by it is not made, either
            above = lost.path[:-1]
            lost = next(f for f in self.model.lineage.feeds_of(feed.sheet) if f.path == above)
        if lost.required:
            name = feed.columns.get(spec.name, feed.key)[0]
            found = [(name, ROW, rows)]
        else:
            before = self.before[feed.sheet]
            for name in feed.key:
                rows = rows & ~COLUMNS.differ(before[name], self.cells[feed.sheet][name])
            found = [(n, lost.entity, rows & are_present(before[n])) for n in lost.under]
        facts, out = self.model.tables[feed.entity].entity, []
        told = feed.columns.get(spec.name, ()) if facts and facts.conflict == "reject" else ()
        for name, scope, some in found:
            said = some & are_present(self.before[feed.sheet][name]) & (name in told)
            for named, rows in ((rule, some & ~said), (self._conflict(feed, name), said)):
                if rows.any():
                    out.append(Fault(feed.sheet, name, named, scope, np.sort(read[rows])))
        return out
