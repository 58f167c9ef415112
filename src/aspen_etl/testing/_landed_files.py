"""Files as DMS writes them of a history, in every layout that is documented."""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Optional

import pandas as pd

from aspen_etl.columns.text import conform_text
from aspen_etl.schema.landing import LandedTable, Landing
from aspen_etl.schema.landing_forms import LANDED_FORMS
from aspen_etl.testing._landings import LandedHistory, LoggedChange, Row

__all__ = ["Layout", "SimulatedFile", "write_landing"]

#: How a DatePartitionSequence names folders.
_FOLDERS = {
    "YYYYMMDD": "%Y{0}%m{0}%d",
    "YYYYMMDDHH": "%Y{0}%m{0}%d{0}%H",
    "YYYYMM": "%Y{0}%m",
    "MMYYYYDD": "%m{0}%Y{0}%d",
    "DDMMYYYY": "%d{0}%m{0}%Y",
}


@dataclass(frozen=True)
class Layout:
    """How a task writes, beside what its landing says.

    Attributes:
        before: Whether a before image of the key is written.
        split: How many rows each file has at most, in turn.
        load_split: The same of the full load.
        whole_deletes: Whether a deletion has the whole row, not its key alone.
        rekey_as_pair: Whether a change of a key is written as deletion and insertion.
        delimiter: What stands between the parts of a dated folder.
        load_prefix: What stands before LOAD in a name.
        whole_times: Whether a file ends only where a time does.
    """

    before: bool = True
    split: tuple[int, ...] = (2,)
    load_split: int = 2
    whole_deletes: bool = False
    rekey_as_pair: bool = False
    delimiter: str = "/"
    load_prefix: str = ""
    whole_times: bool = False


@dataclass(frozen=True)
class SimulatedFile:
    """A file: its name below the landing's folder, its bytes, and when it was written."""

    path: str
    data: bytes = field(repr=False)
    modified: dt.datetime
    is_load: bool = False


def write_landing(history: LandedHistory, landing: Landing, layout: Layout) -> list[SimulatedFile]:
    """Write what DMS would write: the full load first, then changes in the order of their time."""
    writer = _Writer(landing, layout)
    files = [
        file
        for source, rows in history.loads.items()
        for file in writer.load(rows, (history.columns[source], source, history.began))
    ]
    if landing.order == "transactions":
        return files + list(writer.transactions(history.log))
    for source in landing.tables:
        files += writer.changes([change for change in history.log if change.source == source])
    return files


