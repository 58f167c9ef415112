"""What the small files of a store say, as pydantic models: read strictly, built when first used.

It is imported where a file is read, since pydantic takes its time.
"""

from __future__ import annotations

import functools
from typing import Annotated, Any, Optional, TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from aspen_etl.store.commit import STRICT
from aspen_etl.store.stored import Digest, Token

__all__ = [
    "LeaseNote",
    "RunNote",
    "StoreId",
    "ValidationError",
    "VersionNote",
    "read_as",
    "read_if_whole",
    "to_words",
]

T = TypeVar("T")

#: The same, built when it is first used, so that importing it costs little.
_LATER = ConfigDict(**STRICT, defer_build=True)


class StoreId(BaseModel):
    """Say whose a folder is: the store's own, or that of its rejects."""

    model_config = _LATER

    format: int = Field(ge=1)
    token: Token


class VersionNote(BaseModel):
    """Name a version: one that somebody stands on, or the newest when word was left of it."""

    model_config = _LATER

    version: Annotated[int, Field(ge=1)]
    sha256: Optional[Digest] = None


class LeaseNote(BaseModel):
    """Say for how long a lease was taken, and whether it was given back."""

    model_config = _LATER

    token: Token
    seconds: Annotated[float, Field(ge=0)]
    ended: bool
    sha256: Optional[Digest] = None


class RunNote(BaseModel):
    """Say what the last run left word of."""

    model_config = _LATER

    time: AwareDatetime
    actor: str = ""
    outcome: str
    version: int
    fingerprint: Optional[str] = None
    reasons: list[str] = []


@functools.cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def read_as(kind: type[T], data: bytes, /) -> T:
    """Read a JSON file as a model.

    Raises:
        pydantic.ValidationError: It says something else; its ``errors()`` hold what it says.
    """
    model: Any = kind
    found: T = _adapter(model).validate_json(data)
    return found


def read_if_whole(kind: type[T], data: bytes, /) -> Optional[T]:
    """Read a JSON file as a model; nothing where it says something else."""
    try:
        return read_as(kind, data)
    except ValidationError:
        return None


def to_words(found: Any, /) -> dict[str, Any]:
    """Give what a file said, ready for JSON, in its order, without what it did not say."""
    words: dict[str, Any] = found.model_dump(mode="json", exclude_unset=True)
    return words
