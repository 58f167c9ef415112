"""Every error that aspen_etl raises on purpose.

A message says what is wrong, where, how many, and what to do next. It never holds a
cell value: names, phones, e-mail and ids of borrowers are personal data, and a log is
not the place for them. The parts of a message are kept as attributes (``details``), so
that a caller need not parse the text.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

__all__ = [
    "AspenETLError",
    "CleanerError",
    "CorruptFileError",
    "DuplicateColumnError",
    "EncodingError",
    "EncryptedWorkbookError",
    "ExtractError",
    "LimitExceededError",
    "MissingColumnError",
    "MissingDependencyError",
    "MissingSheetError",
    "ModelError",
    "NotAWorkbookError",
    "NotSupportedError",
    "ProofError",
    "RaggedRowsError",
    "ReadError",
    "RunError",
    "SourceAccessError",
    "SourceNotFoundError",
    "TargetExistsError",
    "UnknownColumnError",
    "UnsupportedFormatError",
    "ValidationError",
    "WriteError",
]


class AspenETLError(Exception):
    """Be the base of every error raised on purpose.

    Attributes:
        details: The parts of the message by name, such as ``table``, ``column``, ``count``.
    """

    def __init__(self, message: str, **details: Any) -> None:
        super().__init__(message)
        self.details = details

    def __reduce__(self) -> tuple[Any, ...]:
        return (_restore, (type(self), self.args[0], self.details))


def _restore(kind: type[AspenETLError], message: str, details: dict[str, Any]) -> AspenETLError:
    error = kind.__new__(kind)
    AspenETLError.__init__(error, message, **details)
    return error


# ----------------------------------------------------------------------------- declaring


class ModelError(AspenETLError, ValueError):
    """A column, table, source or model is declared wrongly; the text says how to mend it."""


class RunError(AspenETLError, ValueError):
    """The time or the actor of a run cannot be used."""


class MissingDependencyError(AspenETLError, ImportError):
    """An optional package is needed and not installed."""

    @classmethod
    def for_extra(cls, package: str, extra: str, purpose: str) -> MissingDependencyError:
        """Say which extra brings ``package``, and what it is needed for."""
        return cls(
            f"{purpose} needs the package {package}, which is not installed; "
            f"run: pip install 'aspen-etl[{extra}]'",
            package=package,
            extra=extra,
        )

    @classmethod
    def for_package(cls, package: str, purpose: str) -> MissingDependencyError:
        """Name a package that none of our extras brings."""
        return cls(
            f"{purpose} needs the package {package}, which is not installed; "
            f"run: pip install {package}",
            package=package,
        )


class NotSupportedError(AspenETLError, NotImplementedError):
    """What was asked for is known and not offered; the text says what to do instead."""


# ----------------------------------------------------------------------------- transforming


class ExtractError(AspenETLError, ValueError):
    """An extract does not have the form that the model asks for."""


class CleanerError(AspenETLError, RuntimeError):
    """A cleaner of the model failed, or gave back another number of rows than it got."""


class ValidationError(AspenETLError, ValueError):
    """Tables break their schema, a key or a reference.

    Attributes:
        failures: One row for each broken rule of each row: table, row, column, rule.
    """

    @property
    def failures(self) -> Any:
        """The frame of failures, without a cell value."""
        return self.details.get("failures")


class ProofError(AspenETLError, AssertionError):
    """The result does not hold everything that the source held: nothing may be committed."""


# ----------------------------------------------------------------------------- reaching a source


class SourceNotFoundError(AspenETLError, FileNotFoundError):
    """There is nothing at the url."""

    @classmethod
    def at(cls, url: str) -> SourceNotFoundError:
        """Say that neither a file nor a folder is at ``url``."""
        return cls(f"there is no file and no folder at {url}; check the path", url=url)

    @classmethod
    def in_folder(cls, url: str, source: str, names: Sequence[str]) -> SourceNotFoundError:
        """Say which file of a folder is missing, and under which names it was looked for."""
        return cls(
            f"the folder {url} holds no file for the sheet {source}; looked for {_list(names)}; "
            "name another file with sheets=, or give one url per sheet",
            url=url,
            source=source,
            names=tuple(names),
        )


class SourceAccessError(AspenETLError, PermissionError):
    """The storage refuses access: wrong credentials, none, or no permission."""

    @classmethod
    def at(cls, url: str, code: str = "") -> SourceAccessError:
        """Say that ``url`` is refused, with the storage's own code where it gave one."""
        return cls(
            f"access to {url} is refused{f' ({code})' if code else ''}; "
            "check the credentials and their permissions",
            url=url,
            code=code,
        )


