"""The rules for the endpoints of a task: what is written, how, and where."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Optional

from aspen_etl.derive.dms.endpoint import S3_DEFAULTS, bucket_and_folder, declares_headers
from aspen_etl.derive.dms.finding import OFF, ON, UNKNOWN, Finding, Held, find
from aspen_etl.schema.landing import Landing
from aspen_etl.schema.landing_forms import LANDED_FORMS

__all__ = ["folder_of", "held_of", "is_in_transactions", "judge_source", "judge_target"]

_UNTYPED = "a token that nobody types, such as __ASPEN_NULL__"
_SQL_SERVER = "sqlserver"

#: How long a token must be at least, and what it must hold, so that nobody types it.
_TOKEN_LENGTH, _SIGNS = 8, "__"

#: What ends a row, as a character and as it is written in a setting.
_LINE_FEEDS = {"\n", r"\n"}
_UTC = {"", "UTC", "Etc/UTC"}


def held_of(where: str, target: Mapping[str, Any]) -> Held:
    """Give the settings of an S3 endpoint."""
    told = target.get("ExtraConnectionAttributes")
    return Held(f"{where}: S3Settings", target.get("S3Settings"), S3_DEFAULTS, told)


def is_in_transactions(target: Optional[Mapping[str, Any]]) -> bool:
    """Tell whether an endpoint writes transaction files."""
    return target is not None and held_of("", target).flag("PreserveTransactions") is True


def folder_of(target: Mapping[str, Any]) -> Optional[tuple[str, str]]:
    """Give bucket and folder of an endpoint, if they are known."""
    held = held_of("", target)
    bucket, folder = held.get("BucketName"), held.get("BucketFolder")
    if not isinstance(bucket, str) or not isinstance(folder, str):
        return None
    return bucket, folder.strip("/")


def judge_target(
    where: str, target: Mapping[str, Any], landing: Optional[Landing]
) -> Iterator[Finding]:
    """Yield what is wrong with the endpoint that writes files."""
    held = held_of(where, target)
    yield from _judge_operations(held)
    yield from _judge_times(held, landing)
    form = LANDED_FORMS.get(str(held.get("DataFormat")))
    if form is None or form.is_text:
        yield from _judge_text(held, landing)
        yield from _judge_header(held, landing)
    yield from _judge_transactions(held)
    if landing is not None:
        yield from _judge_place(held, landing)


def judge_source(where: str, source: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield what is wrong with the endpoint that reads the database."""
    if source.get("EngineName", _SQL_SERVER) != _SQL_SERVER:
        return
    for name in ("MicrosoftSQLServerSettings", "MicrosoftSqlServerSettings"):
        values = source.get(name)
        if values is not None:
            break
    told = source.get("ExtraConnectionAttributes")
    held = Held(f"{where}: {name}", values, {"TrimSpaceInChar": True}, told)
    if held.flag("TrimSpaceInChar") is True:
        yield find("trimming", held.at("TrimSpaceInChar"), ON, OFF)


# ----------------------------------------------------------------------------- rules


def _expect(rule: str, held: Held, name: str, *, wanted: bool) -> Iterator[Finding]:
    found = held.flag(name)
    if found is not UNKNOWN and found != wanted:
        yield find(rule, held.at(name), found, wanted)


def _judge_operations(held: Held) -> Iterator[Finding]:
    yield from _expect("op_in_full_load", held, "IncludeOpForFullLoad", wanted=True)
    for name in ("CdcInsertsOnly", "CdcInsertsAndUpdates"):
        yield from _expect("changes_left_out", held, name, wanted=False)
    yield from _expect("padding", held, "AddTrailingPaddingCharacter", wanted=False)
    yield from _expect("full_load_time", held, "UseTaskStartTimeForFullLoadTimestamp", wanted=True)


def _judge_times(held: Held, landing: Optional[Landing]) -> Iterator[Finding]:
    name = held.text("TimestampColumnName")
    where = held.at("TimestampColumnName")
    if name is UNKNOWN:
        return
    wanted = "a name such as dms_time" if landing is None else landing.time
    if not name:
        yield find("time_column", where, name, wanted)
    elif landing is not None and name in _columns(landing):
        yield find("time_column_taken", where, name, wanted)
    elif landing is not None and name != landing.time:
        yield find("other_layout", where, name, wanted)


