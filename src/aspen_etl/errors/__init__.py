"""Every error that aspen_etl raises on purpose.

A class says what its caller can do about it; ``details["problem"]`` says what was found, where a
class stands for more than one thing. A message says what is wrong, where, how many, and what to do
next. It never holds a cell value: names, phones, e-mail and ids of people are personal data, and
a log is not the place for them. The parts of a message are kept as attributes (``details``), so
that a caller need not parse the text.
"""

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
from aspen_etl.errors.databases import DatabaseChangedError, DatabaseError
from aspen_etl.errors.landing import (
    LandedFileError,
    LandingChangedError,
    LandingOrderError,
)
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
    DeadlineError,
    EventError,
    ModelMismatchError,
    OutdatedSourceError,
    SettingsError,
    StoreOnHoldError,
    ThresholdError,
)
from aspen_etl.errors.sides import (
    MergeConflictError,
    SideStateError,
    StaleReadingError,
    TwoWayError,
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
    "DatabaseChangedError",
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
    "MergeConflictError",
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
    "SideStateError",
    "SourceAccessError",
    "SourceNotFoundError",
    "StaleReadingError",
    "StoreFormatError",
    "StoreOnHoldError",
    "TargetExistsError",
    "ThresholdError",
    "TwoWayError",
    "UnexpectedError",
    "ValidationError",
    "VersionNotFoundError",
    "WriteError",
]
