"""What goes wrong with a relational database, be it filled or read."""

from __future__ import annotations

from aspen_etl.errors.base import AspenETLError

__all__ = ["DatabaseError"]


class DatabaseError(AspenETLError, RuntimeError):
    """The database cannot be reached, or refused a statement; nothing of a load is in it."""

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

    @classmethod
    def at_reading(cls, url: str, step: str, reason: str) -> DatabaseError:
        """Say where, when and what the driver calls it; nothing was written."""
        return cls(
            f"{url}: {step} failed ({reason}); nothing was changed: look into the database's own "
            "log, mend it and read again",
            url=url,
            step=step,
            reason=reason,
        )

    @classmethod
    def no_snapshot(cls, url: str, found: str, hint: str) -> DatabaseError:
        """Say why the database cannot show all tables as they are at one moment."""
        return cls(
            f"{url}: its tables cannot be read as of one moment: {found}; {hint}",
            url=url,
            step="opening the transaction",
            reason=found,
        )
