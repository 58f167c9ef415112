"""A first model of a source: what was found in it, written as a module, a test and a next step."""

from __future__ import annotations

import os
import textwrap
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any, Optional, Union

import pandas as pd

from aspen_etl.columns.frames import make_frame
from aspen_etl.errors import ExtractError, HeaderError
from aspen_etl.inference.checking import Reader, write_test
from aspen_etl.inference.declaring import Declared, declare
from aspen_etl.inference.study import study
from aspen_etl.inference.writing import write_model
from aspen_etl.io.formats import WORKBOOK_SUFFIXES
from aspen_etl.io.places import SHEET_SUFFIXES, Source
from aspen_etl.io.reading import Reading
from aspen_etl.io.sheets import read_sheets
from aspen_etl.schema.headers import header_text, identifier
from aspen_etl.schema.values import Extract

__all__ = ["Proposal", "propose_model"]

_ABOUT = (
    "A first model, proposed by aspen-etl init: read it, then change it.\n\n"
    "It was made of {sheets}. What it says of these rows may not hold for those to come.\n"
)
_WIDTH = 88
#: What may hold a secret, or is no word for a text.
_UNTOLD = ("limits", "storage_options")


@dataclass(frozen=True)
class Proposal:
    """A first model of a source.

    Attributes:
        model: The text of a module that holds it as ``MODEL``.
        tables: The number of columns of each table, by the name of its class.
        notes: What a reader should look at, as it stands in the text, and where.
        options: What ``read_extract`` must be told to read this source, beside the model and
            ``storage_options``, which may hold a secret; or ``read_database`` that of it.
        read_by: What reads the source: ``read_extract``, or ``read_database``.
    """

    model: str = field(repr=False)
    tables: Mapping[str, int]
    notes: Mapping[str, tuple[str, ...]]
    options: Mapping[str, Any] = field(repr=False)
    read_by: Reader = "extract"

    @classmethod
    def of_classes(
        cls,
        sheets: str,
        classes: Sequence[Declared],
        options: Mapping[str, Any],
        read_by: Reader = "extract",
        /,
    ) -> Proposal:
        """Write classes down.

        Args:
            sheets: What they were made of.
            classes: The classes, each after those that it refers to.
            options: What the source must be read with.
            read_by: What reads it.
        """
        return cls(
            model=write_model(_about(sheets), classes),
            tables={each.name: len(each.lines) for each in classes},
            notes=_notes(classes),
            options=options,
            read_by=read_by,
        )

    def test(self, module: str, source: Union[str, PurePath, Mapping[str, str]], /) -> str:
        """Give the text of a test that normalizes the source, and asserts that nothing is lost.

        Args:
            module: The name of the module that holds the model.
            source: The source: a path as seen from where the test stands, a url, or urls by
                sheet.
        """
        return write_test(module, source, self.options, self.read_by)


def propose_model(
    source: Union[Source, Extract],
    /,
    *,
    name: Optional[str] = None,
    keys: Optional[Mapping[str, Union[str, Sequence[str]]]] = None,
    read_options: Optional[Mapping[str, Any]] = None,
) -> Proposal:
    """Look at every cell of a source, and propose a model of it.

    Types are those that all cells fit. A key is unique and never missing; columns refer to another
    sheet where 95 % of their cells are keys there; columns that a key-like one determines, beyond
    what chance would do, are an entity. What more than one type fits is text, with a note.

    Args:
        source: What ``read_extract`` takes, or an extract, whose sheets may have any headers.
        name: What its only table is called where the sheet's own name says nothing; the name of
            the file by default.
        keys: The key of a sheet, as a column or several, where it is not to be found; rows that
            repeat it become rejects.
        read_options: What ``read_extract`` takes beside the model: ``sheets``, ``na_values``,
            ``header_row``, ``ignore_columns`` and so on.

    Returns:
        The model as a text that holds no cell, but for words of booleans; with it ``normalize``
        takes the same source at once.

    Raises:
        ExtractError: Nothing tells the rows of a sheet apart; the text names what is nearest.
        AspenETLError: What ``read_extract`` raises.

    Examples:
        >>> import pandas as pd
        >>> visits = pd.DataFrame({"Visit No": ["V1", "V2"], "Fee": ["12.50", "9"]})
        >>> print(propose_model(Extract(visits=visits)).model.partition("class ")[2])
        Visit(Table, source="visits"):
            visit_no: Series[str] = column(natural_key=True, length=10)
            fee: Series[Decimal] = column(precision=12, scale=2)
        <BLANKLINE>
        <BLANKLINE>
        MODEL = Model.of(tables=[Visit])
        <BLANKLINE>
    """
    reading = Reading.of(read_options)
    extract = _named(source) if isinstance(source, Extract) else read_sheets(source, reading)
    named = {
        _spelt(sheet, extract): [
            _spelt(each, extract.get(_spelt(sheet, extract), ()))
            for each in ([held] if isinstance(held, str) else held)
        ]
        for sheet, held in (keys or {}).items()
    }
    found = study(extract, named)
    classes = declare(found, name or _stem(source))
    sheets = [f"{sheet.name} ({sheet.rows:,} rows)" for sheet in found.sheets.values()]
    options = {name: told for name, told in reading.keywords().items() if name not in _UNTOLD}
    return Proposal.of_classes(", ".join(sheets), classes, options)


def _stem(source: Union[Source, Extract]) -> str:
    """Give the name of a file as an identifier."""
    if isinstance(source, Mapping):
        return "row"
    last = os.fspath(source).rstrip("/\\").replace("\\", "/").rpartition("/")[2]
    for suffix in (*SHEET_SUFFIXES, *WORKBOOK_SUFFIXES):
        last = last[: -len(suffix)] if last.lower().endswith(suffix) else last
    return identifier(last) or "row"


def _spelt(name: str, known: Container[str]) -> str:
    """Give the name of a sheet or column as an identifier, if it is no name but stands for one."""
    plain = identifier(name)
    return plain if name not in known and plain in known else name


def _named(extract: Extract) -> Extract:
    """Give sheets whose columns have the names that their headers have as identifiers."""
    frames: dict[str, pd.DataFrame] = {}
    for sheet, frame in extract.items():
        if identifier(sheet) != sheet:
            msg = (
                f"the sheet {sheet!r} is no identifier; give it as {identifier(sheet) or 'rows'!r}"
            )
            raise ExtractError(msg, sheet=sheet)
        headers = [header_text(each) for each in frame.columns]
        names = [identifier(each) or f"column_{at}" for at, each in enumerate(headers, 1)]
        for column in names:
            if names.count(column) > 1:
                places = [at for at, each in enumerate(names, 1) if each == column]
                raise HeaderError.duplicate_column(sheet, column, places)
        frames[sheet] = make_frame(
            {column: frame.iloc[:, at] for at, column in enumerate(names)}, frame.index
        )
    return Extract.from_frames(frames, faults=extract.faults)


def _about(sheets: str) -> str:
    return "\n".join(
        line
        for part in _ABOUT.format(sheets=sheets).split("\n")
        for line in textwrap.wrap(part, _WIDTH) or [""]
    )


def _notes(classes: Sequence[Declared]) -> dict[str, tuple[str, ...]]:
    places: dict[str, tuple[str, ...]] = {}
    for each in classes:
        told = [(each.name, each.note)]
        told += [(f"{each.name}.{line.name}", line.note) for line in each.lines]
        for where, note in told:
            if note:
                places[note] = (*places.get(note, ()), where)
    return places
