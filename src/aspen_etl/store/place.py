"""Where a store is and how it is used: one frozen value that every function of the store takes."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Optional

from aspen_etl.derive.formats import DEFAULT_FORMAT, FormatName
from aspen_etl.errors import ModelMismatchError, NotSupportedError
from aspen_etl.io.filesystem import Location
from aspen_etl.schema.evolution import find_conflicts
from aspen_etl.schema.model import Model
from aspen_etl.store.commit import Commit
from aspen_etl.store.commit_log import CommitLog
from aspen_etl.store.stored import Stored

__all__ = ["Place"]


@dataclass(frozen=True)
class Place:
    """Say where a store is, and how it is read and written; it travels to other processes.

    Attributes:
        log: Its commits.
        rejects_root: The place of the rejects, if it is another one.
        model: The model of the tables.
        format: The format of files that are written, if another one than the store's.
        attempt_limit: How long an attempt may take from its first file on.
    """

    log: CommitLog
    rejects_root: Optional[Location]
    model: Model = field(repr=False)
    format: Optional[FormatName] = None
    attempt_limit: dt.timedelta = dt.timedelta(hours=1)

    @property
    def root(self) -> Location:
        """The store's folder."""
        return self.log.root

    @property
    def url(self) -> str:
        """The store's url, without anything secret."""
        return self.root.url

    def root_of(self, stored: Stored, /) -> Location:
        """Give the place below which files are.

        Raises:
            NotSupportedError: They are rejects elsewhere, and no ``rejects_url`` was given.
        """
        if not stored.elsewhere:
            return self.root
        if self.rejects_root is None:
            msg = f"the rejects of {self.url} are elsewhere; give rejects_url= (--rejects-url)"
            raise NotSupportedError(msg, url=self.url)
        return self.rejects_root

    def format_after(self, base: Optional[Commit], /) -> FormatName:
        """Give the format of what is written after a commit: as was asked for, else its own."""
        if self.format is not None:
            return self.format
        return DEFAULT_FORMAT if base is None else base.format_of_tables

    def check_model(self, commit: Commit, /) -> None:
        """Make sure that the model can read and continue what a commit holds.

        Raises:
            ModelMismatchError: It cannot; the text names every difference.
        """
        differences = find_conflicts(commit.model, self.model)
        if differences:
            raise ModelMismatchError.of_store(self.url, differences)
