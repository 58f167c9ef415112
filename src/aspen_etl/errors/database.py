"""What goes wrong between tables and a relational database."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Optional

from aspen_etl.errors.base import SHOWN, AspenETLError

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

    @classmethod
    def after_commit(cls, url: str, step: str, reason: str) -> DatabaseError:
        """Say what failed when the load was done already."""
        return cls(
            f"{url}: the load is committed, but {step} failed ({reason}) after it: load again with "
            "compare=True (--compare), which does it once more",
            url=url,
            step=step,
            reason=reason,
        )

    @classmethod
    def bad_url(cls, reason: str) -> DatabaseError:
        """Say what is wrong with a database's url, of which nothing is shown: it holds secrets."""
        return cls(f"the database's url cannot be used: {reason}", reason=reason)


class LoadConflictError(AspenETLError, RuntimeError):
    """Another loader, or somebody else, holds what this load needs."""

    @classmethod
    def at(
        cls,
        url: str,
        step: str,
        reason: str,
        *,
        seconds: Optional[float] = None,
        holders: Sequence[str] = (),
    ) -> LoadConflictError:
        """Say where, for how long and for whom it waited, and that it may be tried again."""
        span = "" if seconds is None else f", at most {seconds:g} s"
        whose = "; ".join(holders[:SHOWN]) or "somebody else"
        return cls(
            f"{url}: {step} waited in vain for a transaction of {whose} ({reason}{span}); nothing "
            "of this load is in the database: load again when the other one is done, or let it "
            "wait longer with lock_timeout= (--lock-timeout)",
            url=url,
            step=step,
            reason=reason,
            seconds=seconds,
            holders=tuple(holders),
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
