"""What is wrong with a file that was reached, or with its headers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from aspen_etl.errors.base import SHOWN, ExtractError, did_you_mean, listing, near_name

__all__ = [
    "CorruptFileError",
    "DuplicateColumnError",
    "EncodingError",
    "EncryptedWorkbookError",
    "LimitExceededError",
    "MissingColumnError",
    "MissingSheetError",
    "NotAWorkbookError",
    "RaggedRowsError",
    "UnknownColumnError",
    "UnsupportedFormatError",
]


class NotAWorkbookError(ExtractError):
    """What should be a workbook is something else."""

    @classmethod
    def at(
        cls,
        url: str,
        found: str,
        hint: str = "open it in a spreadsheet program and save it as .xlsx",
    ) -> NotAWorkbookError:
        """Say what was found in place of a workbook, and what to do about it."""
        return cls(
            f"{url} is not an .xlsx or .xlsm workbook: {found}; {hint}",
            url=url,
            found=found,
        )


class EncryptedWorkbookError(ExtractError):
    """The workbook is protected with a password."""

    @classmethod
    def at(cls, url: str) -> EncryptedWorkbookError:
        """Say how to take the password off."""
        return cls(
            f"{url} is protected with a password; save a copy without one and read that", url=url
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


class UnsupportedFormatError(ExtractError):
    """The file is of a known format that is not read, or of a form that is not."""

    @classmethod
    def at(cls, url: str, found: str, hint: str) -> UnsupportedFormatError:
        """Say what the file is, and what to do about it."""
        return cls(f"{url} {found}; {hint}", url=url, found=found)


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


class EncodingError(ExtractError):
    """Text is not in UTF-8."""

    @classmethod
    def at(cls, url: str, found: str) -> EncodingError:
        """Say what was found instead, and how to save the file."""
        return cls(
            f"{url} is not text in UTF-8: {found}; save it as 'CSV UTF-8'", url=url, found=found
        )

    @classmethod
    def of_part(cls, url: str, part: str, encoding: str) -> EncodingError:
        """Name the encoding of a workbook's part that is not read."""
        return cls(
            f"{url}: its part {part!r} is in the encoding {encoding!r}, which is not read; open it "
            "in a spreadsheet program and save it as .xlsx",
            url=url,
            found=encoding,
        )


class RaggedRowsError(ExtractError):
    """Rows of a CSV file have another number of fields than its header, or broken quotes."""

    @classmethod
    def of(cls, url: str, *, row: int, expected: int, found: int, count: int) -> RaggedRowsError:
        """Name the first such row, and how many there are."""
        return cls(
            f"{url}: row {row:,} has {found} fields and the header {expected}"
            f"{f' ({count:,} rows are like this)' if count > 1 else ''}; "
            "a field that holds a comma, a quote or a line break must stand in quotes",
            url=url,
            row=row,
            expected=expected,
            found=found,
            count=count,
        )

    @classmethod
    def broken_quotes(cls, url: str, row: int) -> RaggedRowsError:
        """Name the row after which no quote fits any more."""
        return cls(
            f"{url}: the quotes of row {row:,} do not match (RFC 4180); "
            "write a quote inside a quoted field twice, and close every field",
            url=url,
            row=row,
        )

    @classmethod
    def long_field(cls, url: str, row: int) -> RaggedRowsError:
        """Name the row in which a field has no end."""
        return cls(
            f"{url}: a field of row {row:,} is longer than 131,072 characters (four times what a "
            "spreadsheet holds; this limit is fixed), "
            "so a quote before it is most likely never closed; close it, or cut the field",
            url=url,
            row=row,
        )


# ----------------------------------------------------------------------------- matching headers


class MissingSheetError(ExtractError):
    """The workbook has no such sheet."""

    @classmethod
    def of(cls, url: str, sheet: str, found: Sequence[str]) -> MissingSheetError:
        """Name the sheets that are there."""
        return cls(
            f"{url} has no sheet {sheet!r}; it has {listing(found)}; "
            f"name the sheets with sheets={{'source': 'sheet'}}{did_you_mean(sheet, found)}",
            url=url,
            sheet=sheet,
            found=tuple(found),
        )


class MissingColumnError(ExtractError):
    """A sheet lacks a column of the model, or its header as a whole."""

    @classmethod
    def of(
        cls,
        sheet: str,
        missing: Sequence[str],
        headers: Sequence[str],
        unknown: Sequence[str] = (),
    ) -> MissingColumnError:
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
            sheet=sheet,
            missing=tuple(missing),
            headers=tuple(headers),
        )

    @classmethod
    def no_header(cls, sheet: str, missing: Sequence[str], count: int) -> MissingColumnError:
        """Say how many headers there are and not what they say: they may be personal data."""
        return cls(
            f"sheet {sheet}: none of the columns {listing(missing)} is among its {count} headers"
            f"{'' if count else ' (the row is blank, or not there)'}; "
            "name the header's row with header_row=, or rename with columns={'header': 'column'}",
            sheet=sheet,
            missing=tuple(missing),
            count=count,
        )

    @classmethod
    def below(cls, sheet: str, first: int, row: int) -> MissingColumnError:
        """Say in which row all headers stand, where rows above it may be records."""
        return cls(
            f"sheet {sheet}: row {first:,} is not its header; row {row:,} holds every column, but "
            "what stands above it could be records; if they are titles, say so with "
            f"header_row={row}, or with header_row={{'source': {row}}} for this sheet alone",
            sheet=sheet,
            row=row,
        )


class UnknownColumnError(ExtractError):
    """A sheet has a column that has no place in the model, so it would be lost."""

    @classmethod
    def of(
        cls, sheet: str, unknown: Sequence[str], given: Sequence[str] = ()
    ) -> UnknownColumnError:
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
            sheet=sheet,
            unknown=tuple(unknown),
        )

    @classmethod
    def unnamed(cls, sheet: str, positions: Sequence[int]) -> UnknownColumnError:
        """Give the positions, from 1, of columns that hold cells below an empty header."""
        places = ", ".join(map(str, positions[:SHOWN]))
        return cls(
            f"sheet {sheet}: there are cells below an empty header (column {places}); "
            "give the column a header, or clear it",
            sheet=sheet,
            positions=tuple(positions),
        )

    @classmethod
    def bad_rename(cls, target: str, columns: Sequence[str]) -> UnknownColumnError:
        """Say that ``columns=`` renames to what no sheet of the model has."""
        return cls(
            f"columns= renames a header to {target!r}, which no sheet of the model has; "
            f"it has {listing(columns)}{did_you_mean(target, columns)}",
            target=target,
        )


class DuplicateColumnError(ExtractError):
    """A column of the model stands in a sheet more than once."""

    @classmethod
    def of(cls, sheet: str, column: str, positions: Sequence[int]) -> DuplicateColumnError:
        """Name the column and its positions, from 1."""
        places = ", ".join(map(str, positions[:SHOWN]))
        return cls(
            f"sheet {sheet}: {column} stands there {len(positions)} times (columns {places}); "
            "delete or rename all but one",
            sheet=sheet,
            column=column,
            positions=tuple(positions),
        )
