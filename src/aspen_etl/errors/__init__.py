"""Every error that aspen_etl raises on purpose.

A message says what is wrong, where, how many, and what to do next. It never holds a
cell value: names, phones, e-mail and ids of borrowers are personal data, and a log is
not the place for them. The parts of a message are kept as attributes (``details``), so
that a caller need not parse the text.
"""

from aspen_etl.errors.base import (
    AspenETLError,
    BuilderError,
    CleanerError,
    ExtractError,
    InvalidNameError,
    MissingDependencyError,
    ModelError,
    NotSupportedError,
    ProofError,
    RunError,
    ValidationError,
)
from aspen_etl.errors.database import (
    DatabaseError,
    DatabaseMismatchError,
    LoadConflictError,
)
from aspen_etl.errors.reading import (
    CorruptFileError,
    DuplicateColumnError,
    EncodingError,
    EncryptedWorkbookError,
    LimitExceededError,
    MissingColumnError,
    MissingSheetError,
    NotAWorkbookError,
    RaggedRowsError,
    UnknownColumnError,
    UnsupportedFormatError,
)
from aspen_etl.errors.runtime import (
    CatalogError,
    EventError,
    SettingsError,
    UnexpectedError,
)
from aspen_etl.errors.storage import (
    ReadError,
    SourceAccessError,
    SourceNotFoundError,
    StorageOptionsError,
    TargetExistsError,
    WriteError,
)
from aspen_etl.errors.store import (
    CommitConflictError,
    CommitOutcomeUnknownError,
    CorruptStoreError,
    DeadlineError,
    ModelMismatchError,
    OutdatedSourceError,
    RejectsPlaceError,
    StoreFormatError,
    StoreOnHoldError,
    ThresholdError,
    VersionNotFoundError,
)

__all__ = [
    "AspenETLError",
    "BuilderError",
    "CatalogError",
    "CleanerError",
    "CommitConflictError",
    "CommitOutcomeUnknownError",
    "CorruptFileError",
    "CorruptStoreError",
    "DatabaseError",
    "DatabaseMismatchError",
    "DeadlineError",
    "DuplicateColumnError",
    "EncodingError",
    "EncryptedWorkbookError",
    "EventError",
    "ExtractError",
    "InvalidNameError",
    "LimitExceededError",
    "LoadConflictError",
    "MissingColumnError",
    "MissingDependencyError",
    "MissingSheetError",
    "ModelError",
    "ModelMismatchError",
    "NotAWorkbookError",
    "NotSupportedError",
    "OutdatedSourceError",
    "ProofError",
    "RaggedRowsError",
    "ReadError",
    "RejectsPlaceError",
    "RunError",
    "SettingsError",
    "SourceAccessError",
    "SourceNotFoundError",
    "StorageOptionsError",
    "StoreFormatError",
    "StoreOnHoldError",
    "TargetExistsError",
    "ThresholdError",
    "UnexpectedError",
    "UnknownColumnError",
    "UnsupportedFormatError",
    "ValidationError",
    "VersionNotFoundError",
    "WriteError",
]
