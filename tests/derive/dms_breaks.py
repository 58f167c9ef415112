"""For each rule of `lint_dms` a set of documents that breaks it alone; others replay such files."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from aspen_etl import BORROWER_MODEL
from aspen_etl.derive.dms import dms_endpoint, dms_mappings, dms_task_settings
from aspen_etl.schema.landing import LandedTable, Landing

COLUMNS = {
    "borrower": (
        *("id", "full_name", "street", "city", "state", "zip_code"),
        *("phone_home", "phone_cell", "email"),
    ),
    "role_profile": ("rp_id", "borrower_id", "role_profile"),
}
TABLES = {
    "borrower": LandedTable("dbo.borrower"),
    "role_profile": LandedTable("dbo.role_profile", key=("rp_id",)),
}
BARE = {name: replace(table, headers=COLUMNS[name]) for name, table in TABLES.items()}
BY_SEQUENCE = Landing("s3://acme-raw/dms", TABLES)
IN_ORDER = Landing("s3://acme-raw/dms", BARE, order="transactions")


class Case(NamedTuple):
    """Documents by name, and the landing that they are for."""

    documents: dict[str, Any]
    landing: Landing


def sound(landing: Landing = BY_SEQUENCE) -> Case:
    """Make the documents of a task that breaks no rule."""
    documents = {
        "mappings": dms_mappings(BORROWER_MODEL, landing),
        "settings": dms_task_settings(model=BORROWER_MODEL),
        "target": dms_endpoint(landing),
        "source": {
            "EndpointType": "source",
            "EngineName": "sqlserver",
            "MicrosoftSQLServerSettings": {"TrimSpaceInChar": False},
        },
        "bucket": {"Bucket": "acme-raw", "Versioning": {}},
    }
    return Case(copy.deepcopy(documents), landing)


def endpoint(landing: Landing = BY_SEQUENCE, **settings: Any) -> Case:
    """Change settings of the endpoint; what is None is left out."""
    case = sound(landing)
    held = case.documents["target"]["S3Settings"]
    held.update(settings)
    case.documents["target"]["S3Settings"] = {k: v for k, v in held.items() if v is not None}
    return case


def settings(part: str, **values: Any) -> Case:
    """Change settings of the task."""
    case = sound()
    case.documents["settings"].setdefault(part, {}).update(values)
    return case


def rule(number: int, **values: Any) -> Case:
    """Change a rule of the mappings, counted from 0."""
    case = sound()
    case.documents["mappings"]["rules"][number].update(values)
    return case


def more(**values: Any) -> Case:
    """Add a rule to the mappings, about all tables where nothing is said."""
    case = sound()
    common = {
        "rule-type": "transformation",
        "rule-id": "99",
        "rule-target": "column",
        "object-locator": {"schema-name": "dbo", "table-name": "%"},
    }
    case.documents["mappings"]["rules"].append({**common, **values})
    return case


def without(action: str) -> Case:
    """Leave rules of the mappings out."""
    case = sound()
    rules = case.documents["mappings"]["rules"]
    case.documents["mappings"]["rules"] = [each for each in rules if each["rule-action"] != action]
    return case


def of_column(name: str) -> dict[str, Any]:
    return {"schema-name": "dbo", "table-name": "%", "column-name": name}


def with_document(**values: Any) -> Case:
    """Put a document beside the others, or in the place of one."""
    case = sound()
    case.documents.update(values)
    return case


def two_tasks() -> Case:
    case = sound()
    target = {**case.documents.pop("target"), "EndpointArn": "arn:e"}
    task = {"TargetEndpointArn": "arn:e", "MigrationType": "full-load-and-cdc"}
    names = ("one", "other")
    tasks = [{**task, "ReplicationTaskIdentifier": name} for name in names]
    case.documents["endpoints"] = {"Endpoints": [target]}
    case.documents["tasks"] = {"ReplicationTasks": tasks}
    return case


BEFORE = {"column-prefix": "BI_", "column-suffix": "", "column-filter": "pk-only"}

BREAKS: Mapping[str, tuple[Callable[[], Case], ...]] = {
    "op_in_full_load": (
        lambda: endpoint(IncludeOpForFullLoad=False),
        lambda: endpoint(IncludeOpForFullLoad=None),
    ),
    "changes_left_out": (
        lambda: endpoint(CdcInsertsOnly=True),
        lambda: endpoint(CdcInsertsAndUpdates="true"),
    ),
    "time_column": (lambda: endpoint(TimestampColumnName=None),),
    "time_column_taken": (lambda: endpoint(TimestampColumnName="id"),),
    "full_load_time": (lambda: endpoint(UseTaskStartTimeForFullLoadTimestamp=None),),
    "null_token": (
        lambda: endpoint(CsvNullValue=None),
        lambda: endpoint(CsvNullValue=""),
        lambda: endpoint(CsvNullValue="nothing at all"),
        lambda: endpoint(CsvNullValue="__OTHER_NULL__"),
        lambda: sound(replace(BY_SEQUENCE, null="nothing at all")),
    ),
    "not_logged_token": (
        lambda: endpoint(UseCsvNoSupValue=None),
        lambda: endpoint(CsvNoSupValue=None),
    ),
    "quotes": (lambda: endpoint(Rfc4180=False),),
    "delimiter": (lambda: endpoint(CsvDelimiter=";"), lambda: endpoint(CsvRowDelimiter=r"\r")),
    "header": (
        lambda: endpoint(AddColumnName=None),
        lambda: endpoint(IN_ORDER, AddColumnName=True),
        lambda: endpoint(Landing("s3://acme-raw/dms", BARE), AddColumnName=True),
    ),
    "transactions_folder": (lambda: endpoint(IN_ORDER, CdcPath=None),),
    "transactions_in_partitions": (lambda: endpoint(IN_ORDER, DatePartitionEnabled=True),),
    "partition_zone": (lambda: endpoint(DatePartitionTimezone="Europe/Berlin"),),
    "padding": (lambda: endpoint(AddTrailingPaddingCharacter=True),),
    "trimming": (
        lambda: with_document(source={"EndpointType": "source", "EngineName": "sqlserver"}),
    ),
    "other_layout": (
        lambda: endpoint(BucketFolder="other"),
        lambda: endpoint(DatePartitionEnabled=True),
        lambda: endpoint(CompressionType="GZIP"),
        lambda: endpoint(DataFormat="parquet"),
        lambda: endpoint(TimestampColumnName="ts"),
        lambda: endpoint(IN_ORDER, CdcPath="elsewhere"),
        lambda: endpoint(CdcPath="elsewhere"),
    ),
    "ambiguous_order": (lambda: sound(replace(BY_SEQUENCE, order="time")),),
    "sequence": (
        lambda: without("add-column"),
        lambda: rule(2, value="dms_seq", expression="$AR_H_STREAM_POSITION"),
    ),
    "sequence_type": (
        lambda: rule(2, **{"data-type": {"type": "datetime"}}),
        lambda: rule(2, **{"data-type": {"type": "string", "length": 34}}),
    ),
    "before_image": (
        lambda: without("add-before-image-columns"),
        lambda: rule(3, **{"before-image-def": {**BEFORE, "column-filter": "pk"}}),
    ),
    "before_image_name": (
        lambda: rule(3, **{"before-image-def": {**BEFORE, "column-suffix": "_old"}}),
        lambda: rule(3, **{"before-image-def": {**BEFORE, "column-prefix": "OLD_"}}),
    ),
    "before_image_twice": (lambda: settings("BeforeImageSettings", EnableBeforeImage=True),),
    "other_key": (
        lambda: more(
            **{
                "rule-target": "table",
                "rule-action": "define-primary-key",
                "object-locator": {"schema-name": "dbo", "table-name": "borrower"},
                "primary-key-def": {"name": "k", "columns": ["email"]},
            }
        ),
    ),
    "table_left_out": (
        lambda: rule(0, **{"rule-action": "exclude"}),
        lambda: more(**{"rule-type": "selection", "rule-action": "exclude"}),
    ),
    "other_table": (
        lambda: rule(
            0,
            **{
                "rule-action": "include",
                "object-locator": {"schema-name": "dbo", "table-name": "%"},
            },
        ),
    ),
    "filter": (lambda: rule(0, filters=[{"filter-type": "source", "column-name": "state"}]),),
    "renamed": (
        lambda: more(
            **{
                "rule-target": "table",
                "rule-action": "rename",
                "value": "loans",
                "object-locator": {"schema-name": "dbo", "table-name": "borrower"},
            }
        ),
        lambda: more(
            **{"rule-action": "rename", "value": "mail", "object-locator": of_column("email")}
        ),
        lambda: more(
            **{"rule-action": "add-prefix", "value": "x", "object-locator": of_column("%")}
        ),
        lambda: more(**{"rule-action": "convert-uppercase", "object-locator": of_column("%")}),
    ),
    "removed_column": (
        lambda: more(**{"rule-action": "remove-column", "object-locator": of_column("zip%")}),
        lambda: more(**{"rule-action": "remove-column", "object-locator": of_column("rp[_]id")}),
    ),
    "added_column": (
        lambda: more(**{"rule-action": "add-column", "value": "who", "expression": "'x'"}),
    ),
    "changed_type": (
        lambda: more(
            **{
                "rule-action": "change-data-type",
                "object-locator": of_column("zip_code"),
                "data-type": {"type": "int4"},
            }
        ),
    ),
    "batch_apply": (lambda: settings("TargetMetadata", BatchApplyEnabled=True),),
    "files_deleted": (
        lambda: settings("ChangeProcessingDdlHandlingPolicy", HandleSourceTableTruncated=True),
        lambda: settings("ChangeProcessingDdlHandlingPolicy", HandleSourceTableDropped=None),
    ),
    "lobs": (
        lambda: settings("TargetMetadata", SupportLobs=False),
        lambda: settings("TargetMetadata", FullLobMode=True),
        lambda: settings("TargetMetadata", LimitedSizeLobMode=False),
    ),
    "lob_size": (lambda: settings("TargetMetadata", LobMaxSize=1),),
    "skipped_rows": (
        lambda: settings("ErrorBehavior", DataErrorPolicy=None),
        lambda: settings("ErrorBehavior", DataTruncationErrorPolicy="IGNORE_RECORD"),
    ),
    "suspended_table": (lambda: settings("ErrorBehavior", TableErrorPolicy="SUSPEND_TABLE"),),
    "migration_type": (
        lambda: with_document(task={"ReplicationTask": {"MigrationType": "full-load"}}),
    ),
    "shared_folder": (two_tasks,),
    "versioned_bucket": (
        lambda: with_document(bucket={"Bucket": "acme-raw", "Versioning": {"Status": "Enabled"}}),
        lambda: with_document(bucket={"Status": "Enabled", "MFADelete": "Disabled"}),
    ),
    "edition": (
        lambda: with_document(
            database={
                "Resources": {
                    "Db": {
                        "Type": "AWS::RDS::DBInstance",
                        "Properties": {"Engine": "sqlserver-ex"},
                    }
                }
            }
        ),
    ),
}


#: What is known of a breach that no state of a source shows, and why that is so.
REASONS: Mapping[str, str] = {
    "task_refused": "DMS has no such task, so there is no file",
    "task_fails": "the task ends before it writes",
    "cost": "what is landed beside the tables is passed over, counted, and paid for",
    "not_read": "this reader does not look at what differs; others order by it",
    "read_too": "the landing says another thing, and what is there is read all the same",
    "same_here": "null and text of no length are one in every source, here",
}

#: What comes of a replay, for each document that breaks a rule: ``refused`` and the problem of the
#: error, ``wrong`` (another state than the source's, unseen), ``late`` (a state that it had
#: before), or why there is no such state: a word of ``REASONS``.
ENDS: Mapping[str, tuple[str, ...]] = {
    "op_in_full_load": ("refused operation", "refused operation"),
    "changes_left_out": ("wrong", "wrong"),
    "time_column": ("refused time",),
    "time_column_taken": ("refused columns",),
    "full_load_time": ("not_read",),
    "null_token": ("wrong", "same_here", "wrong", "wrong", "wrong"),
    "not_logged_token": ("wrong", "wrong"),
    "quotes": ("refused ragged_rows",),
    "delimiter": ("refused ragged_rows", "read_too"),
    "header": ("refused columns", "refused operation", "refused operation"),
    "transactions_folder": ("refused mixed",),
    "transactions_in_partitions": ("task_refused",),
    "partition_zone": ("wrong",),
    "padding": ("wrong",),
    "trimming": ("wrong",),
    "other_layout": (
        *("refused SourceNotFoundError", "read_too", "read_too"),
        *("refused mixed", "refused columns", "late", "read_too"),
    ),
    "ambiguous_order": ("refused ambiguous",),
    "sequence": ("refused sequence", "refused sequence"),
    "sequence_type": ("refused sequence", "refused sequence"),
    "before_image": ("wrong", "wrong"),
    "before_image_name": ("refused columns", "refused columns"),
    "before_image_twice": ("task_refused",),
    "other_key": ("wrong",),
    "table_left_out": ("refused unfinished", "refused SourceNotFoundError"),
    "other_table": ("cost",),
    "filter": ("wrong",),
    "renamed": ("refused unfinished", "refused columns", "refused columns", "refused columns"),
    "removed_column": ("wrong", "refused columns"),
    "added_column": ("refused columns",),
    "changed_type": ("wrong",),
    "batch_apply": ("wrong",),
    "files_deleted": ("refused vanished", "refused vanished"),
    "lobs": ("wrong", "wrong", "wrong"),
    "lob_size": ("wrong",),
    "skipped_rows": ("wrong", "wrong"),
    "suspended_table": ("late",),
    "migration_type": ("late",),
    "shared_folder": ("refused changed",),
    "versioned_bucket": ("task_fails", "task_fails"),
    "edition": ("task_refused",),
}

#: How files come out that a task with a broken rule writes, by the word of `DmsRule.fault`.
FAULTS: Mapping[str, str] = {
    "load_rows_without_op": "LOAD rows, and their header, have no Op",
    "updates_or_deletes_left_out": "drop each U and D, or each D",
    "no_time_column": "neither header nor rows have the time",
    "time_over_a_column": "the header has a column's name twice",
    "load_times_after_changes": "LOAD rows carry the time of writing, which may be after a change",
    "null_equals_text": "null and the text NULL are the same bytes",
    "not_logged_as_null": "a column that a U did not change is null in it",
    "text_unquoted": "text with comma, quote or line feed as it is",
    "other_delimiter": "fields parted by semicolons, or rows by returns",
    "header_missing_or_unexpected": "no header where one is read, or one too many",
    "no_order_between_tables": "per-table files where transactions are read",
    "names_go_back": "in autumn a name comes twice, and its file takes the place of one",
    "text_padded": "characters are added at the end of text",
    "text_trimmed": "the end of text of CHAR columns is cut, of keys, too",
    "files_elsewhere": "another folder, format, compression or time's name",
    "equal_times": "two changes of a key in two files have one time",
    "no_sequence": "neither header nor rows have the sequence",
    "sequence_cut": "the sequence is cut to its first digits, or is a time",
    "key_update_without_old_key": "an update of a key is a U without before image",
    "before_image_elsewhere": "the before image has another prefix or a suffix",
    "other_key": "the before image holds other columns than the key",
    "table_missing": "no file of one table",
    "files_of_unknown_tables": "files of a table beside those of the landing",
    "rows_left_out": "rows, and changes of them, that a condition leaves out",
    "columns_renamed": "a table's folder or a column has another name",
    "column_missing": "a column is neither in header nor rows; the model may take that as missing",
    "unknown_column": "one more column at the end",
    "values_changed": "ZIP codes without their leading zero",
    "changes_lost": "of the changes of a row in one file the last alone is there",
    "files_vanish": "all files of a table are gone after some were read",
    "lob_null": "cells of one column are null, however short",
    "lob_cut": "cells of one column end at the limit",
    "row_left_out": "one I, U or D of a key is missing, the last one too",
    "table_stops": "from some moment on no change of one table",
    "no_full_load_or_no_changes": "no LOAD file, or no file of changes",
    "two_writers": "two tasks write names of one form; one file is replaced",
    "task_fails": "the task ends",
    "task_refused": "there is no such task",
}