class ReadError(AspenETLError, OSError):
    """The storage answered with an error, or not at all."""

    @classmethod
    def at(cls, url: str, cause: str) -> ReadError:
        """Say that ``url`` cannot be read, with the kind of the cause and never its text."""
        return cls(
            f"{url} cannot be read ({cause}); check the network and the storage, then try again",
            url=url,
            cause=cause,
        )

    @classmethod
    def bad_options(cls, url: str, cause: str) -> ReadError:
        """Say that the storage options are refused before anything was read."""
        return cls(
            f"the filesystem of {url} does not take these storage options ({cause}); "
            "its documentation names those it takes",
            url=url,
            cause=cause,
        )


# ----------------------------------------------------------------------------- reading a file


class NotAWorkbookError(ExtractError):
    """What should be a workbook is something else."""

    @classmethod
    def at(cls, url: str, found: str) -> NotAWorkbookError:
        """Say what was found in place of a workbook."""
        return cls(
            f"{url} is not an .xlsx or .xlsm workbook: {found}; "
            "open it in a spreadsheet program and save it as .xlsx",
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
            f"{url}: a field of row {row:,} is longer than 131,072 characters, "
            "so a quote before it is most likely never closed; close it",
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
            f"{url} has no sheet {sheet!r}; it has {_list(found)}; "
            "name the sheets with sheets={'source': 'sheet'}",
            url=url,
            sheet=sheet,
            found=tuple(found),
        )


class MissingColumnError(ExtractError):
    """A sheet lacks a column of the model, or its header as a whole."""

    @classmethod
    def of(cls, sheet: str, missing: Sequence[str], headers: Sequence[str]) -> MissingColumnError:
        """Name the missing columns and the headers that are there."""
        return cls(
            f"sheet {sheet}: no column {_list(missing)}; its headers are {_list(headers)}; "
            "rename with columns={'header': 'column'}",
            sheet=sheet,
            missing=tuple(missing),
            headers=tuple(headers),
        )

    @classmethod
    def no_header(cls, sheet: str, missing: Sequence[str], count: int) -> MissingColumnError:
        """Say how many headers there are and not what they say: they may be personal data."""
        return cls(
            f"sheet {sheet}: none of the columns {_list(missing)} is among its {count} headers; "
            "name the header's row with header_row=, or rename with columns={'header': 'column'}",
            sheet=sheet,
            missing=tuple(missing),
            count=count,
        )


class UnknownColumnError(ExtractError):
    """A sheet has a column that has no place in the model, so it would be lost."""

    @classmethod
    def of(cls, sheet: str, unknown: Sequence[str]) -> UnknownColumnError:
        """Name the columns, and how to leave them out."""
        return cls(
            f"sheet {sheet}: the model has no column {_list(unknown)}, so it would be lost; "
            "rename it with columns={'header': 'column'}, or leave it out with ignore_columns=",
            sheet=sheet,
            unknown=tuple(unknown),
        )

    @classmethod
    def unnamed(cls, sheet: str, positions: Sequence[int]) -> UnknownColumnError:
        """Give the positions, from 1, of columns that hold cells below an empty header."""
        places = ", ".join(map(str, positions[:_SHOWN]))
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
            f"it has {_list(columns)}",
            target=target,
        )


class DuplicateColumnError(ExtractError):
    """A column of the model stands in a sheet more than once."""

    @classmethod
    def of(cls, sheet: str, column: str, positions: Sequence[int]) -> DuplicateColumnError:
        """Name the column and its positions, from 1."""
        places = ", ".join(map(str, positions[:_SHOWN]))
        return cls(
            f"sheet {sheet}: {column} stands there {len(positions)} times (columns {places}); "
            "delete or rename all but one",
            sheet=sheet,
            column=column,
            positions=tuple(positions),
        )


_SHOWN, _WIDTH = 20, 64


def _list(names: Sequence[str]) -> str:
    """Give names for a message: quoted, short, and not too many."""
    shown = [
        repr(name if len(name) <= _WIDTH else f"{name[:_WIDTH]}...") for name in names[:_SHOWN]
    ]
    rest = len(names) - len(shown)
    return ", ".join(shown) + (f" and {rest} more" if rest else "") if shown else "none"


# ----------------------------------------------------------------------------- writing


class TargetExistsError(AspenETLError, FileExistsError):
    """The target holds tables already."""

    @classmethod
    def at(cls, url: str, found: Sequence[str]) -> TargetExistsError:
        """Name what is there, and how to replace it."""
        return cls(
            f"{url} holds tables already ({_list(found)}); nothing was written; choose another "
            "folder, or replace them with overwrite=True (--overwrite)",
            url=url,
            found=tuple(found),
        )


class WriteError(AspenETLError, OSError):
    """The storage did not take what was written."""

    @classmethod
    def at(cls, url: str, cause: str, written: Sequence[str] = ()) -> WriteError:
        """Say what cannot be written, with the kind of the cause, and what was written before."""
        before = f"; written before it: {_list(written)}" if written else "; nothing was written"
        return cls(
            f"{url} cannot be written ({cause}){before}; check space, network and storage, then "
            "write again with overwrite=True (--overwrite)",
            url=url,
            cause=cause,
            written=tuple(written),
        )
