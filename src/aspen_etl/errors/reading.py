"""What is wrong with a file that was reached, or with its headers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from aspen_etl.errors.base import SHOWN, ExtractError, did_you_mean, listing, near_name

__all__ = ["CorruptFileError", "FileFormatError", "HeaderError", "LimitExceededError"]


class FileFormatError(ExtractError):
    """The file, or the text in it, is of a form that is not read: save it in another one.

    Attributes:
        details: ``problem``: ``not_a_workbook``, ``encrypted``, ``unsupported`` (a known format,
            or a folder that is no sheet), ``encoding``, or ``ragged_rows`` (or quotes that do not
            match).
    """

    @classmethod
    def not_a_workbook(
        cls,
        url: str,
        found: str,
        hint: str = "open it in a spreadsheet program and save it as .xlsx",
    ) -> FileFormatError:
        """Say what was found in place of a workbook, and what to do about it."""
        told = f"{url} is not an .xlsx or .xlsm workbook: {found}; {hint}"
        return cls(told, problem="not_a_workbook", url=url, found=found)

    @classmethod
    def encrypted(cls, url: str) -> FileFormatError:
        """Say how to take the password off a workbook."""
        told = f"{url} is protected with a password; save a copy without one and read that"
        return cls(told, problem="encrypted", url=url)

    @classmethod
    def unsupported(cls, url: str, found: str, hint: str) -> FileFormatError:
        """Say what the file is, and what to do about it."""
        return cls(f"{url} {found}; {hint}", problem="unsupported", url=url, found=found)

    @classmethod
    def encoding(cls, url: str, found: str) -> FileFormatError:
        """Say what was found in the place of UTF-8, and how to save the file."""
        told = f"{url} is not text in UTF-8: {found}; save it as 'CSV UTF-8'"
        return cls(told, problem="encoding", url=url, found=found)

    @classmethod
    def encoding_of_part(cls, url: str, part: str, encoding: str) -> FileFormatError:
        """Name the encoding of a workbook's part that is not read."""
        return cls(
            f"{url}: its part {part!r} is in the encoding {encoding!r}, which is not read; open it "
            "in a spreadsheet program and save it as .xlsx",
            problem="encoding",
            url=url,
            found=encoding,
        )

    @classmethod
    def ragged_rows(
        cls, url: str, *, row: int, expected: int, found: int, count: int
    ) -> FileFormatError:
        """Name the first row with another number of fields, and how many there are."""
        return cls(
            f"{url}: row {row:,} has {found} fields and the header {expected}"
            f"{f' ({count:,} rows are like this)' if count > 1 else ''}; "
            "a field that holds a comma, a quote or a line break must stand in quotes",
            problem="ragged_rows",
            url=url,
            row=row,
            expected=expected,
            found=found,
            count=count,
        )

    @classmethod
    def broken_quotes(cls, url: str, row: int) -> FileFormatError:
        """Name the row after which no quote fits any more."""
        return cls(
            f"{url}: the quotes of row {row:,} do not match (RFC 4180); "
            "write a quote inside a quoted field twice, and close every field",
            problem="ragged_rows",
            url=url,
            row=row,
        )

    @classmethod
    def long_field(cls, url: str, row: int) -> FileFormatError:
        """Name the row in which a field has no end."""
        return cls(
            f"{url}: a field of row {row:,} is longer than 131,072 characters (four times what a "
            "spreadsheet holds; this limit is fixed), "
            "so a quote before it is most likely never closed; close it, or cut the field",
            problem="ragged_rows",
            url=url,
            row=row,
        )


class CorruptFileError(ExtractError):
    """The file is truncated, damaged or tampered with."""

    @classmethod
    def at(cls, url: str, what: str) -> CorruptFileError:
        """Say which part of the file is damaged, and how it shows."""
        return cls(
            f"{url} is damaged: {what}; fetch the file again, or open it and save it anew",
            url=url,
            what=what,
        )

    @classmethod
    def document_type(cls, url: str, part: str) -> CorruptFileError:
        """Say which part has a document type, through which text can be changed."""
        return cls(
            f"{url} is refused: its part {part!r} has a document type (DOCTYPE), which no "
            "workbook needs; open it in a spreadsheet program and save it anew",
            url=url,
            what="document type",
        )


