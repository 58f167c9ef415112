"""Judging: which rows and cells of the source stay out, and why.

Each sheet is held against its rules (``transform.rules``). What comes out is masks and an order:
no cell is moved before ``gather`` makes the accepted rows of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Optional

import numpy as np
import pandas as pd

from aspen_etl.columns import COLUMNS, Mask, Positions
from aspen_etl.columns.frames import make_column, make_frame
from aspen_etl.columns.handing import handed
from aspen_etl.columns.positions import gather as gather_numbers
from aspen_etl.columns.rows import sort_rows
from aspen_etl.columns.threads import map_threads
from aspen_etl.errors import ModelFunctionError
from aspen_etl.schema.lineage import ROW, VALUE, SourceLineage
from aspen_etl.schema.model import Model
from aspen_etl.schema.rule import Rule
from aspen_etl.schema.snapshot import REPEATED_HEADER
from aspen_etl.transform.calling import call
from aspen_etl.transform.cleaning import Sheet
from aspen_etl.transform.rules import duplicate_rule, rules_of

__all__ = ["Fault", "Verdict", "accepted_cells", "gather", "judge", "keys_of"]


@dataclass(frozen=True)
class Fault:
    """Name the rows of one column that break one rule.

    Attributes:
        source: The sheet.
        column: The column.
        rule: The rule's name.
        scope: What stays out: the ``row``, the one ``value``, or the row of a table.
        positions: The rows, from 0, blank rows not counted.
    """

    source: str
    column: str
    rule: str
    scope: str
    positions: Positions


@dataclass(frozen=True)
class Verdict:
    """What is found out of a sheet.

    Attributes:
        order: The accepted rows, in the order of their key.
        rejected: Which rows stay out as a whole.
        dropped: By column, the rows whose cell stays out while their row may go on.
        faults: What is not accepted, in order of columns and rules.
        links: By column that refers to another sheet, the row of that sheet's accepted ones that
            each row refers to, or -1.
        keys: Accepted cells that other sheets are held against, in ``order``, by column.
    """

    order: Positions = field(repr=False)
    rejected: Mask = field(repr=False)
    dropped: Mapping[str, Mask] = field(repr=False)
    faults: tuple[Fault, ...]
    links: Mapping[str, Positions] = field(repr=False)
    keys: Mapping[str, pd.Series] = field(repr=False)


def judge(sheets: Mapping[str, Sheet], model: Model, /) -> dict[str, Verdict]:
    """Hold each sheet against its rules, each after those that it refers to.

    Args:
        sheets: The sheets, as ``clean`` gives them.
        model: The model.

    Raises:
        ModelFunctionError: A builder, or a rule of the model's own, failed.
    """
    rules = rules_of(model)
    verdicts: dict[str, Verdict] = {}
    for name, sheet in sheets.items():
        lineage = model.lineage.sources[name]
        links = {
            column: COLUMNS.find(sheet.clean[column], _only(verdicts[parent].keys))
            for column, parent in lineage.references.items()
        }
        verdicts[name] = _judge(replace(sheet, links=links), rules[name], model)
    return verdicts


def _judge(sheet: Sheet, rules: Sequence[Rule], model: Model) -> Verdict:
    lineage = model.lineage.sources[sheet.name]
    own = model.rules.get(sheet.name, ())
    # A user's function is called in the user's own thread: builders, that look at whole rows.
    aside = [rule for rule in rules if len(rule.columns) == 1 and rule not in own]
    broken = [partial(_broken, sheet, rule) for rule in aside]
    looks: list[Callable[[], Any]] = [partial(_sort, sheet, lineage.key), *broken]
    (order, same), *found = map_threads(lambda look: look(), looks, rows=len(sheet.rows))
    found += [_broken(sheet, rule) for rule in rules if rule not in (*aside, *own)]
    shown = _shown(sheet) if own else sheet
    found += [_broken_own(shown, rule) for rule in own]
    faults = [*_unreadable(sheet, lineage), *(fault for fault in found if fault is not None)]
    rejected = _rows(faults, len(sheet.rows))
    again = _duplicates(order, same, rejected)
    if again.any():
        rule, column = duplicate_rule(sheet.name, model)
        faults.append(Fault(sheet.name, column, rule, ROW, np.flatnonzero(again)))
        rejected = rejected | again
    order = order[~rejected[order]] if rejected.any() else order
    places = list(sheet.clean.columns)
    faults.sort(key=lambda fault: (places.index(fault.column), fault.rule))
    return Verdict(
        order=order,
        rejected=rejected,
        dropped=_dropped(faults, lineage, len(sheet.rows)),
        faults=tuple(faults),
        links=sheet.links,
        keys=keys_of(sheet, order, model),
    )


def _broken(sheet: Sheet, rule: Rule) -> Optional[Fault]:
    """Find the rows of a sheet that break a rule."""
    return _fault(sheet, rule, rule.mask(sheet))


def _fault(sheet: Sheet, rule: Rule, mask: Mask) -> Optional[Fault]:
    rows = np.flatnonzero(mask)
    if not len(rows):
        return None
    return Fault(sheet.name, rule.columns[0], rule.name, rule.scope, rows)


def _shown(sheet: Sheet) -> Sheet:
    """Give a sheet as rules of the model's own see it."""
    return replace(sheet, raw=handed(sheet.raw), clean=handed(sheet.clean))


