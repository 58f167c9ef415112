"""Which column of a landed file is which column of the model, and of which type it may be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from aspen_etl.errors import CorruptFileError, LandedFileError
from aspen_etl.errors.base import instead, listing
from aspen_etl.io.landed_tables import OPERATION
from aspen_etl.schema.landing import LandedTable, Landing

if TYPE_CHECKING:
    from aspen_etl.schema.model import Model

__all__ = ["LandedColumns", "refuse_types"]

#: What a column may become that a task writes as floats.
_FRACTIONS = ("decimal",)


@dataclass(frozen=True)
class LandedColumns:
    """Know the columns of the files of one table.

    Attributes:
        source: The source that the table feeds.
        landing: Whose files they are.
        model: The model that has the source.
    """

    source: str
    landing: Landing
    model: Model

    @property
    def table(self) -> LandedTable:
        """The table."""
        return self.landing.tables[self.source]

    @cached_property
    def key(self) -> tuple[str, ...]:
        """The columns of the key, under the names of the state."""
        return tuple(self.table.column_of(name) for name in self.table.key)

    @cached_property
    def landed(self) -> dict[str, str]:
        """The landed name of each column of the state."""
        table = self.table
        names = {to: name for name, to in table.columns.items()}
        known = {name: names.get(name, name) for name in self.model.sources[self.source].columns}
        return {**known, **dict(zip(self.key, table.key))}

    def check(self, names: Sequence[str], file: str) -> None:
        """Hold the columns of a file against those that are known.

        One that may be missing in the model may be so in a file: an ALTER took it away, or has not
        brought it yet.

        Raises:
            LandedFileError: A column that must be there is not; or there is one that nobody placed.
        """
        specs = self.model.sources[self.source].columns
        missing = [
            landed
            for name, landed in self.landed.items()
            if landed not in names and not (name in specs and specs[name].nullable)
        ]
        missing += [name for name in self.table.key if name not in names and name not in missing]
        if missing:
            raise LandedFileError.of(
                "columns",
                file,
                f"has no column {listing(missing)}",
                "let the task write it; or let the model take it as missing",
                missing=tuple(missing),
                count=len(missing),
            )
        unknown = [name for name in names if not self._is_known(name)]
        if unknown:
            raise LandedFileError.of(
                "columns",
                file,
                f"has columns that are new: {listing(unknown)}",
                "give them a place in the model, or name them in ignore= of the table",
                unknown=tuple(unknown),
                count=len(unknown),
            )

    def _is_known(self, name: str) -> bool:
        landing = self.landing
        if name in {OPERATION, landing.time, landing.sequence, "table", "schema"}:
            return name not in {"table", "schema"} or landing.order == "transactions"
        own = {*self.landed.values(), *self.table.ignore}
        return name in own or (
            name.startswith(landing.before) and name[len(landing.before) :] in own
        )


# ----------------------------------------------------------------------------- types


def refuse_types(data: bytes, file: str, table: LandedTable, told: tuple[str, Model], /) -> None:
    """Refuse a Parquet file that holds floats or bytes where text is meant.

    What was a number of many digits, or a text with a zero in front, is no such thing any more.

    Raises:
        LandedFileError: It does.
    """
    source, model = told
    try:
        import pyarrow as pa
        from pyarrow import parquet as pq
    except ImportError:
        return  # who reads the file says what is missing

    def read() -> Any:
        with pq.ParquetFile(pa.BufferReader(data)) as held:
            return held.schema_arrow

    schema = instead(
        read,
        (pa.ArrowException, OSError, ValueError),
        lambda _: CorruptFileError.at(file, "it cannot be read as Parquet"),
    )
    wrong = [
        each.name
        for each in schema
        if _is_text(table, each.name, source, model) and _is_lossy(each.type)
    ]
    if wrong:
        raise LandedFileError.of(
            "type",
            file,
            f"holds floats or bytes in the place of text ({listing(wrong)})",
            "let a mapping rule of the task write the column as a string",
            columns=tuple(wrong),
            count=len(wrong),
        )


def _is_lossy(kind: Any) -> bool:
    import pyarrow as pa

    tests = ("is_floating", "is_binary", "is_large_binary", "is_fixed_size_binary")
    return any(getattr(pa.types, test)(kind) for test in tests)


def _is_text(table: LandedTable, name: str, source: str, model: Model) -> bool:
    """Tell whether a landed column is of the key, or becomes something else than a fraction."""
    column = table.column_of(name)
    if name in table.key:
        return True
    if column not in model.sources[source].columns:
        return False
    origin = f"{source}.{column}"
    fed = [
        spec.type
        for each in model.tables.values()
        for spec in each.columns.values()
        if origin in spec.source
    ]
    return not fed or bool(set(fed) - {*_FRACTIONS})
