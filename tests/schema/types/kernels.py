"""The ways in which types work, and what tests ask of them."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Any, Optional

import pandas as pd
import pytest

from aspen_etl.columns import COLUMNS
from aspen_etl.columns.dtypes import HAS_ARROW
from aspen_etl.columns.plain import Plain
from aspen_etl.columns.protocol import Columns
from aspen_etl.columns.text import HELD_BY_ARROW, conform_text
from aspen_etl.schema.column_spec import ColumnSpec
from aspen_etl.schema.types import TYPES

Cells = list[Optional[str]]

TYPE_MODULES = ("base", "boolean", "date", "decimal", "integer", "moment")
ASKING = (
    *(f"aspen_etl.schema.types.{name}" for name in TYPE_MODULES),
    *(f"aspen_etl.columns.{name}" for name in ("conversion", "rows", "scanning")),
)
KNOWING_ARROW = (
    "aspen_etl.columns.decimals",
    "aspen_etl.columns.dtypes",
    "aspen_etl.schema.types.decimal",
)


@dataclass(frozen=True)
class Kernel:
    """One way to work: who answers for text, whether Arrow holds decimals, and at what length.

    Attributes:
        name: What the way is called.
        columns: What answers for columns of text.
        arrow: Whether decimals are Arrow's.
        many: From how many cells on a column is taken at once.
    """

    name: str
    columns: Columns
    arrow: bool
    many: int

    def use(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for module in map(importlib.import_module, ASKING):
            if hasattr(module, "COLUMNS"):
                monkeypatch.setattr(module, "COLUMNS", self.columns)
        for module in map(importlib.import_module, KNOWING_ARROW):
            monkeypatch.setattr(module, "HAS_ARROW", self.arrow)
        base = importlib.import_module("aspen_etl.schema.types.base")
        monkeypatch.setattr(base, "_MANY", self.many)


_NEVER = 1 << 60
KERNELS = [
    Kernel("plain, by cells", Plain(), arrow=False, many=_NEVER),
    Kernel("plain, at once", Plain(), arrow=False, many=1),
]
if HAS_ARROW:
    KERNELS += [
        Kernel("Arrow, by cells", COLUMNS, arrow=True, many=_NEVER),
        Kernel("Arrow, at once", COLUMNS, arrow=True, many=1),
    ]
if HELD_BY_ARROW:
    KERNELS.append(Kernel("plain text, decimals of Arrow", Plain(), arrow=True, many=1))


def column(cells: Cells) -> pd.Series:
    """Make a column of text, whose index is not new."""
    made = conform_text(pd.Series(cells, dtype=object))
    return made.set_axis(pd.RangeIndex(5, 5 + len(made)))


def texts(values: pd.Series) -> Cells:
    return [cell if isinstance(cell, str) else None for cell in values.tolist()]


def a_column(kind: Any, **facts: Any) -> ColumnSpec:
    return ColumnSpec("amount", kind, **{"nullable": True, **facts})


def judge(cells: Cells, spec: ColumnSpec) -> list[Optional[str]]:
    """Give the canonical text of each cell, or the rule that it breaks; look at what must hold."""
    found = TYPES[spec.type].canonical(column(cells), spec)
    assert found.text.index.equals(pd.RangeIndex(len(cells)))
    assert found.text.dtype == column([]).dtype
    out = texts(found.text)
    assert set(found.faults) <= set(TYPES[spec.type].rules(spec))
    for rule, mask in found.faults.items():
        assert mask.any()
        for place in mask.nonzero()[0]:
            assert out[place] is None, "a cell breaks two rules, or is canonical"
            out[place] = rule
    kept = [cell for cell in texts(found.text) if cell is not None]
    assert len(kept) + sum(int(mask.sum()) for mask in found.faults.values()) == sum(
        cell is not None for cell in cells
    )
    repaired = [text is not None and text != cell for cell, text in zip(cells, texts(found.text))]
    assert found.repaired.tolist() == repaired
    return out


def round_trip(cells: Cells, spec: ColumnSpec) -> None:
    """Canonical text is canonical, and values of it give it back, in the dtype of the column."""
    kind = TYPES[spec.type]
    assert judge(cells, spec) == cells
    values = kind.parse(column(cells), spec)
    assert values.dtype == spec.held_dtype
    assert values.index.equals(pd.RangeIndex(len(cells)))
    assert values.isna().tolist() == [cell is None for cell in cells]
    again = kind.text(values.set_axis(pd.RangeIndex(7, 7 + len(values))), spec)
    assert texts(again) == cells
    assert again.dtype == column([]).dtype
    assert again.index.equals(pd.RangeIndex(len(cells)))
