"""Read an extract: from a workbook, a folder or one url per sheet to frames of text."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Optional, Union

import pandas as pd

from aspen_etl.errors import (
    ExtractError,
    NotAWorkbookError,
    SourceNotFoundError,
    UnknownColumnError,
    UnsupportedFormatError,
)
from aspen_etl.io._package import OLE_MAGIC, ZIP_MAGIC
from aspen_etl.io.columnar import PARQUET_MAGIC, read_parquet
from aspen_etl.io.delimited import GZIP_MAGIC, gunzip, read_csv
from aspen_etl.io.filesystem import Location, Url, locate
from aspen_etl.io.limits import ReadLimits
from aspen_etl.io.raw import RawSheet, Request
from aspen_etl.io.workbook import read_workbook
from aspen_etl.schema.conversion import as_text
from aspen_etl.schema.frames import Extract, make_frame
from aspen_etl.schema.headers import match_headers
from aspen_etl.schema.text import WHITE_SPACE
from aspen_etl.threads import UNKNOWN_ROWS, map_threads
from aspen_etl.transform import BORROWER_MODEL

if TYPE_CHECKING:
    from aspen_etl.schema.model import Model
    from aspen_etl.schema.spec import SourceSpec

__all__ = [
    "SHEET_SUFFIXES",
    "WORKBOOK_SUFFIXES",
    "Source",
    "read_extract",
    "source_places",
]

#: What names the source: a workbook or a folder, or a url for each sheet.
Source = Union[Url, Mapping[str, Url]]

#: What the name of a file with one sheet, and of a workbook, ends in.
SHEET_SUFFIXES = (".csv", ".csv.gz", ".parquet")
WORKBOOK_SUFFIXES = (".xlsx", ".xlsm")


def read_extract(  # noqa: PLR0913 - one call says everything about a file, each option alone
    source: Source,
    /,
    *,
    model: Model = BORROWER_MODEL,
    storage_options: Mapping[str, Any] | None = None,
    na_values: Iterable[str] = (),
    sheets: Mapping[str, str] | None = None,
    columns: Mapping[str, str] | None = None,
    header_row: int | None = None,
    ignore_columns: Collection[str] = (),
    limits: ReadLimits = ReadLimits(),  # noqa: B008 - a frozen value
) -> Extract:
    r"""Read the sheets of a model, every cell text or missing, and nothing else.

    Args:
        source: The fsspec url or local path of an .xlsx or .xlsm workbook, or of a folder
            that holds ``<source>.csv``, ``<source>.csv.gz`` or ``<source>.parquet``; or such
            a url for each source of the model.
        model: What to read.
        storage_options: What the filesystem takes: credentials, endpoint.
        na_values: The texts, beside the empty one, that stand for a missing cell.
        sheets: The name of the workbook's sheet, or of the folder's file, by source.
        columns: The model's name of a column by its header, where they differ.
        header_row: The number of the header's row, as the spreadsheet shows it; by default
            the first row that is not blank.
        ignore_columns: The headers of columns to leave out.
        limits: How much to take in.

    Returns:
        The sheets, their rows numbered as in the spreadsheet, with the cells that hold no
        text as ``faults`` and counts of hidden rows and merged cells as ``notes``.

    Raises:
        SourceNotFoundError: There is nothing at the url.
        SourceAccessError: The storage refuses access.
        ReadError: The storage answers with an error, or not at all.
        MissingDependencyError: The url or the format needs a package that is not installed.
        ExtractError: The file is not what it should be; each kind has a class of its own.

    Examples:
        >>> import fsspec
        >>> with fsspec.open_files(["memory://in/borrower.csv"], "w")[0] as file:
        ...     _ = file.write(
        ...         "id,full_name,street,city,state,zip_code,phone_home,phone_cell,email\n"
        ...     )
        >>> with fsspec.open_files(["memory://in/role_profile.csv"], "w")[0] as file:
        ...     _ = file.write("borrower_id,role_profile\n")
        >>> read_extract("memory://in")
        <Extract borrower: 0, role_profile: 0>
    """
    options = _Options(
        tuple(na_values),
        dict(sheets or {}),
        dict(columns or {}),
        header_row,
        ignore_columns,
        limits,
    )
    _check_names(options, model)
    files = _files(source, model, storage_options, options)
    read = map_threads(
        lambda item: _read_file(item[0], {n: model.sources[n] for n in item[1]}, options),
        files.items(),
        rows=UNKNOWN_ROWS,
    )
    raw = {name: sheet for sheets_of in read for name, sheet in sheets_of.items()}
    frames, faults = {}, []
    for name, spec in model.sources.items():
        frames[name], found = _frame(raw[name], spec, options)
        faults.append(found)
    notes = {name: raw[name].notes for name in frames if raw[name].notes}
    return Extract.from_frames(frames, faults=pd.concat(faults, ignore_index=True), notes=notes)


@dataclass(frozen=True)
class _Options:
    na_values: tuple[str, ...]
    sheets: Mapping[str, str]
    columns: Mapping[str, str]
    header_row: Optional[int]
    ignore_columns: Collection[str]
    limits: ReadLimits = field(default_factory=ReadLimits)

    def sheet(self, source: str) -> str:
        return self.sheets.get(source, source)


def _check_names(options: _Options, model: Model) -> None:
    """Refuse what could only be a slip of the pen, before a file is opened."""
    _check_sources("sheets=", options.sheets, model)
    known = [column for spec in model.sources.values() for column in spec.columns]
    for target in options.columns.values():
        if target not in known:
            raise UnknownColumnError.bad_rename(target, list(dict.fromkeys(known)))
    if isinstance(options.ignore_columns, str):
        raise ExtractError("ignore_columns= is a text; give a list of headers")


def _check_sources(where: str, names: Iterable[str], model: Model) -> None:
    unknown = sorted(set(names) - set(model.sources))
    if unknown:
        raise ExtractError(
            f"{where} names {', '.join(map(repr, unknown))}, which is no source of the model; "
            f"its sources are {', '.join(map(repr, model.sources))}",
            unknown=tuple(unknown),
        )


# ----------------------------------------------------------------------------- which files


def source_places(
    source: Source,
    /,
    *,
    model: Model,
    storage_options: Mapping[str, Any] | None = None,
    sheets: Mapping[str, str] | None = None,
) -> list[Location]:
    """Say which files ``read_extract`` would read.

    Raises:
        SourceNotFoundError: There is nothing at the url.
        SourceAccessError: The storage refuses access.
    """
    options = _Options((), dict(sheets or {}), {}, None, ())
    return list(_files(source, model, storage_options, options))


def _files(
    source: Source, model: Model, storage_options: Mapping[str, Any] | None, options: _Options
) -> dict[Location, list[str]]:
    """Say which sources are read from which file."""
    if isinstance(source, Mapping):
        _check_sources("the source", source, model)
        missing = [name for name in model.sources if name not in source]
        if missing:
            raise ExtractError(
                f"the source has no url for {', '.join(map(repr, missing))}; give one per sheet",
                missing=tuple(missing),
            )
        urls: dict[str, list[str]] = {}
        for name in model.sources:
            urls.setdefault(os.fspath(source[name]), []).append(name)
        return {locate(url, storage_options): names for url, names in urls.items()}
    place = locate(source, storage_options)
    kind = place.kind()
    if kind == "absent":
        raise SourceNotFoundError.at(place.url)
    if kind == "file":
        return {place: list(model.sources)}
    return {_member(place, name, options.sheet(name)): [name] for name in model.sources}


def _member(folder: Location, source: str, stem: str) -> Location:
    """Find the one file of a folder that holds a source."""
    places = [folder.child(f"{stem}{suffix}") for suffix in SHEET_SUFFIXES]
    found = [place for place in places if place.kind() == "file"]
    if not found:
        raise SourceNotFoundError.in_folder(folder.url, source, [place.name for place in places])
    if len(found) > 1:
        names = " and ".join(place.name for place in found)
        raise UnsupportedFormatError.at(
            folder.url, f"holds {names}", f"only one of them can be the sheet {source}: remove one"
        )
    return found[0]


# ----------------------------------------------------------------------------- one file


def _read_file(
    place: Location, wanted: Mapping[str, SourceSpec], options: _Options
) -> dict[str, RawSheet]:
    data = place.read(options.limits.max_file_bytes)
    requests = {
        name: Request(
            place.url, options.sheet(name), list(spec.columns), options.header_row, options.limits
        )
        for name, spec in wanted.items()
    }
    name = place.name.lower()
    if data.startswith((*ZIP_MAGIC, OLE_MAGIC)):
        return read_workbook(data, requests, url=place.url, limits=options.limits)
    if name.endswith(WORKBOOK_SUFFIXES):
        found = "it is not a zip file, as workbooks are" if data else "it is empty"
        raise NotAWorkbookError.at(place.url, found)
    if not name.endswith(SHEET_SUFFIXES) and not data.startswith((PARQUET_MAGIC, GZIP_MAGIC)):
        raise UnsupportedFormatError.at(
            place.url,
            "is of no format that is read",
            "give .xlsx, .xlsm, .csv, .csv.gz or .parquet",
        )
    if len(requests) > 1:
        raise UnsupportedFormatError.at(
            place.url,
            "can hold one sheet only",
            f"the model has {len(requests)}: give a folder, or one url per sheet",
        )
    ((source, request),) = requests.items()
    if data.startswith(PARQUET_MAGIC) or name.endswith(".parquet"):
        return {source: read_parquet(data, request)}
    if data.startswith(GZIP_MAGIC):
        data = gunzip(data, place.url, options.limits)
    return {source: read_csv(data, request)}


# ----------------------------------------------------------------------------- one sheet


def _frame(raw: RawSheet, spec: SourceSpec, options: _Options) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Give a sheet's columns in the model's order and names, and its faults."""
    places = match_headers(
        raw.headers,
        list(spec.columns),
        sheet=options.sheet(spec.name),
        rename=options.columns,
        ignore=options.ignore_columns,
        empty=raw.empty(),
    )
    index = pd.Index(raw.rows, dtype="int64", name="row")
    cells = map_threads(
        lambda position: _without(raw.column(position), options.na_values).set_axis(index),
        places,
        rows=len(index),
    )
    faults = [
        (spec.name, fault.row, places[fault.position], fault.value, fault.rule)
        for fault in raw.faults
        if fault.position in places
    ]
    names = ["source", "row", "column", "value", "rule"]
    columns = dict(zip(places.values(), cells))
    return make_frame(columns, index), pd.DataFrame(faults, columns=names, dtype=object)


def _without(values: pd.Series, tokens: Collection[str]) -> pd.Series:
    """Make the cells missing whose text, white space trimmed, is one of the tokens."""
    if not tokens:
        return values
    texts = as_text(values)
    return texts.mask(texts.str.strip(WHITE_SPACE).isin(list(tokens)))