class LimitExceededError(ExtractError):
    """Reading on would take more memory or time than the limits allow.

    Attributes:
        details: ``url``, ``limit`` (the field of ``ReadLimits``), ``allowed``, ``found``.
    """

    @classmethod
    def of(cls, url: str, what: str, *, limit: str, allowed: int, found: int) -> LimitExceededError:
        """Name the limit, the figure, and the parameter that raises it."""
        return cls(
            f"{url}: {what} {found:,}, more than the limit of {allowed:,}; "
            f"if the file can be trusted, pass limits=ReadLimits({limit}=...)",
            url=url,
            limit=limit,
            allowed=allowed,
            found=found,
        )

    @classmethod
    def unpacked(cls, url: str, size: int, packed: int, limits: Any) -> LimitExceededError:
        """Say that a file becomes too large when it is unpacked, or too large for its size."""
        if size > limits.max_uncompressed_bytes:
            what, limit, found = "its bytes, unpacked, are", "max_uncompressed_bytes", size
        else:
            what, limit = "unpacked, it grows by a factor of", "max_compression_ratio"
            found = -(-size // max(packed, 1))
        return cls.of(url, what, limit=limit, allowed=getattr(limits, limit), found=found)


# ----------------------------------------------------------------------------- matching headers


class HeaderError(ExtractError):
    """A sheet, or the headers of one, are not those of the model: say which is which.

    Attributes:
        details: ``problem``: ``missing_sheet``, ``missing_column`` (or the header as a whole),
            ``unknown_column`` (or cells below an empty header) or ``duplicate_column``.
    """

    @classmethod
    def missing_sheet(cls, url: str, sheet: str, found: Sequence[str]) -> HeaderError:
        """Name the sheets that are there."""
        return cls(
            f"{url} has no sheet {sheet!r}; it has {listing(found)}; "
            f"name the sheets with sheets={{'source': 'sheet'}}{did_you_mean(sheet, found)}",
            problem="missing_sheet",
            url=url,
            sheet=sheet,
            found=tuple(found),
        )

    @classmethod
    def missing_table(cls, url: str, source: str, table: str, found: Sequence[str]) -> HeaderError:
        """Name the tables of a database that are there."""
        return cls(
            f"{url} has no table {table!r} for the source {source}; it has {listing(found)}; name "
            f"it with tables={{'{source}': 'table'}} (--table){did_you_mean(table, found)}",
            problem="missing_sheet",
            url=url,
            sheet=table,
            found=tuple(found),
        )

    @classmethod
    def missing_column(
        cls,
        sheet: str,
        missing: Sequence[str],
        headers: Sequence[str],
        unknown: Sequence[str] = (),
    ) -> HeaderError:
        """Name the missing columns, the headers that are there, and which may be which.

        Args:
            sheet: The sheet.
            missing: The columns of the model without a header.
            headers: All headers of the sheet.
            unknown: Those of them that stand for no column.
        """
        near = {near_name(column, unknown): column for column in missing}
        renames = {header: column for header, column in near.items() if header is not None}
        advice = f"; did you mean columns={renames}?" if renames else ""
        return cls(
            f"sheet {sheet}: no column {listing(missing)}; its headers are {listing(headers)}; "
            f"rename with columns={{'header': 'column'}}{advice}",
            problem="missing_column",
            sheet=sheet,
            missing=tuple(missing),
            headers=tuple(headers),
        )

    @classmethod
    def no_header(cls, sheet: str, missing: Sequence[str], count: int) -> HeaderError:
        """Say how many headers there are and not what they say: they may be personal data."""
        return cls(
            f"sheet {sheet}: none of the columns {listing(missing)} is among its {count} headers"
            f"{'' if count else ' (the row is blank, or not there)'}; "
            "name the header's row with header_row=, or rename with columns={'header': 'column'}",
            problem="missing_column",
            sheet=sheet,
            missing=tuple(missing),
            count=count,
        )

    @classmethod
    def below(cls, sheet: str, first: int, row: int) -> HeaderError:
        """Say in which row all headers stand, where rows above it may be records."""
        return cls(
            f"sheet {sheet}: row {first:,} is not its header; row {row:,} holds every column, but "
            "what stands above it could be records; if they are titles, say so with "
            f"header_row={row}, or with header_row={{'source': {row}}} for this sheet alone",
            problem="missing_column",
            sheet=sheet,
            row=row,
        )

    @classmethod
    def unknown_column(
        cls, sheet: str, unknown: Sequence[str], given: Sequence[str] = ()
    ) -> HeaderError:
        """Name the columns, and how to leave them out.

        Args:
            sheet: The sheet.
            unknown: The headers that stand for no column.
            given: The headers that the caller named, of which one may be mistyped.
        """
        wrong = next((name for name in given if near_name(name, unknown)), "")
        advice = f" ({wrong!r} is no header{did_you_mean(wrong, unknown)})" if wrong else ""
        return cls(
            f"sheet {sheet}: the model has no column {listing(unknown)}, so it would be lost; "
            "rename it with columns={'header': 'column'}, or leave it out with ignore_columns="
            f"{advice}",
            problem="unknown_column",
            sheet=sheet,
            unknown=tuple(unknown),
        )

    @classmethod
    def unnamed_column(cls, sheet: str, positions: Sequence[int]) -> HeaderError:
        """Give the positions, from 1, of columns that hold cells below an empty header."""
        places = ", ".join(map(str, positions[:SHOWN]))
        return cls(
            f"sheet {sheet}: there are cells below an empty header (column {places}); "
            "give the column a header, or clear it",
            problem="unknown_column",
            sheet=sheet,
            positions=tuple(positions),
        )

    @classmethod
    def bad_rename(cls, target: str, columns: Sequence[str]) -> HeaderError:
        """Say that ``columns=`` renames to what no sheet of the model has."""
        return cls(
            f"columns= renames a header to {target!r}, which no sheet of the model has; "
            f"it has {listing(columns)}{did_you_mean(target, columns)}",
            problem="unknown_column",
            target=target,
        )

    @classmethod
    def duplicate_column(cls, sheet: str, column: str, positions: Sequence[int]) -> HeaderError:
        """Name the column and its positions, from 1."""
        places = ", ".join(map(str, positions[:SHOWN]))
        return cls(
            f"sheet {sheet}: {column} stands there {len(positions)} times (columns {places}); "
            "delete or rename all but one",
            problem="duplicate_column",
            sheet=sheet,
            column=column,
            positions=tuple(positions),
        )
