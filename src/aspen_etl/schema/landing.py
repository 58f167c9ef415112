"""A landing folder: the files that AWS DMS writes of a database's tables, and how they are meant.

A frozen value, checked when it is made. It reads no file: ``landing_file`` makes one of JSON.
Sources: the DMS user guide, "S3 as a target", "Transformation rules", "Expressions"; what public
users of such files report is told beside each rule of ``aspen_etl.derive.dms``.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, Optional, Union

from aspen_etl.schema.landing_checks import (
    check_for_model,
    check_landing,
    check_table,
    fault,
    utc,
)
from aspen_etl.schema.landing_file import landing_of, read_json, read_toml, values_of

if TYPE_CHECKING:
    from aspen_etl.schema.model import Model

__all__ = ["Fold", "LandedTable", "Landing", "OnGap"]

#: What orders the changes of a key.
Order = Literal["sequence", "transactions", "time"]

#: What makes two living keys one: other letter case, outer white space, or both.
Fold = Literal["case", "space", "both"]

#: What becomes of a run that finds a change that does not follow from the one before.
OnGap = Literal["refuse", "report"]


@dataclass(frozen=True)
class LandedTable:
    """Say which table of the database feeds a source of the model.

    Names of columns are those of the files. DMS's own columns (``Op``, the time, the sequence, the
    before image) are known by the landing and named here nowhere.

    Attributes:
        name: Schema and table in the database, as in ``dbo.loan``; DMS takes letter case
            as it is.
        key: The columns of the primary key **in the database**. One that the model does not know
            is kept in the state and not handed on.
        columns: Which column of the model a landed column stands for, where they differ.
        ignore: Landed columns that are neither the model's nor of the key, and are left out.
        headers: The table's own columns in order, where files have no header (``AddColumnName``
            off; transaction files never have one).
        columns_since: The same from a moment on, by the commit time of a row: what an ALTER made.
        fold: Which keys are one and the same: equal but for letter ``case``, outer ``space``, or
            ``both``. SQL Server's drivers write a GUID in small letters at one time and in capital
            ones at another. Without it such keys are refused.

    Raises:
        ArgumentError: A name cannot be, stands twice, or says another thing than the rest.

    Examples:
        >>> LandedTable("dbo.borrower").table
        'borrower'
    """

    name: str
    key: tuple[str, ...] = ("id",)
    columns: Mapping[str, str] = field(default_factory=dict)
    ignore: tuple[str, ...] = ()
    headers: Optional[tuple[str, ...]] = None
    columns_since: Mapping[dt.datetime, tuple[str, ...]] = field(default_factory=dict)
    fold: Optional[Fold] = None

    def __post_init__(self) -> None:
        """Check the names, and let nobody change them."""
        check_table(self)
        object.__setattr__(self, "columns", MappingProxyType(dict(self.columns)))
        since = {utc(moment): tuple(names) for moment, names in self.columns_since.items()}
        object.__setattr__(self, "columns_since", MappingProxyType(dict(sorted(since.items()))))
        for name in ("key", "ignore", "headers"):
            held = getattr(self, name)
            object.__setattr__(self, name, None if held is None else tuple(held))

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel without the views of the mappings, which do not pickle."""
        since = dict(self.columns_since)
        names = (self.name, self.key, dict(self.columns), self.ignore, self.headers)
        return type(self), (*names, since, self.fold)

    @property
    def schema(self) -> str:
        """The schema in the database, and the first folder of the files."""
        return self.name.partition(".")[0]

    @property
    def table(self) -> str:
        """The table in the database, and the second folder of the files."""
        return self.name.partition(".")[2]

    def column_of(self, landed: str, /) -> str:
        """Give the name in the model of a landed column.

        Examples:
            >>> LandedTable("dbo.loan", columns={"LoanNo": "number"}).column_of("LoanNo")
            'number'
        """
        return self.columns.get(landed, landed)

    def headers_at(self, moment: dt.datetime, /) -> Optional[tuple[str, ...]]:
        """Give the columns of a row that was committed at a moment, where they are declared."""
        known = [names for since, names in self.columns_since.items() if since <= moment]
        return known[-1] if known else self.headers


