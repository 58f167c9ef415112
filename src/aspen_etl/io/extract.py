"""Read an extract: from a workbook, a folder or one url per sheet to frames of text."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from aspen_etl.borrower import BORROWER_MODEL
from aspen_etl.columns.threads import UNKNOWN_ROWS, map_threads
from aspen_etl.errors import (
    ExtractError,
    FileFormatError,
    HeaderError,
    LimitExceededError,
)
from aspen_etl.io.csv_reading import gunzip, read_csv
from aspen_etl.io.filesystem import Location
from aspen_etl.io.formats import GZIP_MAGIC, recognize
from aspen_etl.io.laying_out import Parts, put_together
from aspen_etl.io.places import SHEET_SUFFIXES, SheetFiles, Source, check_sources, find_files
from aspen_etl.io.reading import RawSheet, Reading, ReadLimits, Request
from aspen_etl.schema.values import Extract

if TYPE_CHECKING:
    from aspen_etl.schema.model import Model

__all__ = [
    "check_names",
    "load_file",
    "read_extract",
    "read_file",
    "read_files",
]


def read_extract(  # noqa: PLR0913 - one call says everything about a file, each option alone
    source: Source,
    /,
    *,
    model: Model = BORROWER_MODEL,
    storage_options: Mapping[str, Any] | None = None,
    na_values: Iterable[str] = (),
    sheets: Mapping[str, str] | None = None,
    columns: Mapping[str, str] | None = None,
    header_row: int | Mapping[str, int] | None = None,
    ignore_columns: Collection[str] = (),
    limits: ReadLimits = ReadLimits(),  # noqa: B008 - a frozen value
) -> Extract:
    r"""Read the sheets of a model, every cell text or missing, and nothing else.

    Args:
        source: The fsspec url or local path of an .xlsx or .xlsm workbook, or of a folder
            that holds ``<source>.csv``, ``<source>.csv.gz`` or ``<source>.parquet``, or for
            each source a folder of parts, as Spark writes it; or a url for each source of the
            model: of a workbook, a file, or a folder of parts.
        model: What to read.
        storage_options: What the filesystem takes: credentials, endpoint.
        na_values: The texts, beside the empty one, that stand for a missing cell.
        sheets: The name of the workbook's sheet, or of the folder's file, by source.
        columns: The model's name of a column by its header, where they differ.
        header_row: The number of the header's row, as the spreadsheet shows it, or a number
            by source; by default the first row that is not blank, or below titles of one cell
            each the first one with every column.
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
    reading = Reading(
        storage_options=storage_options,
        na_values=tuple(na_values),
        sheets=sheets or {},
        columns=columns or {},
        header_row=header_row,
        ignore_columns=ignore_columns,
        limits=limits,
    )
    check_names(reading, model)
    files = find_files(source, model, storage_options, reading.sheets)
    return put_together(read_files(files, model, reading), model, reading)


def check_names(reading: Reading, model: Model) -> None:
    """Refuse what could only be a slip of the pen, before a file is opened."""
    check_sources("sheets=", reading.sheets, model)
    _check_header_row(reading.header_row, model)
    known = [column for spec in model.sources.values() for column in spec.columns]
    for target in reading.columns.values():
        if target not in known:
            raise HeaderError.bad_rename(target, list(dict.fromkeys(known)))
    if isinstance(reading.ignore_columns, str):
        raise ExtractError("ignore_columns= is a text; give a list of headers")


def _check_header_row(row: Any, model: Model) -> None:
    rows = [row] if row is not None else []
    if isinstance(row, Mapping):
        check_sources("header_row=", row, model)
        rows = list(row.values())
    if not all(isinstance(each, int) and not isinstance(each, bool) and each > 0 for each in rows):
        raise ExtractError(
            "header_row= is no number of a row; give a whole number from 1 on, or one by sheet"
        )


# ----------------------------------------------------------------------------- the files


def read_files(files: Sequence[SheetFiles], model: Model, reading: Reading) -> dict[str, Parts]:
    """Read all files, side by side; give what was read of each sheet."""
    for each in files:
        _check_size(each, reading.limits)
    jobs = [(place, each) for each in files for place in each.places]
    read = map_threads(lambda job: _read(*job, model, reading), jobs, rows=UNKNOWN_ROWS)
    parts: dict[str, list[tuple[Location, RawSheet]]] = {}
    for (place, _), sheets in zip(jobs, read):
        for name, sheet in sheets.items():
            parts.setdefault(name, []).append((place, sheet))
    return dict(parts)


def _check_size(files: SheetFiles, limits: ReadLimits) -> None:
    """Hold the limit of one file against the parts that stand for one."""
    if files.folder is not None and files.bytes > limits.max_file_bytes:
        raise LimitExceededError.of(
            files.folder.url,
            "the bytes of its parts are",
            limit="max_file_bytes",
            allowed=limits.max_file_bytes,
            found=files.bytes,
        )


def _read(
    place: Location, files: SheetFiles, model: Model, reading: Reading
) -> dict[str, RawSheet]:
    requests = {name: reading.request(place.url, model.sources[name]) for name in files.sources}
    data = load_file(place, reading.limits)
    return read_file(data, place, requests, is_part=files.folder is not None)


def load_file(place: Location, limits: ReadLimits) -> bytes:
    """Give the bytes of a file, unpacked."""
    data = place.read(limits.max_file_bytes)
    return gunzip(data, place.url, limits) if data.startswith(GZIP_MAGIC) else data


def read_file(
    data: bytes, place: Location, requests: Mapping[str, Request], *, is_part: bool
) -> dict[str, RawSheet]:
    """Read sheets of a file.

    Args:
        data: The file, unpacked.
        place: Where it is from.
        requests: What to read, by any key.
        is_part: Whether it is one of the parts of a sheet.
    """
    kind = recognize(data, place)
    if is_part and kind == "workbook":
        raise FileFormatError.unsupported(
            place.url, "is a workbook among the parts of a sheet", "give its own url for the sheet"
        )
    if kind == "workbook":
        from aspen_etl.io.xlsx.workbook import read_workbook  # only who has one waits for it

        limits = next(iter(requests.values())).limits
        return read_workbook(data, requests, url=place.url, limits=limits)
    # A job calls its parts as it likes.
    if kind == "text" and not is_part and not place.name.lower().endswith(SHEET_SUFFIXES):
        raise FileFormatError.unsupported(
            place.url,
            "is of no format that is read",
            "give .xlsx, .xlsm, .csv, .csv.gz or .parquet",
        )
    if len(requests) > 1:
        raise FileFormatError.unsupported(
            place.url,
            "can hold one sheet only",
            f"the model has {len(requests)}: give a folder, or one url per sheet",
        )
    ((source, request),) = requests.items()
    readers = {"parquet": _read_parquet, "text": read_csv}
    return {source: readers[kind](data, request)}


def _read_parquet(data: bytes, request: Request) -> RawSheet:
    from aspen_etl.io.columnar import read_parquet

    return read_parquet(data, request)
