"""References: the columns of a sheet that hold the keys of another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from aspen_etl.columns import COLUMNS
from aspen_etl.inference.columns import Column, Sheet
from aspen_etl.inference.keys import Key
from aspen_etl.inference.names import points_at, singular

__all__ = ["find_references", "share_found"]

#: So many of the cells are keys of the other sheet; the others become rejects.
_MOST = 0.95

#: A sheet and a column of it.
_Place = tuple[str, str]


def find_references(sheets: Mapping[str, Sheet], keys: Mapping[str, Key], /) -> dict[_Place, str]:
    """Give the sheet that each column refers to, where it refers to one.

    A column refers to a sheet with a key of one column if it is called like it, and nearly all of
    its cells are keys there. No sheet refers to itself, be it by way of others.
    """
    found: dict[_Place, str] = {}
    for (sheet, column), target in _likely(sheets, keys):
        if (sheet, column) not in found and not _reaches(found, target, sheet):
            found[sheet, column] = target
    return found


def share_found(column: Column, keys: Column, /) -> float:
    """Give the share of the cells of a column that are among those of another."""
    if not column.present:
        return 0.0
    hit = COLUMNS.find(column.cells, keys.cells) >= 0
    return float(column.counts[hit].sum() / column.present)


def _likely(sheets: Mapping[str, Sheet], keys: Mapping[str, Key]) -> Iterator[tuple[_Place, str]]:
    """Give what may refer to what; of two sheets with one key, the smaller one refers last."""
    order = sorted(sheets.values(), key=lambda sheet: not _names_itself(sheet, keys))
    for target in order:
        key = keys[target.name].single
        if key is None:
            continue
        for sheet in sheets.values():
            for name, column in sheet.columns.items():
                is_other = sheet.name != target.name
                if (
                    is_other
                    and points_at(name, target.name, key)
                    and share_found(column, target[key]) >= _MOST
                ):
                    yield (sheet.name, name), target.name


def _names_itself(sheet: Sheet, keys: Mapping[str, Key]) -> bool:
    """Tell whether a key is called like its sheet, so that another sheet's of this name is not."""
    key = keys[sheet.name].single
    return key is not None and (key == "id" or key.startswith(singular(sheet.name)))


def _reaches(found: Mapping[_Place, str], start: str, end: str) -> bool:
    """Tell whether a sheet refers to another, be it by way of others."""
    steps = {target for (sheet, _), target in found.items() if sheet == start}
    return start == end or any(_reaches(found, step, end) for step in steps)