@dataclass(frozen=True)
class Landing:
    """Say what lands in a folder, in what order it is meant, and what marks stand in it.

    Attributes:
        url: The folder: bucket and ``BucketFolder`` of the endpoint. One folder holds the files of
            one task and one full load; a new full load needs a new folder.
        tables: The table that feeds each source of the model, by source.
        order: What orders the changes of a key: ``sequence``, a column that a mapping rule adds;
            ``transactions``, the names of files and their rows (``PreserveTransactions``); or
            ``time``, the commit time, which is ambiguous: transactions may share it.
        sequence: The column with ``$AR_H_CHANGE_SEQ``: 35 digits, which rise within a task.
        time: The column of ``TimestampColumnName``.
        before: The prefix of the columns that hold a key as it was before a change.
        null: The token for null (``CsvNullValue``), which no text of the data may equal.
        not_logged: The token for a cell that the source's log does not hold (``CsvNoSupValue``).
        lag: Files younger than this wait: a transaction's rows may not be complete before.
        late_window: For how long a file is awaited that should have come earlier.
        loaded: The rows of the full load by source, as DMS reports them (``FullLoadRows``);
            ``"declared"``, if whoever runs this knows that it is over; none, if that is not known.
        format: ``csv`` or ``parquet``.
        compression: ``none`` or ``gzip``, of CSV.
        partitions: The ``DatePartitionSequence`` of dated folders, if there are any.
        transactions: The folder of the transaction files below the url (``CdcPath``).
        heartbeat: A table that a job in the database writes to each minute, as in ``dbo.beat``.
            Files cannot tell a quiet database from a dead task; those of this table can.
        side: The table of one row in which a push of a two-way store notes what it wrote to the
            database, as in ``dbo.aspen_etl_side``, where it is part of the task: without it nobody
            can tell whether what landed is older than a push.
        epoch: Which full load of the store this folder is; higher with each new folder.
        lob_max_kb: ``LobMaxSize`` of the task, in KB, at which DMS cuts the cells of LOB columns
            without a word in the files; if it is told, cells of that length are counted.

    Raises:
        ArgumentError: Something cannot be, or does not go with the rest; the text names it.

    Examples:
        >>> Landing("s3://raw/dms", {"borrower": LandedTable("dbo.borrower")}).order
        'sequence'
    """

    url: str
    tables: Mapping[str, LandedTable]
    order: Order = field(default="sequence")
    sequence: str = "dms_seq"
    time: str = "dms_time"
    before: str = "BI_"
    null: str = "__ASPEN_NULL__"
    not_logged: str = "__ASPEN_NOSUP__"
    lag: dt.timedelta = dt.timedelta(minutes=3)
    late_window: dt.timedelta = dt.timedelta(days=7)
    loaded: Union[Mapping[str, int], Literal["declared"], None] = None
    format: Literal["csv", "parquet"] = "csv"
    compression: Literal["none", "gzip"] = "none"
    partitions: Optional[str] = None
    transactions: str = "transactions"
    heartbeat: Optional[str] = None
    epoch: int = 1
    lob_max_kb: Optional[int] = None
    side: Optional[str] = None

    def __post_init__(self) -> None:
        """Check all of it, and let nobody change it."""
        check_landing(self)
        object.__setattr__(self, "url", self.url.rstrip("/"))
        object.__setattr__(self, "tables", MappingProxyType(dict(self.tables)))
        if isinstance(self.loaded, Mapping):
            object.__setattr__(self, "loaded", MappingProxyType(dict(self.loaded)))

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel without the views of the mappings, which do not pickle."""
        return _restore, (self._parts(),)

    def _parts(self) -> dict[str, Any]:
        held = {name: getattr(self, name) for name in self.__dataclass_fields__}
        held["tables"] = dict(self.tables)
        held["loaded"] = dict(self.loaded) if isinstance(self.loaded, Mapping) else self.loaded
        return held

    def source_of(self, name: str, /) -> str:
        """Give the source that a table of the database feeds.

        Raises:
            ArgumentError: It feeds none.
        """
        for source, table in self.tables.items():
            if table.name == name:
                return source
        raise fault(f"no source is fed by the table {name!r}", name, self._names())

    def check(self, model: Model, /) -> None:
        """Check that this feeds every source of a model, each by columns that it has.

        Raises:
            ArgumentError: A source is missing or not known, or a column is.
        """
        check_for_model(self, model)

    def _names(self) -> list[str]:
        return [table.name for table in self.tables.values()]

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], /) -> Landing:
        """Make one of plain values, as ``to_dict`` gives them.

        Times are numbers of seconds, moments are ISO texts.

        Raises:
            ArgumentError: A name is not known, is missing, or its value cannot be.
        """
        return landing_of(values, cls, LandedTable)

    @classmethod
    def from_json(cls, text: str, /) -> Landing:
        """Make one of the text of a ``landing.json``.

        Raises:
            ArgumentError: It is no JSON, or as for ``from_dict``.
        """
        return cls.from_dict(read_json(text))

    @classmethod
    def from_toml(cls, text: str, /) -> Landing:
        """Make one of the text of a ``landing.toml``; Python has a reader of TOML from 3.11 on.

        Raises:
            ArgumentError: It is no TOML, or as for ``from_dict``.
            NotSupportedError: This Python reads no TOML.
        """
        return cls.from_dict(read_toml(text))

    def to_dict(self) -> dict[str, Any]:
        """Give it as plain values, without what is as it is where nothing is said."""
        return values_of(self)


def _restore(parts: dict[str, Any]) -> Landing:
    return Landing(**parts)
