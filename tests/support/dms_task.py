"""What a task of DMS does, by its documents: how it writes, or why it writes nothing.

Each setting does what the DMS user guide, botocore's texts and the reports of users say of it.
Nothing here asks the landing: what a document leaves out is left out of the files.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Optional

from aspen_etl.derive.dms import DmsDocuments, DmsTask
from aspen_etl.derive.dms.endpoint import S3_DEFAULTS
from aspen_etl.derive.dms.finding import Held
from aspen_etl.derive.dms.patterns import matches
from aspen_etl.schema.landing import LandedTable
from aspen_etl.simulation.landed_database import LandedHistory, Row
from aspen_etl.simulation.landed_tasks import Rewrite, TaskForm, WrittenTable

__all__ = [
    "NoTaskError",
    "World",
    "deletes_files",
    "folder_of",
    "form_of_task",
    "is_taken",
    "log_of",
]

_SPACE = "   "


class NoTaskError(Exception):
    """DMS refuses the task, or it fails before it writes."""


@dataclass(frozen=True)
class World:
    """What is there without the documents: the database, and what befalls it.

    Attributes:
        tables: The tables of the database by source.
        lobs: The columns of type NVARCHAR(MAX).
        fixed: The columns of type CHAR.
        uncarried: The text in a row that DMS cannot carry.
        broken: The text in a row at which a table fails.
    """

    tables: Mapping[str, LandedTable]
    lobs: frozenset[str] = frozenset({"street"})
    fixed: frozenset[str] = frozenset({"city"})
    uncarried: str = "not to be carried"
    broken: str = "table fails"


def check_task(documents: DmsDocuments, task: DmsTask) -> None:
    """Say why DMS would have no such task.

    Raises:
        NoTaskError: It would have none.
    """
    held = _target(task)
    if held.flag("PreserveTransactions") is True and held.flag("DatePartitionEnabled") is True:
        raise NoTaskError("task_refused")
    images = [each for each in _rules(task) if each.get("rule-action") == _BEFORE]
    settings = dict((task.settings or {}).get("BeforeImageSettings") or {})
    if images and settings.get("EnableBeforeImage"):
        raise NoTaskError("task_refused")
    if set(documents.engines.values()) & {"sqlserver-ex", "sqlserver-web"}:
        raise NoTaskError("task_refused")
    if any(documents.versioned.values()):
        raise NoTaskError("task_fails")


_BEFORE, _ADD = "add-before-image-columns", "add-column"


def folder_of(task: DmsTask) -> str:
    """Give the folder below the bucket."""
    return str(_target(task).get("BucketFolder")).strip("/")


def form_of_task(documents: DmsDocuments, task: DmsTask, world: World) -> TaskForm:
    """Say how a task writes.

    Raises:
        NoTaskError: It does not.
    """
    check_task(documents, task)
    held = _target(task)
    form = str(held.get("DataFormat"))
    is_text = form == "csv"
    in_order = held.flag("PreserveTransactions") is True and bool(held.text("CdcPath"))
    token = held.text("CsvNoSupValue") if held.flag("UseCsvNoSupValue") is True else ""
    left_out = "UD" * (held.flag("CdcInsertsOnly") is True)
    left_out += "D" * (held.flag("CdcInsertsAndUpdates") is True)
    left_out += "IUD" * (task.migration == "full-load")
    metadata = Held("", (task.settings or {}).get("TargetMetadata"))
    return TaskForm(
        {
            source: _written(task, table, world)
            for source, table in world.tables.items()
            if is_taken(task, table)
        },
        time=held.text("TimestampColumnName"),
        null=held.text("CsvNullValue") if is_text else "",
        not_logged=token or None if is_text else None,
        is_headed=not is_text or held.flag("AddColumnName") is True,
        is_quoted=held.flag("Rfc4180") is True,
        delimiter=held.text("CsvDelimiter"),
        row_end=held.text("CsvRowDelimiter").replace(r"\n", "\n").replace(r"\r", "\r"),
        format=form,
        compression=str(held.get("CompressionType")).lower() if is_text else "none",
        partitions=str(held.get("DatePartitionSequence"))
        if held.flag("DatePartitionEnabled") is True
        else None,
        zone=held.text("DatePartitionTimezone") or None,
        transactions=held.text("CdcPath") if in_order else None,
        has_loads=task.migration != "cdc",
        op_in_loads=held.flag("IncludeOpForFullLoad") is True,
        operations="".join(kind for kind in "IUD" if kind not in left_out),
        is_batched=metadata.flag("BatchApplyEnabled") is True,
    )


def _target(task: DmsTask) -> Held:
    target = task.target or {}
    told = target.get("ExtraConnectionAttributes")
    return Held("", target.get("S3Settings"), S3_DEFAULTS, told)


# ----------------------------------------------------------------------------- mappings


def _rules(task: DmsTask, table: Optional[LandedTable] = None) -> list[Mapping[str, Any]]:
    """Give the rules that change what is written, all or those of a table."""
    rules = [rule for rule in (task.mappings or {})["rules"] if not _is_selection(rule)]
    return [rule for rule in rules if table is None or _is_about(rule, table)]


def _is_selection(rule: Mapping[str, Any]) -> bool:
    return bool(rule["rule-type"] == "selection")


def _is_about(rule: Mapping[str, Any], table: LandedTable) -> bool:
    place = rule["object-locator"]
    schema, name = place["schema-name"], place["table-name"]
    if rule["rule-action"] == "explicit":
        return bool((schema, name) == (table.schema, table.table))
    return matches(schema, table.schema) and matches(name, table.table)


def _selections(task: DmsTask, table: LandedTable) -> list[Mapping[str, Any]]:
    rules = (task.mappings or {})["rules"]
    return [rule for rule in rules if _is_selection(rule) and _is_about(rule, table)]


def is_taken(task: DmsTask, table: LandedTable) -> bool:
    """Tell whether a task takes a table."""
    actions = {rule["rule-action"] for rule in _selections(task, table)}
    return bool(actions) and "exclude" not in actions


def _written(task: DmsTask, table: LandedTable, world: World) -> WrittenTable:
    rules = _rules(task, table)
    names = (table.schema, table.table)
    image, before, sequence = None, None, {}
    for rule in rules:
        action = rule["rule-action"]
        if action == "rename" and rule["rule-target"] == "table":
            names = (table.schema, rule["value"])
        elif action == _ADD and rule["expression"].startswith("$AR_H"):
            kind = rule["data-type"]
            length = int(kind.get("length", 50))
            sequence = {
                "sequence": rule["value"],
                "expression": rule["expression"],
                "type": kind["type"],
                "digits": length,
            }
        elif action == _BEFORE:
            told = rule["before-image-def"]
            if told["column-filter"] in {"pk-only", "non-lob", "all"}:
                before = (told["column-prefix"], told["column-suffix"])
        elif action == "define-primary-key":
            image = tuple(rule["primary-key-def"]["columns"])
    rewrites = (*_rewrites(task, table, world), *_column_rules(rules), *_at_the_end(task))
    return WrittenTable(
        *names,
        key=table.key,
        before=before,
        image=image,
        rewrites=rewrites,
        **{"sequence": None, **sequence},
    )


# ----------------------------------------------------------------------------- rows on their way


def _rewrites(task: DmsTask, table: LandedTable, world: World) -> Iterator[Rewrite]:
    """Yield what becomes of a row as it is read and carried."""
    columns = [each["column-name"] for rule in _selections(task, table) for each in rule["filters"]]
    yield lambda row: row if all(row.get(column) for column in columns) else None
    source = task.source or {}
    trims = Held("", source.get("MicrosoftSQLServerSettings"), {"TrimSpaceInChar": True})
    if trims.flag("TrimSpaceInChar") is True:
        yield lambda row: _map(row, world.fixed, lambda text: text.rstrip(" "))
    errors = Held("", (task.settings or {}).get("ErrorBehavior"), _POLICIES)
    if {errors.text("DataErrorPolicy"), errors.text("DataTruncationErrorPolicy")} & _SKIPS:
        yield lambda row: None if world.uncarried in row.values() else row
    told = (task.settings or {}).get("TargetMetadata")
    lobs = Held("", told, {"SupportLobs": True, "LimitedSizeLobMode": True, "LobMaxSize": 32})
    flags = ("SupportLobs", "LimitedSizeLobMode", "FullLobMode")
    if [lobs.flag(name) for name in flags] == [True, True, False]:
        size = int(lobs.get("LobMaxSize")) * 1024 // 2  # characters of UTF-16
        yield lambda row: _map(row, world.lobs, lambda text: text[:size])
    else:
        yield lambda row: {name: None if name in world.lobs else row[name] for name in row}


_POLICIES = {
    "DataErrorPolicy": "LOG_ERROR",
    "DataTruncationErrorPolicy": "LOG_ERROR",
    "TableErrorPolicy": "SUSPEND_TABLE",
}
_SKIPS = {"LOG_ERROR", "IGNORE_RECORD"}


def _map(row: Row, columns: Any, change: Any) -> Row:
    return {
        name: change(text) if name in columns and text is not None else text
        for name, text in row.items()
    }


def _column_rules(rules: list[Mapping[str, Any]]) -> Iterator[Rewrite]:
    for rule in rules:
        is_mark = str(rule.get("expression", "")).startswith("$AR_H")
        if rule["rule-target"] == "column" and not is_mark:
            yield partial(_of_columns, rule)


def _of_columns(rule: Mapping[str, Any], row: Row) -> Row:
    action, value = rule["rule-action"], str(rule.get("value", ""))
    pattern = rule["object-locator"].get("column-name", "")
    hit = {name for name in row if matches(pattern, name)}
    named = {
        "rename": lambda _: value,
        "add-prefix": lambda name: f"{value}{name}",
        "convert-uppercase": str.upper,
    }.get(action)
    if named is not None:
        return {named(name) if name in hit else name: cell for name, cell in row.items()}
    if action == "remove-column":
        return {name: cell for name, cell in row.items() if name not in hit}
    if action == "change-data-type":
        return _map(row, hit, lambda text: str(int(text)) if text.isdecimal() else text)
    return {**row, value: rule["expression"].strip("'")} if action == _ADD else row


def _at_the_end(task: DmsTask) -> Iterator[Rewrite]:
    if _target(task).flag("AddTrailingPaddingCharacter") is True:
        yield lambda row: _map(row, set(row), lambda text: text + _SPACE)


# ----------------------------------------------------------------------------- what stops


def log_of(task: DmsTask, history: LandedHistory, world: World) -> LandedHistory:
    """Leave out of a log what comes after a table or the task has stopped."""
    errors = Held("", (task.settings or {}).get("ErrorBehavior"), _POLICIES)
    skips = {errors.text("DataErrorPolicy"), errors.text("DataTruncationErrorPolicy")} & _SKIPS
    stopped: set[str] = set()
    log = []
    for change in history.log:
        cells = set(change.row.values())
        if world.uncarried in cells and not skips:
            break
        if world.broken in cells:
            if errors.text("TableErrorPolicy") != "SUSPEND_TABLE":
                break
            stopped.add(change.source)
        if change.source not in stopped:
            log.append(change)
    return replace(history, log=log)


def deletes_files(task: DmsTask, event: str) -> bool:
    """Tell whether the files of a table go when it is ``Truncated`` or ``Dropped``."""
    told = (task.settings or {}).get("ChangeProcessingDdlHandlingPolicy")
    name = f"HandleSourceTable{event}"
    return Held("", told, {name: True}).flag(name) is True
