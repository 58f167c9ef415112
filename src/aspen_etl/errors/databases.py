"""What goes wrong with a relational database, be it filled or read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Optional

from aspen_etl.errors.base import SHOWN, AspenETLError, cell_counts

__all__ = ["DatabaseChangedError", "DatabaseError"]


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


class DatabaseChangedError(AspenETLError, RuntimeError):
    """Somebody else wrote what a load would write over; nothing of the load is in the database.

    Attributes:
        details: ``problem``: ``changed`` (rows are not what was loaded last), ``base`` (what was
            loaded last is not known or no longer kept, so that nobody can tell) or ``trigger``
            (the database made other values of those that were written); ``tables``, the rows by
            table, and by kind where rows were changed; ``columns``, the rows by table and column.
    """

    @classmethod
    def since(
        cls,
        url: str,
        version: int,
        tables: Mapping[str, Mapping[str, int]],
        columns: Mapping[str, Mapping[str, int]],
    ) -> DatabaseChangedError:
        """Say where somebody else wrote since a version was loaded, how much, and what to do."""
        told = "; ".join(
            f"{table}: {_counted(kinds)}"
            + (f" (in {_counted(columns[table])})" if columns.get(table) else "")
            for table, kinds in tables.items()
        )
        return cls(
            f"{url}: somebody else wrote since version {version} was loaded, in rows that this "
            f"load would write over: {told}; nothing was written: look at those rows, then load "
            'with policy=Policy("hold") (--policy hold), which leaves them as they are, or with '
            "overwrite=True (--overwrite), which writes over all of them",
            problem="changed",
            url=url,
            version=version,
            tables={table: dict(kinds) for table, kinds in tables.items()},
            columns={table: dict(counts) for table, counts in columns.items()},
        )

    @classmethod
    def without_base(cls, url: str, tables: Mapping[str, int]) -> DatabaseChangedError:
        """Say that nobody can tell whose rows those are that differ."""
        return cls(
            f"{url}: the database holds other rows than this load would write "
            f"({_counted(tables)}), and what was loaded into it last is not known here (frames, "
            "another store, or a version that is no longer kept), so that nobody can tell what "
            "somebody else wrote; nothing was written: load with overwrite=True (--overwrite) to "
            "write over all of it",
            problem="base",
            url=url,
            tables=dict(tables),
        )

    @classmethod
    def by_itself(
        cls, url: str, table: str, columns: Mapping[str, int], rows: int
    ) -> DatabaseChangedError:
        """Say in which columns the database itself made other values of what was written."""
        told = [f"{column} in {count:,} rows" for column, count in columns.items()]
        told += [f"{rows:,} whole rows"] if rows else []
        return cls(
            f"{url}: the database holds something else in {table} than was written just now: "
            f"{', '.join(told)}; nothing was written: a trigger, a rule or the type of a column "
            "changes it; take it away, or let it leave alone what this user writes",
            problem="trigger",
            url=url,
            tables={table: rows},
            columns={table: dict(columns)},
        )


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counts.items())
