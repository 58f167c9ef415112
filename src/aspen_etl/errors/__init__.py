"""Every error that aspen_etl raises on purpose.

A class says what its caller can do about it; ``details["problem"]`` says what was found, where a
class stands for more than one thing. A message says what is wrong, where, how many, and what to do
next. It never holds a cell value: names, phones, e-mail and ids of people are personal data, and
a log is not the place for them. The parts of a message are kept as attributes (``details``), so
that a caller need not parse the text.
"""

from typing import TYPE_CHECKING, Any

from aspen_etl.errors.base import (
    ArgumentError,
    AspenETLError,
    ExtractError,
    MissingDependencyError,
    ModelError,
    ModelFunctionError,
    NotSupportedError,
    ProofError,
    UnexpectedError,
    ValidationError,
)
from aspen_etl.errors.landing import (
    LandedFileError,
    LandingChangedError,
    LandingOrderError,
)
from aspen_etl.errors.moving import warn_moved
from aspen_etl.errors.reading import (
    CorruptFileError,
    FileFormatError,
    HeaderError,
    LimitExceededError,
)
from aspen_etl.errors.running import (
    CatalogError,
    CommitOutcomeUnknownError,
    ConflictError,
    DatabaseError,
    DeadlineError,
    EventError,
    ModelMismatchError,
    OutdatedSourceError,
    SettingsError,
    StoreOnHoldError,
    ThresholdError,
)
from aspen_etl.errors.storage import (
    CorruptStoreError,
    ReadError,
    RejectsPlaceError,
    SourceAccessError,
    SourceNotFoundError,
    StoreFormatError,
    TargetExistsError,
    VersionNotFoundError,
    WriteError,
)

__all__ = [
    "ArgumentError",
    "AspenETLError",
    "CatalogError",
    "CommitOutcomeUnknownError",
    "ConflictError",
    "CorruptFileError",
    "CorruptStoreError",
    "DatabaseError",
    "DeadlineError",
    "EventError",
    "ExtractError",
    "FileFormatError",
    "HeaderError",
    "LandedFileError",
    "LandingChangedError",
    "LandingOrderError",
    "LimitExceededError",
    "MissingDependencyError",
    "ModelError",
    "ModelFunctionError",
    "ModelMismatchError",
    "NotSupportedError",
    "OutdatedSourceError",
    "ProofError",
    "ReadError",
    "RejectsPlaceError",
    "SettingsError",
    "SourceAccessError",
    "SourceNotFoundError",
    "StoreFormatError",
    "StoreOnHoldError",
    "TargetExistsError",
    "ThresholdError",
    "UnexpectedError",
    "ValidationError",
    "VersionNotFoundError",
    "WriteError",
]

#: What the classes of release 0.2 are now: the class, and the problem that tells them apart.
_OLD = {
    "BuilderError": ("ModelFunctionError", "builder"),
    "CleanerError": ("ModelFunctionError", "cleaner"),
    "CommitConflictError": ("ConflictError", "commit"),
    "DatabaseMismatchError": ("ModelMismatchError", "database"),
    "DuplicateColumnError": ("HeaderError", "duplicate_column"),
    "EncodingError": ("FileFormatError", "encoding"),
    "EncryptedWorkbookError": ("FileFormatError", "encrypted"),
    "InvalidNameError": ("ArgumentError", "name"),
    "LoadConflictError": ("ConflictError", "load"),
    "MissingColumnError": ("HeaderError", "missing_column"),
    "MissingSheetError": ("HeaderError", "missing_sheet"),
    "NotAWorkbookError": ("FileFormatError", "not_a_workbook"),
    "RaggedRowsError": ("FileFormatError", "ragged_rows"),
    "RunError": ("ArgumentError", "run"),
    "StorageOptionsError": ("SettingsError", "storage_options"),
    "UnknownColumnError": ("HeaderError", "unknown_column"),
    "UnsupportedFormatError": ("FileFormatError", "unsupported"),
}


def _find_old(name: str) -> Any:
    """Give the class that an old name stands for, so that ``except`` catches what it caught."""
    if name not in _OLD:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    new, problem = _OLD[name]
    told = (
        f"{__name__}.{name} is {new} now, with details['problem'] == {problem!r}, and catches all "
        f"that {new} does"
    )
    warn_moved(told, "0.3", level=2)
    return globals()[new]


if not TYPE_CHECKING:
    # For type checkers the old names are not there; at run time they answer for a while.
    def __getattr__(name: str) -> Any:
        return _find_old(name)
