"""How a task of DMS writes: what its documents decide, as far as files show it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Optional

from aspen_etl.schema.landing import Landing
from aspen_etl.schema.landing_forms import LANDED_FORMS
from aspen_etl.simulation.landed_database import Row

__all__ = ["Rewrite", "TaskForm", "WrittenTable", "form_of"]

#: What becomes of a row on its way; nothing, where it is left out.
Rewrite = Callable[[Row], Optional[Row]]


@dataclass(frozen=True)
class WrittenTable:
    """Say how a task writes the rows of a table.

    Attributes:
        schema: The first folder.
        table: The second folder.
        key: The columns of the primary key.
        sequence: The column of the sequence, if there is one.
        expression: What the sequence is filled with.
        type: Its type; a time keeps the digits of one.
        digits: How many of its characters are kept.
        before: Prefix and suffix of the before image, if there is one.
        image: The columns that it holds, where they are not those of the key.
        rewrites: What becomes of a row on its way, step by step; two functions are never equal, so
            they are not compared.
    """

    schema: str
    table: str
    key: tuple[str, ...]
    sequence: Optional[str]
    expression: str = "$AR_H_CHANGE_SEQ"
    type: str = "string"
    digits: int = 50
    before: Optional[tuple[str, str]] = None
    image: Optional[tuple[str, ...]] = None
    rewrites: tuple[Rewrite, ...] = field(default=(), repr=False, compare=False)

    def mark(self, sequence: str, /) -> str:
        """Give what stands in the column of the sequence."""
        if not sequence:
            return ""
        if self.expression != "$AR_H_CHANGE_SEQ":
            return f"{int(sequence[16:]):08x}:{1:08x}:{1:04x}"  # a place in the log
        if self.type != "string":
            day, time = sequence[:8], sequence[8:14]
            return f"{day[:4]}-{day[4:6]}-{day[6:]} {time[:2]}:{time[2:4]}:{time[4:]}"
        return sequence[: self.digits]


@dataclass(frozen=True)
class TaskForm:
    """Say how a task writes.

    Attributes:
        tables: The tables that it takes, by source.
        time: The column of the commit time, or ''.
        null: The token for null; Parquet has none.
        not_logged: The token for what the log does not hold; without one that is null.
        is_headed: Whether files name their columns.
        is_quoted: Whether text is quoted where it must be.
        delimiter: What stands between fields.
        row_end: What ends a row.
        format: ``csv`` or ``parquet``.
        compression: ``none`` or ``gzip``.
        partitions: The sequence of dated folders, if there are any.
        zone: Whose clock names of folders and files follow; UTC without one.
        transactions: The folder of transaction files, if they are what holds changes.
        has_loads: Whether there is a full load.
        op_in_loads: Whether rows of the full load have an operation.
        operations: Which changes are written: of I, U and D.
        is_batched: Whether of a key's changes in one file the last alone is written.
    """

    tables: Mapping[str, WrittenTable]
    time: str
    null: str
    not_logged: Optional[str]
    is_headed: bool
    is_quoted: bool = True
    delimiter: str = ","
    row_end: str = "\n"
    format: str = "csv"
    compression: str = "none"
    partitions: Optional[str] = None
    zone: Optional[str] = None
    transactions: Optional[str] = None
    has_loads: bool = True
    op_in_loads: bool = True
    operations: str = "IUD"
    is_batched: bool = False

    @property
    def is_text(self) -> bool:
        """Whether files are text."""
        return LANDED_FORMS[self.format].is_text


def form_of(landing: Landing, /) -> TaskForm:
    """Say how a task writes that lands what a landing says."""
    is_text = LANDED_FORMS[landing.format].is_text
    tables = {
        source: WrittenTable(
            table.schema,
            table.table,
            table.key,
            landing.sequence if landing.order == "sequence" else None,
            before=(landing.before, ""),
        )
        for source, table in landing.tables.items()
    }
    return TaskForm(
        tables,
        landing.time,
        landing.null if is_text else "",
        landing.not_logged if is_text else None,
        not is_text or all(table.headers is None for table in landing.tables.values()),
        format=landing.format,
        compression=landing.compression,
        partitions=landing.partitions,
        transactions=landing.transactions if landing.order == "transactions" else None,
    )
