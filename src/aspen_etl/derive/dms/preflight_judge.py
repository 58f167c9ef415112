"""What the result of the preflight means: what would be lost, and which rule or problem says so."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Optional

from aspen_etl.derive.dms.rules import Severity
from aspen_etl.derive.dms.task_settings import DEFAULT_LOB_SIZE, lob_size
from aspen_etl.errors import ArgumentError
from aspen_etl.schema.landing import LandedTable, Landing
from aspen_etl.schema.model import Model

__all__ = ["PreflightFinding", "judge_preflight", "rows_loaded"]

COLUMNS = ("check", "table", "column", "value")

#: Types that DMS does not carry, and those that are no text that can be compared.
_NOT_CARRIED = {"sql_variant", "hierarchyid", "geometry", "geography", "cursor", "table"}
_NO_TEXT = {"float", "real", "binary", "varbinary", "image", "timestamp", "rowversion"}

#: A capture job that looks more often lets the log go, which a task that stands still needs.
_POLLING_SECONDS = 3_600


@dataclass(frozen=True)
class PreflightFinding:
    """Say what of a database is in the way of a task.

    Attributes:
        check: What was asked.
        where: The table and the column, or the database.
        found: What the answer was.
        wanted: What it should be.
        severity: ``error`` or ``warning``.
        prevents: The rule of ``lint_dms``, or the problem of a run, that it would come to.
    """

    check: str
    where: str
    found: str
    wanted: str
    severity: Severity
    prevents: str

    def to_dict(self) -> dict[str, str]:
        """Give it as plain values."""
        return asdict(self)


@dataclass(frozen=True)
class _Result:
    """Give the answers by check, table and column."""

    held: Mapping[tuple[str, str], Mapping[str, str]]

    def of(self, check: str, table: str = "") -> Mapping[str, str]:
        """Give values by column."""
        return self.held.get((check, table), {})

    def one(self, check: str, table: str = "") -> Optional[str]:
        """Give the value that stands for a table, or for the database."""
        return self.of(check, table).get("")


def judge_preflight(
    rows: Iterable[Mapping[str, Any]], landing: Landing, /, *, model: Optional[Model] = None
) -> tuple[PreflightFinding, ...]:
    """Tell what the result of ``dms_preflight`` means for a landing.

    Args:
        rows: Its rows, by the names of its columns.
        landing: What should land.
        model: The model, for its longest text.

    Returns:
        The findings, errors first.

    Raises:
        ArgumentError: The rows are not such a result, or a table is not in it.
    """
    result = _read(rows)
    found = [*_judge_database(result)]
    for table in landing.tables.values():
        found += _judge_table(result, table, model)
    return tuple(sorted(found, key=lambda each: (each.severity, each.where, each.check)))


def rows_loaded(rows: Iterable[Mapping[str, Any]], landing: Landing, /) -> dict[str, int]:
    """Give the rows of each source that the result counted: about what ``loaded`` will be."""
    result = _read(rows)
    counted = {name: result.one("rows", each.name) for name, each in landing.tables.items()}
    return {name: int(count) for name, count in counted.items() if count and count.isdecimal()}


def _read(rows: Iterable[Mapping[str, Any]]) -> _Result:
    held: dict[tuple[str, str], dict[str, str]] = {}
    for row in rows:
        if not set(COLUMNS) <= set(row):
            msg = "the result has no columns check, table, column, value; save it with its header"
            raise ArgumentError(msg, problem="document")
        check, table, column, value = (str(row[name] or "").strip() for name in COLUMNS)
        held.setdefault((check, table), {})[column] = value
    return _Result(held)


# ----------------------------------------------------------------------------- the database


def _judge_database(result: _Result) -> Iterator[PreflightFinding]:
    where = "database"
    model = result.one("recovery_model")
    if model is None:
        msg = "the result tells no recovery_model; run the whole text that dms preflight prints"
        raise ArgumentError(msg, problem="document")
    if model == "SIMPLE":
        wanted = "FULL or BULK_LOGGED"
        yield PreflightFinding("recovery_model", where, model, wanted, "error", "gap")
    edition = result.one("edition") or ""
    if edition.startswith(("Express", "Web")):
        wanted = "Standard, Enterprise or Developer"
        yield PreflightFinding("edition", where, edition, wanted, "error", "edition")
    if result.one("snapshot_isolation") == "OFF":
        yield PreflightFinding(
            "snapshot_isolation", where, "OFF", "ON, to compare both sides", "warning", "in_flight"
        )
    polling = result.one("polling_seconds")
    if polling is not None and polling.isdecimal() and int(polling) < _POLLING_SECONDS:
        wanted = f"{_POLLING_SECONDS} or more, as 86399"
        yield PreflightFinding("polling_seconds", where, polling, wanted, "warning", "gap")


# ----------------------------------------------------------------------------- a table


def _judge_table(
    result: _Result, table: LandedTable, model: Optional[Model]
) -> Iterator[PreflightFinding]:
    name = table.name
    if result.one("missing", name) is not None:
        told = "the name as the database has it, letter case too"
        yield PreflightFinding("missing", name, "no such table", told, "error", "table_left_out")
        return
    if not result.of("type", name):
        msg = f"the result tells nothing of {name}; run the text that is made of this landing"
        raise ArgumentError(msg, problem="document")
    yield from _judge_key(result, table)
    if result.one("captured", name) == "0":
        wanted = "MS-REPLICATION, or MS-CDC for the table"
        yield PreflightFinding("captured", name, "neither", wanted, "error", "changes_left_out")
    triggers = result.one("triggers", name)
    if triggers not in {None, "0"}:
        told = "to know that their changes land, too, and fire again where rows are written back"
        yield PreflightFinding("triggers", name, str(triggers), told, "warning", "conflict")
    yield from _judge_columns(result, table)
    limit = max((model and lob_size(model)) or 0, DEFAULT_LOB_SIZE)
    for column, size in result.of("longest", name).items():
        if size.isdecimal() and int(size) > limit * 1024 and column not in table.ignore:
            found, wanted = f"{size} bytes", f"LobMaxSize of {-(-int(size) // 1024)} KB"
            yield PreflightFinding(
                "longest", f"{name}.{column}", found, wanted, "error", "lob_size"
            )


def _judge_key(result: _Result, table: LandedTable) -> Iterator[PreflightFinding]:
    name, wanted = table.name, ", ".join(table.key)
    key = result.of("key", name)
    if not key:
        yield PreflightFinding("key", name, "no primary key", wanted, "error", "before_image")
    elif sorted(key) != sorted(table.key):
        yield PreflightFinding("key", name, ", ".join(key), wanted, "error", "other_key")
    alike = result.one("alike_keys", name)
    if alike not in {None, "0"} and table.fold is None:
        told = "none, or fold= in the landing"
        yield PreflightFinding("alike_keys", name, str(alike), told, "error", "alike_keys")
    for column in table.key:
        collation = result.of("collation", name).get(column, "")
        if "_CI_" in collation and table.fold is None:
            told = "to know that the database takes two spellings of a key for one"
            where = f"{name}.{column}"
            yield PreflightFinding("collation", where, collation, told, "warning", "alike_keys")


def _judge_columns(result: _Result, table: LandedTable) -> Iterator[PreflightFinding]:
    name = table.name
    for column, kind in result.of("type", name).items():
        where = f"{name}.{column}"
        if column in table.ignore:
            continue
        if kind.lower() in _NOT_CARRIED:
            told = "a type that DMS carries, or ignore"
            yield PreflightFinding("type", where, kind, told, "error", "removed_column")
        elif kind.lower() in _NO_TEXT:
            told = "text, a whole number or a decimal, or ignore"
            yield PreflightFinding("type", where, kind, told, "warning", "changed_type")
    for column in result.of("computed", name):
        if column not in table.ignore:
            where, told = f"{name}.{column}", "ignore: its changes are not in the log"
            yield PreflightFinding(
                "computed", where, "computed", told, "warning", "not_logged_token"
            )
    for column in result.of("identity", name):
        where, told = f"{name}.{column}", "at the cutover, numbers above the highest"
        yield PreflightFinding("identity", where, "identity", told, "warning", "key_mismatch")
