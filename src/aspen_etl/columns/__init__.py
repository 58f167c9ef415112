"""Columns of text: what every room above does with them, by Arrow or by pandas."""

from aspen_etl.columns.chosen import COLUMNS
from aspen_etl.columns.protocol import Columns, Mask, Positions

__all__ = ["COLUMNS", "Columns", "Mask", "Positions"]