@dataclass(frozen=True)
class _Writer:
    landing: Landing
    layout: Layout

    # ------------------------------------------------------------------------- files

    def load(
        self, rows: Sequence[Row], told: tuple[Sequence[str], str, dt.datetime]
    ) -> Iterator[SimulatedFile]:
        columns, source, began = told
        table = self.landing.tables[source]
        size = self.layout.load_split
        for number, start in enumerate(range(0, len(rows), size), 1):
            records = [
                self._record("I", began, row, (columns, table, ""), None)
                for row in rows[start : start + size]
            ]
            # The counter is hexadecimal: begin where that is seen.
            name = f"{self.layout.load_prefix}LOAD{number + 8:08X}{self._ending}"
            path = f"{table.schema}/{table.table}/{name}"
            yield SimulatedFile(path, self._pack(records, table), began, is_load=True)

    def changes(self, log: Sequence[LoggedChange]) -> Iterator[SimulatedFile]:
        for number, held in enumerate(self._split(log)):
            table = self.landing.tables[held[0].source]
            written = held[-1].moment + dt.timedelta(seconds=30 + number)
            folder = f"{table.schema}/{table.table}/{self._dated(written)}"
            name = f"{written:%Y%m%d-%H%M%S}{written.microsecond // 1000:03}{self._ending}"
            records = [record for change in held for record in self._records(change)]
            data = self._pack(records, table)
            yield SimulatedFile(f"{folder}{name}", data, written)

    def transactions(self, log: Sequence[LoggedChange]) -> Iterator[SimulatedFile]:
        for number, held in enumerate(self._split(log)):
            written = held[-1].moment + dt.timedelta(seconds=30 + number)
            rows = []
            for change in held:
                table = self.landing.tables[change.source]
                for record in self._records(change):
                    cells = list(record.values())
                    rows.append([cells[0], table.table, table.schema, *cells[1:]])
            moment = f"{written:%Y%m%d%H%M%S}{written.microsecond // 1000:03}"
            path = f"{self.landing.transactions}/CDC_TXN-{moment}.csv"
            yield SimulatedFile(path, self._text(rows), written)

    def _split(self, log: Sequence[LoggedChange]) -> Iterator[Sequence[LoggedChange]]:
        """Split a log into files; one file has the columns of one time."""
        held: list[LoggedChange] = []
        number = 0
        for change in log:
            ends = held and (
                len(held) >= self.layout.split[number % len(self.layout.split)]
                and not (self.layout.whole_times and held[-1].moment == change.moment)
            )
            if held and (ends or (held[0].columns != change.columns and self._is_headed(change))):
                yield held
                held, number = [], number + 1
            held.append(change)
        if held:
            yield held

    def _is_headed(self, change: LoggedChange) -> bool:
        return self.landing.tables[change.source].headers is None

    def _dated(self, written: dt.datetime) -> str:
        if self.landing.partitions is None:
            return ""
        return f"{written:{_FOLDERS[self.landing.partitions].format(self.layout.delimiter)}}/"

    # ------------------------------------------------------------------------- rows

    def _records(self, change: LoggedChange) -> Iterator[dict[str, Optional[str]]]:
        """Give the records of a change: two of a new key, where the log has it so."""
        table = self.landing.tables[change.source]
        key = tuple(change.row[name] for name in table.key)
        told = (change.columns, table, change.sequence)
        if self.layout.rekey_as_pair and change.before not in {None, key}:
            old = dict(zip(table.key, change.before or ()))
            yield self._record("D", change.moment, old, told, None)
            told = (change.columns, table, f"{int(change.sequence) + 1:035}")
            yield self._record("I", change.moment, change.row, told, None)
            return
        row = change.row
        if change.operation == "D" and not self.layout.whole_deletes:
            row = {name: row[name] for name in table.key}
        yield self._record(change.operation, change.moment, row, told, change.before)

    def _record(
        self,
        operation: str,
        moment: dt.datetime,
        row: Row,
        told: tuple[Sequence[str], LandedTable, str],
        before: Optional[tuple[str, ...]],
    ) -> dict[str, Optional[str]]:
        columns, table, sequence = told
        landing = self.landing
        record: dict[str, Optional[str]] = {
            "Op": operation,
            landing.time: f"{moment:%Y-%m-%d %H:%M:%S.%f}",
        }
        record.update({name: row.get(name) for name in columns})
        if landing.order == "sequence":
            record[landing.sequence] = sequence
        if self.layout.before:
            held = before or (None,) * len(table.key)
            names = [f"{landing.before}{name}" for name in table.key]
            record.update(zip(names, held))
        return record

    # ------------------------------------------------------------------------- bytes

    @property
    def _ending(self) -> str:
        packed = {"none": "", "gzip": ".gz"}[self.landing.compression]
        return f".{self.landing.format}{packed}"

    def _pack(
        self,
        records: Sequence[Mapping[str, Optional[str]]],
        table: LandedTable,
    ) -> bytes:
        if not LANDED_FORMS[self.landing.format].is_text:
            return _parquet(records)
        rows: list[Sequence[Optional[str]]] = [list(record.values()) for record in records]
        header = [] if table.headers is not None else [list(records[0])]
        data = self._text([*header, *rows])
        return gzip.compress(data, mtime=0) if self.landing.compression == "gzip" else data

    def _text(self, rows: Sequence[Sequence[Optional[str]]]) -> bytes:
        """Write CSV as RFC 4180 has it; what is null is a token, and never in quotes."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerows(
            [self.landing.null if cell is None else cell for cell in row] for row in rows
        )
        return out.getvalue().encode()


def _parquet(records: Sequence[Mapping[str, Optional[str]]]) -> bytes:
    columns = {
        name: conform_text(pd.Series([record[name] for record in records], dtype=object))
        for name in records[0]
    }
    sink = io.BytesIO()
    pd.DataFrame(columns).to_parquet(sink, index=False)
    return sink.getvalue()
