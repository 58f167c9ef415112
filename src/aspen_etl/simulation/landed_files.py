"""Files as DMS writes them of a history, in every layout that is documented."""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import io
import zoneinfo
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Optional

import pandas as pd

from aspen_etl.columns.text import conform_text
from aspen_etl.schema.landing import Landing
from aspen_etl.simulation.landed_database import LandedHistory, LoggedChange, Row
from aspen_etl.simulation.landed_tasks import TaskForm, WrittenTable, form_of

__all__ = ["Layout", "SimulatedFile", "write_landing", "write_task"]

#: How a DatePartitionSequence names folders.
_FOLDERS = {
    "YYYYMMDD": "%Y{0}%m{0}%d",
    "YYYYMMDDHH": "%Y{0}%m{0}%d{0}%H",
    "YYYYMM": "%Y{0}%m",
    "MMYYYYDD": "%m{0}%Y{0}%d",
    "DDMMYYYY": "%d{0}%m{0}%Y",
}


#: The cells of a record, each with the name of its column; a name may stand there twice.
Record = list[tuple[str, Optional[str]]]


@dataclass(frozen=True)
class Layout:
    """How a task writes, beside what its documents decide.

    Attributes:
        split: How many rows each file has at most, in turn.
        load_split: The same of the full load.
        whole_deletes: Whether a deletion has the whole row, not its key alone.
        rekey_as_pair: Whether a change of a key is written as deletion and insertion.
        delimiter: What stands between the parts of a dated folder.
        load_prefix: What stands before LOAD in a name.
        whole_times: Whether a file ends only where a time does.
    """

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
    return write_task(history, form_of(landing), layout)


def write_task(history: LandedHistory, form: TaskForm, layout: Layout) -> list[SimulatedFile]:
    """Write what a task writes; names are below the folder of its endpoint."""
    writer = _Writer(form, layout)
    files: list[SimulatedFile] = []
    for source, rows in history.loads.items():
        if source in form.tables and form.has_loads:
            files += writer.load(rows, (history.columns[source], source, history.began))
    log = [
        change
        for change in history.log
        if change.source in form.tables and change.operation in form.operations
    ]
    if form.transactions is not None:
        return files + list(writer.transactions(log))
    for source in form.tables:
        files += writer.changes([change for change in log if change.source == source])
    return files


