"""The formats of a commit file, each as it is read: what it holds and what it does not know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Optional

from aspen_etl.store.commit import STRICT, Commit
from aspen_etl.store.stored import Digest

__all__ = ["DOCUMENTS"]


@dataclass(frozen=True)
class Unsealed(Commit):
    """Say what a commit file of format 1 does, which proves nothing of itself."""

    __pydantic_config__ = STRICT

    format: Literal[1] = 1
    store: None = None
    parent_sha256: None = None


@dataclass(frozen=True)
class Sealed(Commit):
    """Say what a commit file of format 2 does."""

    __pydantic_config__ = STRICT

    format: Literal[2] = 2
    sha256: Optional[Digest] = None


@dataclass(frozen=True)
class Typed(Commit):
    """Say what a commit file of format 3 does: rejects of a subject, columns of more types."""

    __pydantic_config__ = STRICT

    format: Literal[3] = 3
    sha256: Optional[Digest] = None


@dataclass(frozen=True)
class Parted(Commit):
    """Say what a commit file of format 4 does: in how many parts the rows are."""

    __pydantic_config__ = STRICT

    format: Literal[4] = 4
    sha256: Optional[Digest] = None


@dataclass(frozen=True)
class Landed(Commit):
    """Say what a commit file of format 5 does: what is known of a landing folder."""

    __pydantic_config__ = STRICT

    format: Literal[5] = 5
    sha256: Optional[Digest] = None


@dataclass(frozen=True)
class Sided(Commit):
    """Say what a commit file of format 6 does: what is accounted for of two sides."""

    __pydantic_config__ = STRICT

    format: Literal[6] = 6
    sha256: Optional[Digest] = None


#: What reads a commit file, by its format.
DOCUMENTS: Mapping[int, type[Commit]] = {
    1: Unsealed,
    2: Sealed,
    3: Typed,
    4: Parted,
    5: Landed,
    6: Sided,
}