def _columns(landing: Landing) -> set[str]:
    tables = landing.tables.values()
    lists = ((*each.key, *each.columns, *each.ignore, *(each.headers or ())) for each in tables)
    return {landing.sequence, *(name for names in lists for name in names)}


def _judge_text(held: Held, landing: Optional[Landing]) -> Iterator[Finding]:
    yield from _judge_token(
        "null_token", held, "CsvNullValue", None if landing is None else landing.null
    )
    yield from _expect("not_logged_token", held, "UseCsvNoSupValue", wanted=True)
    if held.flag("UseCsvNoSupValue") is True:
        wanted = None if landing is None else landing.not_logged
        yield from _judge_token("not_logged_token", held, "CsvNoSupValue", wanted)
    yield from _expect("quotes", held, "Rfc4180", wanted=True)
    for name, known in (("CsvDelimiter", {","}), ("CsvRowDelimiter", _LINE_FEEDS)):
        if held.text(name) is not UNKNOWN and held.text(name) not in known:
            wanted = "a comma" if name == "CsvDelimiter" else "a line feed"
            yield find("delimiter", held.at(name), repr(held.text(name)), wanted)


def _judge_token(rule: str, held: Held, name: str, wanted: Optional[str]) -> Iterator[Finding]:
    token = held.text(name)
    if token is UNKNOWN:
        return
    if len(token) < _TOKEN_LENGTH or _SIGNS not in token:
        yield find(rule, held.at(name), token, wanted if wanted not in (None, token) else _UNTYPED)
    elif wanted is not None and token != wanted:
        yield find(rule, held.at(name), token, wanted)


def _judge_header(held: Held, landing: Optional[Landing]) -> Iterator[Finding]:
    is_bare = landing is not None and declares_headers(landing)
    in_order = held.flag("PreserveTransactions") is True or bool(held.text("CdcPath"))
    if landing is not None:
        in_order = landing.order == "transactions"
    yield from _expect("header", held, "AddColumnName", wanted=not (is_bare or in_order))


def _judge_transactions(held: Held) -> Iterator[Finding]:
    if held.flag("PreserveTransactions") is True:
        if not held.text("CdcPath"):
            yield find("transactions_folder", held.at("CdcPath"), None, "a folder")
        if held.flag("DatePartitionEnabled") is True:
            yield find("transactions_in_partitions", held.at("DatePartitionEnabled"), ON, OFF)
    zone = held.text("DatePartitionTimezone")
    if zone is not UNKNOWN and zone not in _UTC:
        yield find("partition_zone", held.at("DatePartitionTimezone"), zone, None)


def _judge_place(held: Held, landing: Landing) -> Iterator[Finding]:
    bucket, folder = bucket_and_folder(landing)
    pairs: list[tuple[str, Any, Any]] = [
        ("DataFormat", str(held.get("DataFormat")).lower(), landing.format),
        ("CompressionType", str(held.get("CompressionType")).lower(), landing.compression),
        ("BucketName", held.get("BucketName"), bucket),
        ("BucketFolder", held.get("BucketFolder"), folder),
    ]
    in_order = held.flag("PreserveTransactions")
    pairs.append(("PreserveTransactions", in_order, landing.order == "transactions"))
    if in_order is True:
        pairs.append(
            ("CdcPath", held.text("CdcPath") or landing.transactions, landing.transactions)
        )
    else:
        # What such a folder holds without PreserveTransactions is told nowhere.
        pairs.append(("CdcPath", held.text("CdcPath"), ""))
        is_dated = held.flag("DatePartitionEnabled")
        pairs.append(("DatePartitionEnabled", is_dated, landing.partitions is not None))
        if is_dated is True and landing.partitions is not None:
            sequence = str(held.get("DatePartitionSequence")).upper()
            pairs.append(("DatePartitionSequence", sequence, landing.partitions))
    for name, found, wanted in pairs:
        known = found.strip("/") if name == "BucketFolder" and isinstance(found, str) else found
        if held.get(name) is not UNKNOWN and known != wanted:
            yield find("other_layout", held.at(name), known, wanted)