@dataclass(frozen=True)
class _Writer:
    form: TaskForm
    layout: Layout

    # ------------------------------------------------------------------------- files

    def load(
        self, rows: Sequence[Row], told: tuple[Sequence[str], str, dt.datetime]
    ) -> Iterator[SimulatedFile]:
        columns, source, began = told
        table = self.form.tables[source]
        size = self.layout.load_split
        for number, start in enumerate(range(0, len(rows), size), 1):
            changes = [
                LoggedChange(source, "I", row, None, 0, began, tuple(columns))
                for row in rows[start : start + size]
            ]
            records = [self._record(change, "I", "") for change in changes]
            if not self.form.op_in_loads:
                records = [record[1:] for record in records]
            records = [record for record in records if record]
            # The counter is hexadecimal: begin where that is seen.
            name = f"{self.layout.load_prefix}LOAD{number + 8:08X}{self._ending}"
            path = f"{table.schema}/{table.table}/{name}"
            if records:
                yield SimulatedFile(path, self._pack(records), began, is_load=True)

    def changes(self, log: Sequence[LoggedChange]) -> Iterator[SimulatedFile]:
        for number, held in enumerate(self._split(log)):
            table = self.form.tables[held[0].source]
            written = held[-1].moment + dt.timedelta(seconds=30 + number)
            shown = self._local(written)
            folder = f"{table.schema}/{table.table}/{self._dated(shown)}"
            name = f"{shown:%Y%m%d-%H%M%S}{shown.microsecond // 1000:03}{self._ending}"
            records = [record for change in held for record in self._records(change)]
            if records:
                yield SimulatedFile(f"{folder}{name}", self._pack(records), written)

    def transactions(self, log: Sequence[LoggedChange]) -> Iterator[SimulatedFile]:
        for number, held in enumerate(self._split(log)):
            written = held[-1].moment + dt.timedelta(seconds=30 + number)
            rows = []
            for change in held:
                table = self.form.tables[change.source]
                for record in self._records(change):
                    cells = [cell for _, cell in record]
                    rows.append([cells[0], table.table, table.schema, *cells[1:]])
            moment = f"{written:%Y%m%d%H%M%S}{written.microsecond // 1000:03}"
            path = f"{self.form.transactions}/CDC_TXN-{moment}.csv"
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
            is_other = held and self.form.is_headed and held[0].columns != change.columns
            if ends or is_other:
                yield self._batched(held)
                held, number = [], number + 1
            held.append(change)
        if held:
            yield self._batched(held)

    def _batched(self, held: Sequence[LoggedChange]) -> Sequence[LoggedChange]:
        """Leave out what a later change in the batch is of the same row, where that is done."""
        if not self.form.is_batched:
            return held
        out: list[LoggedChange] = []
        for change in reversed(held):
            key = self._key(change)
            if all((each.before or self._key(each)) != key for each in out):
                out.insert(0, change)
        return out

    def _key(self, change: LoggedChange) -> tuple[str, ...]:
        return tuple(change.row[name] or "" for name in self.form.tables[change.source].key)

    def _local(self, written: dt.datetime) -> dt.datetime:
        return written.astimezone(zoneinfo.ZoneInfo(self.form.zone)) if self.form.zone else written

    def _dated(self, written: dt.datetime) -> str:
        if self.form.partitions is None:
            return ""
        return f"{written:{_FOLDERS[self.form.partitions].format(self.layout.delimiter)}}/"

    # ------------------------------------------------------------------------- rows

    def _records(self, change: LoggedChange) -> Iterator[Record]:
        """Give the records of a change: two of a new key, where the log has it so."""
        key = self.form.tables[change.source].key
        is_moved = change.before not in {None, self._key(change)}
        if self.layout.rekey_as_pair and is_moved:
            old = replace(change, row=dict(zip(key, change.before or ())), before=None)
            new = f"{int(change.sequence) + 1:035}"
            pair = (old, "D", change.sequence), (replace(change, before=None), "I", new)
            yield from filter(None, (self._record(*told) for told in pair))
            return
        if change.operation == "D" and not self.layout.whole_deletes:
            change = replace(change, row={name: change.row[name] for name in key})
        record = self._record(change, change.operation, change.sequence)
        if record:
            yield record

    def _record(self, change: LoggedChange, operation: str, sequence: str) -> Record:
        """Give the cells of a record, each with the name of its column; none, if it is left out."""
        table = self.form.tables[change.source]
        unlogged = dict.fromkeys(change.unlogged, self.form.not_logged)
        row: Optional[Row] = {
            name: unlogged.get(name, change.row.get(name)) for name in change.columns
        }
        for rewrite in table.rewrites:
            row = None if row is None else rewrite(row)
        if row is None:
            return []
        cells: Record = [("Op", operation)]
        cells += [(self.form.time, f"{change.moment:%Y-%m-%d %H:%M:%S.%f}")] * bool(self.form.time)
        cells += row.items()
        if table.sequence is not None:
            cells.append((table.sequence, table.mark(sequence)))
        return cells + self._before(change, table)

    def _before(self, change: LoggedChange, table: WrittenTable) -> Record:
        if table.before is None:
            return []
        prefix, suffix = table.before
        # Of other columns than the key nothing is known but what they are afterwards.
        held = {**change.row, **dict(zip(table.key, change.before))} if change.before else {}
        return [(f"{prefix}{name}{suffix}", held.get(name)) for name in table.image or table.key]

    # ------------------------------------------------------------------------- bytes

    @property
    def _ending(self) -> str:
        packed = {"none": "", "gzip": ".gz"}[self.form.compression]
        return f".{self.form.format}{packed}"

    def _pack(self, records: Sequence[Record]) -> bytes:
        if not self.form.is_text:
            return _parquet(records)
        rows: list[list[Optional[str]]] = [[cell for _, cell in record] for record in records]
        header = [[name for name, _ in records[0]]] if self.form.is_headed else []
        data = self._text([*header, *rows])
        return gzip.compress(data, mtime=0) if self.form.compression == "gzip" else data

    def _text(self, rows: Sequence[Sequence[Optional[str]]]) -> bytes:
        """Write CSV as RFC 4180 has it; what is null is a token, and never in quotes."""
        form = self.form
        cells = [[form.null if cell is None else cell for cell in row] for row in rows]
        if not form.is_quoted:
            lines = [form.delimiter.join(row) + form.row_end for row in cells]
            return "".join(lines).encode()
        out = io.StringIO()
        csv.writer(out, delimiter=form.delimiter, lineterminator=form.row_end).writerows(cells)
        return out.getvalue().encode()


def _parquet(records: Sequence[Record]) -> bytes:
    columns = {
        name: conform_text(pd.Series([record[at][1] for record in records], dtype=object))
        for at, (name, _) in enumerate(records[0])
    }
    sink = io.BytesIO()
    pd.DataFrame(columns).to_parquet(sink, index=False)
    return sink.getvalue()
