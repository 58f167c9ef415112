"""The cells of our CSV files: canonical text, points in time without their ``Z``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import NamedTuple

import pandas as pd

from aspen_etl.columns.text import conform_text
from aspen_etl.errors.base import named
from aspen_etl.schema.column_spec import ColumnSpec
from aspen_etl.schema.types import TYPES
from aspen_etl.schema.types.base import by_distinct

__all__ = ["CSV_CELLS", "CsvCells", "csv_cells"]

Convert = Callable[[pd.Series, ColumnSpec], pd.Series]


class CsvCells(NamedTuple):
    """How the values of a type stand in CSV.

    Attributes:
        text: Give the text of each cell, missing where it is.
        parse: Turn such text into values; it raises a ``ValueError`` where a cell is none.
        may_be_empty: Whether an empty field is a value where the column cannot be null.
    """

    text: Convert
    parse: Convert
    may_be_empty: bool = False


def csv_cells(spec: ColumnSpec, /) -> CsvCells:
    """Find how the cells of a column stand in CSV.

    Raises:
        NotSupportedError: There is no such type.
    """
    return named(CSV_CELLS, spec.type, kind="type", noun="type of columns in CSV")


def _canonical(name: str) -> CsvCells:
    kind = TYPES[name]
    return CsvCells(kind.text, kind.parse)


def _parse_text(values: pd.Series, spec: ColumnSpec) -> pd.Series:
    """Read an empty field as '' where the column cannot be null."""
    whole = spec.nullable or not values.hasnans
    return values if whole else conform_text(values.fillna(""))


def _moments(name: str, zone: str) -> CsvCells:
    """Convert each distinct moment once: rows mostly share theirs."""
    kind = TYPES[name]

    def text(values: pd.Series, spec: ColumnSpec) -> pd.Series:
        shown = by_distinct(values, lambda held: kind.text(held, spec))
        return shown.str[: -len(zone)] if zone else shown

    def parse(values: pd.Series, spec: ColumnSpec) -> pd.Series:
        if not spec.nullable and values.hasnans:
            raise ValueError("a moment is missing")
        present = replace(spec, nullable=False)
        return by_distinct(values, lambda texts: kind.parse(conform_text(texts + zone), present))

    return CsvCells(text, parse)


CSV_CELLS: Mapping[str, CsvCells] = {
    "text": CsvCells(TYPES["text"].text, _parse_text, may_be_empty=True),
    "integer": _canonical("integer"),
    "decimal": _canonical("decimal"),
    "date": _canonical("date"),
    "datetime": _moments("datetime", ""),
    "timestamp": _moments("timestamp", "Z"),
    "boolean": _canonical("boolean"),
}
