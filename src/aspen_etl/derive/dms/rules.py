"""The rules for a task's documents: how grave a breach is, why, and what it does to the files.

The sources are the DMS user guide ("S3 as a target", "Task settings", "Table mapping"), botocore's
texts, and what users of such files report; where one of these speaks, its number is told.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

__all__ = ["DMS_RULES", "DmsRule"]

Severity = Literal["error", "warning"]


@dataclass(frozen=True)
class DmsRule:
    """Say what a breach of a rule means.

    Attributes:
        name: The rule.
        fault: What the files of such a task are like, in one word; a test makes such files.
        why: The reason, for a reader.
        severity: ``error``: rows can be lost, doubled or changed, or the files are not read;
            ``warning``: it is likely not what was meant.
    """

    name: str
    fault: str
    why: str
    severity: Severity = "error"


def _by_name(rules: Iterable[DmsRule]) -> Mapping[str, DmsRule]:
    return {rule.name: rule for rule in rules}


_ENDPOINT = (
    DmsRule(
        "op_in_full_load",
        "load_rows_without_op",
        "without it the rows of the full load have one field less than those of changes",
    ),
    DmsRule(
        "changes_left_out",
        "updates_or_deletes_left_out",
        "updates or deletes are dropped, so rows that are gone stay for good; elsewhere it was "
        "noticed after months",
    ),
    DmsRule(
        "time_column",
        "no_time_column",
        "the commit time tells which rows may still be waited for, and which are late",
    ),
    DmsRule(
        "time_column_taken",
        "time_over_a_column",
        "two columns of one name: one of them is lost",
    ),
    DmsRule(
        "full_load_time",
        "load_times_after_changes",
        "rows of the full load then carry the moment at which they were written, which may be "
        "after a change of the same row; who orders by it is misled (read_landing does not)",
    ),
    DmsRule(
        "null_token",
        "null_equals_text",
        "a text that equals the token is written like null: unquoted; by default that is the word "
        "NULL, which is a name, too",
    ),
    DmsRule(
        "not_logged_token",
        "not_logged_as_null",
        "a cell that the log does not hold is else written as null, and a value is erased",
    ),
    DmsRule(
        "quotes",
        "text_unquoted",
        "text with a comma or a line break is else copied as it is, and its row falls apart",
    ),
    DmsRule(
        "delimiter",
        "other_delimiter",
        "fields are parted by commas and rows by line feeds, here",
    ),
    DmsRule(
        "header",
        "header_missing_or_unexpected",
        "without a header a column that was added or moved is read as another one; transaction "
        "files take none; and where headers are declared, one would be read as a row",
    ),
    DmsRule(
        "transactions_folder",
        "no_order_between_tables",
        "PreserveTransactions needs CdcPath; without it the order of transactions is not kept",
    ),
    DmsRule(
        "transactions_in_partitions",
        "task_refused",
        "DMS takes either transaction files or dated folders",
    ),
    DmsRule(
        "partition_zone",
        "names_go_back",
        "folders and names follow the clock of that zone, which goes back one hour in autumn: a "
        "name may come twice, and its file take the place of one that was not read",
    ),
    DmsRule(
        "padding",
        "text_padded",
        "text is changed: characters are added at its end",
    ),
    DmsRule(
        "trimming",
        "text_trimmed",
        "text of CHAR and NCHAR columns is changed: its end is cut; two keys may become one",
    ),
    DmsRule(
        "other_layout",
        "files_elsewhere",
        "the endpoint writes other files, or to another folder, than the landing says",
    ),
    DmsRule(
        "ambiguous_order",
        "equal_times",
        "SQL Server's commit times have steps of 3.3 ms, so changes of a key may share one; then "
        "the last one is not known",
        "warning",
    ),
)

_MAPPINGS = (
    DmsRule(
        "sequence",
        "no_sequence",
        "transactions may share a commit time; only the sequence tells which change of a key is "
        "the last",
    ),
    DmsRule(
        "sequence_type",
        "sequence_cut",
        "the sequence has 35 digits; as another type, or shorter, it is cut and orders nothing",
    ),
    DmsRule(
        "before_image",
        "key_update_without_old_key",
        "an update of a key is else one row with the new key, and the old key's row stays for good",
    ),
    DmsRule(
        "before_image_name",
        "before_image_elsewhere",
        "the old key is read from the columns with the landing's prefix; prefix and suffix exclude "
        "each other",
    ),
    DmsRule(
        "before_image_twice",
        "task_refused",
        "DMS takes the before image from a rule or from the task's settings, not from both",
    ),
    DmsRule(
        "other_key",
        "other_key",
        "changes are put together by another key than that of the rows: one takes another's place",
    ),
    DmsRule(
        "table_left_out",
        "table_missing",
        "a table that is not selected does not land, and its rows look deleted or are never seen",
    ),
    DmsRule(
        "other_table",
        "files_of_unknown_tables",
        "files of a table that the landing does not name are passed over, and cost",
        "warning",
    ),
    DmsRule(
        "filter",
        "rows_left_out",
        "rows that a filter leaves out look like rows that the source has not; one that moves out "
        "of the filter stays as it was",
    ),
    DmsRule(
        "renamed",
        "columns_renamed",
        "a table, folder or column of another name than the landing says is not found",
    ),
    DmsRule(
        "removed_column",
        "column_missing",
        "a column that the landing reads is taken out",
    ),
    DmsRule(
        "added_column",
        "unknown_column",
        "a column that the landing does not know is refused; name it in ignore",
    ),
    DmsRule(
        "changed_type",
        "values_changed",
        "a change of type rounds or cuts values on their way",
    ),
)

_TASK = (
    DmsRule(
        "batch_apply",
        "changes_lost",
        "changes that are applied in batches may be lost on S3; only the last of a key is written",
    ),
    DmsRule(
        "files_deleted",
        "files_vanish",
        "TRUNCATE or DROP at the source deletes the table's files, and with them what was landed",
    ),
    DmsRule(
        "lobs",
        "lob_null",
        "columns of NVARCHAR(MAX), TEXT and XML are else left out, however short their cells; S3 "
        "takes limited mode alone",
    ),
    DmsRule(
        "lob_size",
        "lob_cut",
        "a longer cell is cut, with a line in the task's log alone, and looks like any other",
    ),
    DmsRule(
        "skipped_rows",
        "row_left_out",
        "a row that DMS cannot carry is else left out, with a line in the task's log alone",
    ),
    DmsRule(
        "suspended_table",
        "table_stops",
        "a table that is suspended stays as it was, while the others go on; the task's statistics "
        "tell, its files do not",
        "warning",
    ),
    DmsRule(
        "migration_type",
        "no_full_load_or_no_changes",
        "state begins with a full load and goes on with changes, by one task",
    ),
    DmsRule(
        "shared_folder",
        "two_writers",
        "two tasks write files of one name over each other, and their sequences are not comparable",
    ),
    DmsRule(
        "versioned_bucket",
        "task_fails",
        "DMS lists old versions, too: tests of the endpoint and tasks run into time limits",
    ),
    DmsRule(
        "edition",
        "task_refused",
        "DMS takes no changes from the editions Express and Web of SQL Server",
    ),
)

_PAIR = (
    DmsRule(
        "loopback",
        "changes_echo",
        "of two tasks in opposite directions each takes back what the other one wrote, for ever",
    ),
    DmsRule(
        "loopback_schemas",
        "marks_not_found",
        "each task must look for the marks of the other one where that one puts them: the source "
        "schema of one is the target schema of the other",
    ),
    DmsRule(
        "two_full_loads",
        "rows_loaded_back",
        "the second full load brings rows as they were back over what was changed since",
    ),
    DmsRule(
        "definitions_on_both",
        "definitions_echo",
        "loopback prevention is of rows alone: a change of a table's definition comes back, again "
        "and again; let one of both tasks pass it over",
    ),
)

#: Every rule, by name.
DMS_RULES: Mapping[str, DmsRule] = _by_name((*_ENDPOINT, *_MAPPINGS, *_TASK, *_PAIR))
