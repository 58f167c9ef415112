"""The differences one by one, with ids and values: one file, where its caller says.

It holds what rejects hold, so it belongs where these are.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Optional

import numpy as np
import pandas as pd

from aspen_etl.errors import ArgumentError
from aspen_etl.io.details import absent_place, write_details
from aspen_etl.io.filesystem import Location
from aspen_etl.schema.column_spec import ColumnSpec
from aspen_etl.transform.noting import DIFFERENCES
from aspen_etl.transform.suppressing import Suppression

__all__ = ["DETAILS", "Details", "Naming"]

#: The columns of the file: those of a difference, and whether it is in flight.
DETAILS: Mapping[str, ColumnSpec] = MappingProxyType(
    {name: ColumnSpec(name, "text", nullable=True) for name in (*DIFFERENCES, "state")}
)

#: The least bytes of a secret: fewer can be tried out.
_LEAST = 16


@dataclass(frozen=True)
class Naming:
    """Say how subjects are named: by their ids, or under a secret.

    Attributes:
        secret: The secret; none to name them by their ids.
        store: The id of the store that is compared, if one is.
    """

    secret: Optional[bytes] = field(repr=False)
    store: str

    def __post_init__(self) -> None:
        """Refuse a secret that can be tried out."""
        if self.secret is not None and len(self.secret) < _LEAST:
            msg = f"secret= has less than {_LEAST} bytes, so it can be tried out; give a longer one"
            raise ArgumentError(msg, problem="secret")

    @property
    def key(self) -> bytes:
        """The key of the digests of rows."""
        if self.secret is None:
            return b""
        return hmac.new(self.secret, b"rows", hashlib.sha512).digest()

    def name(self, found: pd.DataFrame, /) -> pd.DataFrame:
        """Name the subjects of differences; under a secret, no whole row: it holds an id."""
        if self.secret is None:
            return found
        named = Suppression(self.secret, self.store)
        subjects = [each if each is None else named.digest(each) for each in found["subject"]]
        is_cell = found["kind"] == "differs"
        values: dict[str, Any] = {
            name: found[name].astype(object).where(is_cell, None) for name in ("source", "target")
        }
        return found.assign(subject=np.array(subjects, dtype=object), **values)


@dataclass(frozen=True)
class Details:
    """Say where differences are written."""

    place: Location
    naming: Naming

    @classmethod
    def at(cls, url: str, options: Optional[Mapping[str, Any]], naming: Naming, /) -> Details:
        """Take a file that is not there yet: nothing of anybody's is replaced.

        Raises:
            TargetExistsError: It is there.
        """
        return cls(absent_place(url, options), naming)

    def write(self, found: pd.DataFrame, in_flight: Any, /) -> str:
        """Write differences, also where there are none; give the file's url, less secrets.

        Raises:
            SourceAccessError: The storage refuses.
            WriteError: It failed.
        """
        states = np.where(in_flight, "in flight", "confirmed").astype(object)
        return write_details(self.place, self.naming.name(found).assign(state=states), DETAILS)
