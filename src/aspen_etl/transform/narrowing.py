"""Narrowing a verdict: more cells and rows stay out, and what refers to these with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from aspen_etl.columns import Mask, Positions
from aspen_etl.columns.positions import gather
from aspen_etl.schema.lineage import ROW
from aspen_etl.schema.model import Model
from aspen_etl.transform.cleaning import Sheet
from aspen_etl.transform.judging import Fault, Verdict, keys_of

__all__ = ["narrow"]


def narrow(
    sheets: Mapping[str, Sheet],
    verdicts: Mapping[str, Verdict],
    faults: Sequence[Fault],
    model: Model,
    /,
) -> dict[str, Verdict]:
    """Add faults to the verdicts of sheets; rejects only grow.

    A row that refers to one that now stays out breaks ``unknown_<sheet>``. A duplicate of such a
    row stays out as it did.

    Args:
        sheets: The sheets, as ``clean`` gives them.
        verdicts: What is found out of them so far.
        faults: What else stays out.
        model: The model.
    """
    if not faults:
        return dict(verdicts)
    out: dict[str, Verdict] = {}
    moved: dict[str, Positions] = {}
    for name, verdict in verdicts.items():
        lineage = model.lineage.sources[name]
        links, more = dict(verdict.links), [fault for fault in faults if fault.source == name]
        for column, parent in lineage.references.items():
            links[column] = gather(moved[parent], verdict.links[column])
            lost = (verdict.links[column] >= 0) & (links[column] < 0) & ~verdict.rejected
            if lost.any():
                rule, scope = f"unknown_{parent}", lineage.scopes[column]
                more.append(Fault(name, column, rule, scope, np.flatnonzero(lost)))
        out[name] = _add(sheets[name], replace(verdict, links=links), more, model)
        moved[name] = _moved(verdict.order, out[name].rejected)
    return out


def _add(sheet: Sheet, verdict: Verdict, more: Sequence[Fault], model: Model) -> Verdict:
    rejected, dropped = verdict.rejected.copy(), dict(verdict.dropped)
    for fault in more:
        if fault.scope == ROW:
            rejected[fault.positions] = True
        else:
            cells = dropped.get(fault.column, np.zeros(len(rejected), dtype=bool)).copy()
            cells[fault.positions] = True
            dropped[fault.column] = cells
    order = verdict.order[~rejected[verdict.order]]
    places = list(sheet.clean.columns)
    faults = sorted(
        (*verdict.faults, *more), key=lambda fault: (places.index(fault.column), fault.rule)
    )
    return replace(
        verdict,
        order=order,
        rejected=rejected,
        dropped=dropped,
        faults=tuple(faults),
        keys=keys_of(sheet, order, model),
    )


def _moved(order: Positions, rejected: Mask) -> Positions:
    """Tell where each row of an order stands after some of them are gone; -1 is gone."""
    stays = ~rejected[order]
    return np.where(stays, np.cumsum(stays) - 1, -1)
