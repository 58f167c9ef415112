"""The statements that write to a flat table, each guarded by what was read of its row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from aspen_etl.sql.flat_looking import Held, Seen
from aspen_etl.sql.flat_planning import SheetWrite, UpdateGroup

__all__ = ["MissedError", "delete", "insert", "update"]

#: What parameters are called: no column is.
_VALUE, _SEEN, _KEY = "aspen_etl_v{}", "aspen_etl_s{}", "aspen_etl_k{}"


class MissedError(Exception):
    """Statements met other rows than they were made for: somebody else changed these.

    Attributes:
        source: The source.
        count: How many, at least.
    """

    def __init__(self, source: str, count: int) -> None:
        super().__init__(source, count)
        self.source, self.count = source, count


class _Guard:
    """Let a statement meet a row alone that is as it was read.

    Args:
        write: What is to be written to the table.
        columns: The columns that are looked at, as the database calls them.
    """

    def __init__(self, write: SheetWrite, columns: Sequence[str]) -> None:
        target, width = write.target, len(write.guarded)
        places = {column: at for at, column in enumerate(write.guarded)}
        self.places = {_SEEN.format(at): places[column] for at, column in enumerate(columns)}
        self.places |= {_KEY.format(at): width + at for at in range(len(target.found_by))}
        self.clauses = [
            *(
                target.whole.c[column] == sa.bindparam(_KEY.format(at))
                for at, column in enumerate(target.found_by)
            ),
            *(
                target.seen(column).is_not_distinct_from(sa.bindparam(_SEEN.format(at)))
                for at, column in enumerate(columns)
            ),
        ]

    def known(self, beside: Sequence[Any]) -> dict[str, Any]:
        """Give the parameters of a row."""
        return {name: beside[at] for name, at in self.places.items()}


def delete(connection: sa.Connection, write: SheetWrite, seen: Seen, held: Held) -> int:
    """Delete the rows that go, and give how many."""
    if not len(held.deleted):
        return 0
    guard = _Guard(write, write.guarded)
    statement = write.target.whole.delete().where(*guard.clauses)
    rows = [guard.known(seen.beside[at]) for at in held.deleted.tolist()]
    return _run(connection, statement, rows, write)


def update(connection: sa.Connection, write: SheetWrite, seen: Seen, held: Held) -> int:
    """Update the columns that change of the rows that do, and give how many rows."""
    return sum(_update(connection, write, group, seen, held) for group in write.groups)


def _update(
    connection: sa.Connection, write: SheetWrite, group: UpdateGroup, seen: Seen, held: Held
) -> int:
    target = write.target
    names = {name: target.table.columns[name] for name in group.columns}
    names = {name: column for name, column in names.items() if column not in target.own}
    if not names:
        return 0
    asked: dict[str, Any] = {
        column: sa.bindparam(_VALUE.format(at)) for at, column in enumerate(names.values())
    }
    guard = _Guard(write, list(dict.fromkeys([*target.identity, *asked])))
    statement = target.whole.update().values(asked).where(*guard.clauses)
    values = [group.values[name] for name in names]
    rows = [
        {
            **{_VALUE.format(at): cell for at, cell in enumerate(cells)},
            **guard.known(seen.beside[place]),
        }
        for place, *cells in zip(held.updated[group.rows].tolist(), *values)
    ]
    return _run(connection, statement, rows, write)


def insert(
    connection: sa.Connection, write: SheetWrite, held: Held, more: Mapping[str, Sequence[Any]]
) -> int:
    """Insert the rows that are new, and give how many.

    Args:
        connection: A connection.
        write: What is to be written to the table.
        held: Which rows are not there yet.
        more: Values that stand in the place of others, by column of the model.
    """
    columns = write.target.table.columns
    values = {columns[name]: cells for name, cells in {**write.values, **more}.items()}
    rows = [
        {**{name: cells[at] for name, cells in values.items()}, **write.target.filled}
        for at in held.new.tolist()
    ]
    if rows:
        connection.execute(write.target.whole.insert(), rows)
    return len(rows)


def _run(
    connection: sa.Connection, statement: Any, rows: Sequence[dict[str, Any]], write: SheetWrite
) -> int:
    """Run a statement for each row, and make sure that it met that one."""
    # Without a key, one could meet two rows and another one none.
    if write.target.table.key and connection.dialect.supports_sane_multi_rowcount:
        missed = abs(len(rows) - connection.execute(statement, rows).rowcount)
    else:
        missed = sum(connection.execute(statement, row).rowcount != 1 for row in rows)
    if missed:
        raise MissedError(write.target.table.source, missed)
    return len(rows)
