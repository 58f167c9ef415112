"""What goes wrong between tables and a relational database."""

from __future__ import annotations

from collections.abc import Sequence

from aspen_etl.errors.base import AspenETLError

__all__ = ["DatabaseError", "DatabaseMismatchError", "LoadConflictError"]


class DatabaseError(AspenETLError, RuntimeError):
    """The database cannot be reached, or refused a statement; nothing of the load is in it."""

    @classmethod
    def at(cls, url: str, step: str, reason: str) -> DatabaseError:
        """Say where, when and what the driver calls it; its own text could hold a cell."""
        return cls(
            f"{url}: {step} failed ({reason}); the transaction was rolled back: look into the "
            "database's own log, mend it and load again",
            url=url,
            step=step,
            reason=reason,
        )


class LoadConflictError(AspenETLError, RuntimeError):
    """Another loader, or somebody else, holds what this load needs."""

    @classmethod
    def at(cls, url: str, step: str, reason: str) -> LoadConflictError:
        """Say where, and that it may be tried again."""
        return cls(
            f"{url}: {step} waited for somebody else's transaction in vain ({reason}); nothing of "
            "this load is in the database: load again when the other one is done",
            url=url,
            step=step,
            reason=reason,
        )


class DatabaseMismatchError(AspenETLError, ValueError):
    """The database holds tables that the model cannot continue."""

    @classmethod
    def of(cls, url: str, differences: Sequence[str]) -> DatabaseMismatchError:
        """Name the differences."""
        return cls(
            f"{url} holds tables that this model cannot continue: {'; '.join(differences)}. A new "
            "nullable column or a new table would do; for anything else, choose another database "
            "or schema",
            url=url,
            differences=tuple(differences),
        )