def _broken_own(sheet: Sheet, rule: Rule) -> Optional[Fault]:
    """Find the rows of a sheet that break a rule of the model's own."""
    what = f"the rule {rule.name!r} of {sheet.name!r}"
    found = call(what, partial(rule.mask, sheet), "rule")
    if isinstance(found, (pd.Series, np.ndarray)) and len(found) == len(sheet.rows):
        values = pd.Series(found).astype(object).to_numpy()
        if all(value is True or value is False or pd.isna(value) for value in values.tolist()):
            return _fault(sheet, rule, values == True)  # noqa: E712 - each cell of it
    msg = f"{what} must give a truth for each row of its sheet, as a Series or an array"
    raise ModelFunctionError(msg, problem="rule", function=what)


def _unreadable(sheet: Sheet, lineage: SourceLineage) -> Iterator[Fault]:
    """Give what the reader could not take as text."""
    for (column, rule), cells in sheet.faults.items():
        if rule == REPEATED_HEADER and column != lineage.key[0]:
            continue  # the row is one reject, not one for each of its cells
        rows = np.sort(cells.index.to_numpy(dtype=np.int64))
        yield Fault(sheet.name, column, rule, lineage.scopes[column], rows)


# ----------------------------------------------------------------------------- rows


def _sort(sheet: Sheet, key: Sequence[str]) -> tuple[Positions, Mask]:
    """Order the rows by key, and tell which have the key of the one before."""
    known = [sheet.links[c] >= 0 if c in sheet.links else sheet.usable[c] for c in key]
    rows = np.flatnonzero(np.logical_and.reduce(known))
    order, same = sort_rows([_key(sheet, column, rows) for column in key])
    return rows[order], same


def _key(sheet: Sheet, column: str, rows: Positions) -> pd.Series:
    if column in sheet.links:
        return make_column(sheet.links[column][rows])
    return COLUMNS.take(sheet.clean[column], rows)


def _rows(faults: Sequence[Fault], length: int) -> Mask:
    """Tell which rows stay out as a whole."""
    rejected = np.zeros(length, dtype=bool)
    for fault in faults:
        if fault.scope == ROW:
            rejected[fault.positions] = True
    return rejected


def _duplicates(order: Positions, same: Mask, rejected: Mask) -> Mask:
    """Tell which rows come after an accepted one of the same key."""
    out = np.zeros(len(rejected), dtype=bool)
    if same.any():
        accepted = ~rejected[order]
        before: Positions = np.cumsum(accepted) - accepted
        first = np.maximum.accumulate(np.where(same, 0, np.arange(len(order))))
        out[order[before - before[first] > 0]] = True
    return out


def _dropped(faults: Sequence[Fault], lineage: SourceLineage, length: int) -> dict[str, Mask]:
    """Tell which cells stay out while their row may go on."""
    dropped: dict[str, Mask] = {}
    for fault in faults:
        if fault.scope == ROW:
            continue
        group = [column for column, scope in lineage.scopes.items() if scope == fault.scope]
        for column in group if fault.scope != VALUE else [fault.column]:
            dropped.setdefault(column, np.zeros(length, dtype=bool))[fault.positions] = True
    return dropped


def keys_of(sheet: Sheet, order: Positions, model: Model) -> dict[str, pd.Series]:
    """Gather the accepted keys of a sheet that another one refers to."""
    others = model.lineage.sources.values()
    if not any(sheet.name in lineage.references.values() for lineage in others):
        return {}
    column = model.lineage.sources[sheet.name].key[0]
    return {column: _gathered(sheet.clean[column], order)}


def _only(keys: Mapping[str, pd.Series]) -> pd.Series:
    (key,) = keys.values()
    return key


# ----------------------------------------------------------------------------- gathering


def gather(
    sheets: Mapping[str, Sheet], verdicts: Mapping[str, Verdict], /
) -> dict[str, pd.DataFrame]:
    """Gather the accepted rows of each sheet, without the rejected cells.

    Args:
        sheets: The sheets, as ``clean`` gives them.
        verdicts: What ``judge`` says of them.

    Returns:
        The accepted rows, clean, in the order of their key; rejected cells are missing; a column
        that refers to another sheet holds the row number there.
    """
    places = [(name, str(column)) for name in sheets for column in sheets[name].clean.columns]
    most = max((len(verdict.order) for verdict in verdicts.values()), default=0)
    found = map_threads(
        lambda place: accepted_cells(sheets[place[0]], verdicts[place[0]], place[1]),
        places,
        rows=most,
    )
    columns = dict(zip(places, found))
    return {
        name: make_frame(
            {column: columns[name, column] for column in sheet.clean.columns},
            pd.RangeIndex(len(verdicts[name].order)),
        )
        for name, sheet in sheets.items()
    }


def accepted_cells(sheet: Sheet, verdict: Verdict, column: str) -> pd.Series:
    """Gather the accepted cells of one column, as ``gather`` does."""
    rows = verdict.order
    if column in verdict.dropped:
        rows = np.where(verdict.dropped[column][rows], -1, rows)
    if column in verdict.links:
        return make_column(gather_numbers(verdict.links[column], rows))
    if column in verdict.keys:
        return verdict.keys[column]  # a row whose key is at fault is not accepted
    return _gathered(sheet.clean[column], rows)


def _gathered(values: pd.Series, rows: Positions) -> pd.Series:
    """Gather rows in one piece, as what looks at a whole column many times wants it."""
    return COLUMNS.concat([COLUMNS.take(values, rows)])
