"""What goes wrong with a relational database, be it filled or read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Optional

from aspen_etl.errors.base import SHOWN, AspenETLError, cell_counts

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

    @classmethod
    def at_writing(cls, url: str, step: str, reason: str) -> DatabaseError:
        """Say where, when and what the driver calls it; the side's own table tells if it is in."""
        return cls(
            f"{url}: {step} failed ({reason}); the transaction was rolled back, or the connection "
            "was lost at its commit, which the next pull finds out: look into the database's own "
            "log, mend it, pull and push again",
            url=url,
            step=step,
            reason=reason,
        )

    @classmethod
    def cannot_hold(cls, url: str, reasons: Sequence[str]) -> DatabaseError:
        """Say what flat tables cannot take, by source and column, before anything is written."""
        rest = len(reasons) - SHOWN
        told = "; ".join(reasons[:SHOWN]) + (f"; and {rest} more" if rest > 0 else "")
        return cls(
            f"{url} cannot hold what is to be written: {told}; nothing was written: widen its "
            "columns or mend its rows, or change what the other side has",
            url=url,
            step="looking at the tables",
            reason=told,
        )

    @classmethod
    def not_kept(cls, url: str, found: Mapping[tuple[str, Optional[str]], int]) -> DatabaseError:
        """Say which cells were other ones when they were read back."""
        told = cell_counts(found)
        return cls(
            f"{url}: read back, what was written is not what was to be there ({told}): a trigger, "
            "a default or a type of the database changes it; the transaction was rolled back: "
            "mend that, and push again",
            url=url,
            step="reading back",
            reason=told,
            found=dict(found),
        )
