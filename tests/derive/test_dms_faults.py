"""What a task writes by its documents, read: a rule's breach is seen, or it makes rows wrong.

The simulator knows the documents alone; the reader knows the landing alone.
"""

from __future__ import annotations

import datetime as dt
import importlib.util
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Optional
from uuid import uuid4

import fsspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aspen_etl import BORROWER_MODEL as MODEL
from aspen_etl import Extract
from aspen_etl.derive.dms import DMS_RULES, DmsDocuments, DmsTask, lint_dms, read_documents
from aspen_etl.errors import AspenETLError
from aspen_etl.schema.landing import LandedTable, Landing
from aspen_etl.schema.landing_checks import PARTITIONS
from aspen_etl.simulation.landed_database import Key, LandedDatabase, LandedHistory, Row
from aspen_etl.simulation.landed_files import Layout, SimulatedFile, write_task
from aspen_etl.simulation.landed_tasks import form_of
from aspen_etl.synchronization.landing import LandingRead, LandingState, read_landing
from aspen_etl.testing._landings import landed_histories
from aspen_etl.transform.losses import Finding
from tests.derive.dms_breaks import (
    BREAKS,
    BY_SEQUENCE,
    ENDS,
    IN_ORDER,
    REASONS,
    TABLES,
    Case,
    of_column,
    sound,
)
from tests.laws.test_landing import held
from tests.support.dms_task import (
    NoTaskError,
    World,
    deletes_files,
    folder_of,
    form_of_task,
    is_taken,
    log_of,
)
from tests.support.effort import some

HAS_ARROW = importlib.util.find_spec("pyarrow") is not None
FAR = dt.datetime(2100, 1, 1, tzinfo=dt.timezone.utc)
WORLD = World(TABLES)
#: A file of a table that is there, too.
AUDIT = SimulatedFile("dbo/audit/LOAD00000001.csv", b"Op,id\nI,1\n", FAR)
Rows = Mapping[str, Mapping[Key, Row]]


class Witness(LandedDatabase):
    """A database that remembers what it held at each commit."""

    def __init__(self) -> None:
        super().__init__(BY_SEQUENCE, MODEL)
        self.held: list[Rows] = []
        self.event = ""
        self.write("borrower", borrower("a"))
        self.write("borrower", borrower("b", street="hush, first"))
        self.write("borrower", borrower("c"))
        self.write("role_profile", {"rp_id": "1", "borrower_id": "a", "role_profile": "borrower"})
        self.commit()

    def commit(self, span: dt.timedelta = dt.timedelta(seconds=1), /) -> None:
        self.held.append(self.rows())
        super().commit(span if self.held[1:] else dt.timedelta(microseconds=3333))

    def put(self, key: str, **cells: Optional[str]) -> None:
        """Write a borrower, and commit."""
        self.write("borrower", borrower(key, **cells))
        self.commit()


def borrower(key: str, **cells: Optional[str]) -> dict[str, Optional[str]]:
    row = {"full_name": "hush Lee", "city": "Lynn", "state": "MA", "zip_code": "02138"}
    return {"id": key, **row, **cells}


# ------------------------------------------------------------------------------ what happens


def plain(database: Witness) -> None:
    database.put("d", street="hush, 9", email="hush@x.org")
    database.write("role_profile", {"rp_id": "2", "borrower_id": "d", "role_profile": "co"})
    database.put("a", city="Turin")


def deleted(database: Witness) -> None:
    plain(database)
    database.delete("borrower", ("c",))
    database.put("e")


def rekeyed(database: Witness) -> None:
    database.change("borrower", ("b",), {"id": "e"})
    database.commit()


def rekeyed_twice(database: Witness) -> None:
    database.change("borrower", ("b",), {"id": "e"})
    database.change("borrower", ("e",), {"id": "f"})
    database.commit()


def null_like(database: Witness) -> None:
    database.put("d", street="NULL", email=None)
    database.put("e", street="nothing at all", email="")


def unlogged(database: Witness) -> None:
    row = borrower("b", city="Turin", street="hush, first")
    database.write("borrower", row, unlogged=("street",))
    database.commit()


def moved_out(database: Witness) -> None:
    database.put("d", state="MA")
    database.put("d", state=None)
    database.put("a", city="Turin")


def at_one_time(database: Witness) -> None:
    for city in ("Turin", "Genoa", "Bari", "Rome"):
        database.write("borrower", borrower("a", city=city))
    database.commit()


def in_autumn(database: Witness) -> None:
    """Commit twice with an hour between, while clocks of Berlin are put back."""
    first = dt.datetime(2026, 10, 25, 0, 30, tzinfo=dt.timezone.utc)
    database.commit(first - database.moment)
    database.put("a", city="Turin")
    database.put("d", city="Rome")
    database.commit(dt.timedelta(hours=1, seconds=-2))
    database.put("a", city="Genoa")


def blanks(database: Witness) -> None:
    database.put("d", city="Lynn   ")


def long_text(database: Witness) -> None:
    database.put("d", street="hush" * 200)


def uncarried(database: Witness) -> None:
    database.put("d", email=WORLD.uncarried)
    database.put("a", city="Turin")


def broken(database: Witness) -> None:
    database.put("d", email=WORLD.broken)
    database.put("a", city="Turin")
    database.write("role_profile", {"rp_id": "2", "borrower_id": "a", "role_profile": "co"})
    database.commit()


def truncated(database: Witness) -> None:
    plain(database)
    database.truncate("borrower")
    database.event = "Truncated"


#: What must happen so that a fault shows; elsewhere it is what happens everywhere.
HISTORIES: Mapping[str, Callable[[Witness], None]] = {
    "updates_or_deletes_left_out": deleted,
    "null_equals_text": null_like,
    "not_logged_as_null": unlogged,
    "names_go_back": in_autumn,
    "text_trimmed": blanks,
    "equal_times": at_one_time,
    "key_update_without_old_key": rekeyed,
    "other_key": rekeyed,
    "before_image_elsewhere": rekeyed,
    "rows_left_out": moved_out,
    "changes_lost": rekeyed_twice,
    "files_vanish": truncated,
    "lob_cut": long_text,
    "row_left_out": uncarried,
    "table_stops": broken,
}

#: What comes of the same histories where no rule is broken, if that is not the state of the source.
SOUND_ENDS = {
    # The task writes that the log did not hold the cell.
    "not_logged_as_null": "refused partial_row",
    # No file tells of a TRUNCATE: see docs/explanation/landing.md.
    "files_vanish": "late",
    # The task stops, and alarms.
    "row_left_out": "late",
    "table_stops": "late",
}


# ------------------------------------------------------------------------------ replayed


class Bucket:
    """A bucket in memory."""

    def __init__(self, landing: Landing, history: LandedHistory) -> None:
        self.url = f"memory://bucket-{uuid4().hex}"
        self.memory = fsspec.filesystem("memory")
        loaded = {source: len(rows) for source, rows in history.loads.items()}
        self.landing = replace(landing, url=f"{self.url}/dms", loaded=loaded)

    def __enter__(self) -> Bucket:  # noqa: PYI034 - Self is of Python 3.11
        self.memory.makedirs(self.url, exist_ok=True)
        return self

    def __exit__(self, *_: object) -> None:
        self.memory.rm(self.url, recursive=True)

    def put(self, folder: str, files: Sequence[SimulatedFile]) -> None:
        for file in files:
            path = f"{self.url}/{folder}/{file.path}".replace("//dbo", "/dbo")
            self.memory.pipe_file(path, file.data)
            self.memory.store[self.memory._strip_protocol(path)].created = file.modified

    def read(self, state: Optional[LandingState] = None) -> LandingRead:
        return read_landing(self.landing, model=MODEL, until=FAR, state=state)


def replay(case: Case, database: Witness, layout: Layout) -> str:
    """Let the task of the documents write what happened, read it in two runs, and say the end."""
    documents = read_documents(case.documents.items())
    try:
        with Bucket(case.landing, database.told()) as bucket:
            found = held(read_all(bucket, documents.tasks, (database, layout), documents))
    except NoTaskError as error:
        return str(error)
    except AspenETLError as error:
        if "hush" in f"{error} {error.details!r}" or error.__context__ is not None:
            raise
        return f"refused {error.details.get('problem', type(error).__name__)}"
    if found == wanted(database.rows()):
        return "right"
    earlier = [wanted(rows) for rows in database.held]
    is_late = all(rows in [each[source] for each in earlier] for source, rows in found.items())
    return "late" if is_late else "wrong"


def read_all(
    bucket: Bucket, tasks: Sequence[DmsTask], told: tuple[Witness, Layout], documents: DmsDocuments
) -> Extract:
    """Read what the first task wrote, and again after the rest has happened."""
    database, layout = told
    history = database.told()
    task, *others = tasks
    folder, form = folder_of(task), form_of_task(documents, task, WORLD)
    files = write_task(log_of(task, history, WORLD), form, layout)
    files += [AUDIT] * is_taken(task, LandedTable("dbo.audit"))
    bucket.put(folder, files)
    read = bucket.read()
    assert read.unknown >= files.count(AUDIT)
    if database.event and deletes_files(task, database.event):
        bucket.memory.rm(f"{bucket.url}/{folder}/dbo/borrower", recursive=True)
    for other in others:
        # It begins later: what is loaded is what there is by then.
        loads = {source: [*rows.values()] for source, rows in database.rows().items()}
        later = replace(history, loads=loads, began=database.moment, log=[])
        bucket.put(
            folder_of(other), write_task(later, form_of_task(documents, other, WORLD), layout)
        )
    return bucket.read(read.state).extract


def wanted(truth: Rows) -> dict[str, list[tuple[Optional[str], ...]]]:
    return {
        source: [
            tuple(rows[key][name] or None for name in MODEL.sources[source].columns)
            for key in sorted(rows)
        ]
        for source, rows in truth.items()
    }


# ------------------------------------------------------------------------------ the laws

ALL = [(rule, place) for rule, makes in BREAKS.items() for place in range(len(makes))]
#: Where it matters what one file holds.
LAYOUTS = {"changes_lost": Layout(split=(50,))}


def happened(fault: str) -> tuple[Witness, Layout]:
    database = Witness()
    HISTORIES.get(fault, plain)(database)
    return database, LAYOUTS.get(fault, Layout(split=(1,)))


def test_what_comes_of_a_breach_is_told_for_every_document() -> None:
    assert {rule: len(ends) for rule, ends in ENDS.items()} == {
        rule: len(makes) for rule, makes in BREAKS.items()
    }
    told = {end for ends in ENDS.values() for end in ends if not end.startswith("refused ")}
    assert told == {"wrong", "late", *REASONS}


@pytest.mark.parametrize(("rule", "place"), ALL)
def test_a_breach_is_refused_or_makes_rows_wrong(rule: str, place: int) -> None:
    end = ENDS[rule][place]
    if end == "refused mixed" and rule == "other_layout" and not HAS_ARROW:
        pytest.skip("the extra parquet is not installed")
    end = "right" if end in {"cost", "not_read", "read_too", "same_here"} else end
    database, layout = happened(DMS_RULES[rule].fault)
    if (rule, place) == ("files_deleted", 1):
        database.event = "Dropped"
    assert replay(BREAKS[rule][place](), database, layout) == end


@pytest.mark.parametrize("fault", sorted({*HISTORIES, "text_unquoted"}))
def test_the_same_history_is_replayed_where_nothing_is_broken(fault: str) -> None:
    database, layout = happened(fault)
    assert replay(sound(), database, layout) == SOUND_ENDS.get(fault, "right")


def test_cells_that_a_task_has_cut_are_counted() -> None:
    case = BREAKS["lob_size"][0]()
    database, layout = happened("lob_cut")
    documents = read_documents(case.documents.items())
    (task,) = documents.tasks
    files = write_task(database.told(), form_of_task(documents, task, WORLD), layout)
    with Bucket(replace(case.landing, lob_max_kb=1), database.told()) as bucket:
        bucket.put(folder_of(task), files)
        found = bucket.read().findings
    (changed,) = {file.path for file in files if b"hushhush" in file.data}
    assert found == {"borrower": (Finding("cut_cells", 1, (changed,), "street"),)}
    assert "hush" not in repr(found)


@st.composite
def landings(draw: st.DrawFn) -> Landing:
    """Draw landings in every documented layout, under all the names that can be chosen."""
    order = draw(st.sampled_from(["sequence", "sequence", "transactions"]))
    form = draw(
        st.sampled_from(["csv", "gzip"] + ["parquet"] * (HAS_ARROW and order == "sequence"))
    )
    is_bare = order == "transactions" or (form != "parquet" and draw(st.booleans()))
    told: Any = order
    dated = st.sampled_from([None, *PARTITIONS])
    return replace(
        IN_ORDER if is_bare else BY_SEQUENCE,
        order=told,
        format="parquet" if form == "parquet" else "csv",
        compression="gzip" if form == "gzip" else "none",
        partitions=None if order == "transactions" else draw(dated),
        time=draw(st.sampled_from(["dms_time", "when"])),
        sequence=draw(st.sampled_from(["dms_seq", "Seq No"])),
        before=draw(st.sampled_from(["BI_", "old."])),
        null=draw(st.sampled_from(["__ASPEN_NULL__", "__NO_CELL__"])),
        not_logged=draw(st.sampled_from(["__ASPEN_NOSUP__", "__NO_LOG__"])),
        transactions=draw(st.sampled_from(["transactions", "cdc/in_order"])),
        heartbeat=draw(st.sampled_from([None, "dbo.heart_beat"])),
    )


@some(1, 8)
@given(landings(), st.data())
def test_documents_that_lint_clean_make_files_that_are_replayed(
    landing: Landing, data: st.DataObject
) -> None:
    case = sound(landing)
    documents = read_documents(case.documents.items())
    assert lint_dms(documents, landing, model=MODEL) == ()
    (task,) = documents.tasks
    form = form_of_task(documents, task, WORLD)
    assert form == form_of(landing)
    history = data.draw(landed_histories(landing, MODEL, max_steps=10))
    layout = Layout(
        split=data.draw(st.sampled_from([(1,), (3, 1), (50,)])),
        whole_deletes=data.draw(st.booleans()),
        rekey_as_pair=data.draw(st.booleans()),
    )
    with Bucket(landing, history) as bucket:
        bucket.memory.makedirs(bucket.landing.url)
        bucket.put(folder_of(task), write_task(history, form, layout))
        assert held(bucket.read().extract) == wanted(history.truth)


#: What an endpoint may say; nothing is what DMS takes then.
SAID: Mapping[str, tuple[Any, ...]] = {
    "AddColumnName": (True, False, None, "true"),
    "AddTrailingPaddingCharacter": (True, False),
    "BucketFolder": ("dms", "/dms/", "other", None),
    "CdcInsertsAndUpdates": (True, False, "false"),
    "CdcInsertsOnly": (True, False),
    "CdcPath": ("transactions", "elsewhere", None),
    "CompressionType": ("none", "NONE", "gzip", None),
    "CsvDelimiter": (",", ";", None),
    "CsvNoSupValue": ("__ASPEN_NOSUP__", "?", None),
    "CsvNullValue": ("__ASPEN_NULL__", "NULL", "", None),
    "CsvRowDelimiter": ("\n", r"\n", None),
    "DataFormat": ("csv", None),
    "DatePartitionEnabled": (True, False, None),
    "DatePartitionSequence": ("YYYYMMDD", "yyyymmddhh", None),
    "DatePartitionTimezone": ("UTC", "Europe/Berlin", None),
    "IncludeOpForFullLoad": (True, False, "true", None),
    "PreserveTransactions": (True, False, None),
    "Rfc4180": (True, False, None),
    "TimestampColumnName": ("dms_time", "ts", None),
    "UseCsvNoSupValue": (True, False, None),
    "UseTaskStartTimeForFullLoadTimestamp": (True, False),
}
#: What a task's settings may say.
SET: Mapping[tuple[str, str], tuple[Any, ...]] = {
    ("TargetMetadata", "BatchApplyEnabled"): (True, False, None),
    ("TargetMetadata", "SupportLobs"): (True, False, None),
    ("TargetMetadata", "FullLobMode"): (True, False),
    ("TargetMetadata", "LimitedSizeLobMode"): (True, False, None),
    ("TargetMetadata", "LobMaxSize"): (1, 2, 32, None),
}
#: What a rule more may do; of the last ones a landing may know.
MORE: tuple[dict[str, Any], ...] = (
    {"rule-action": "rename", "value": "mail", "object-locator": of_column("email")},
    {"rule-action": "convert-uppercase", "object-locator": of_column("%")},
    {"rule-action": "remove-column", "object-locator": of_column("zip%")},
    {"rule-action": "add-prefix", "value": "x", "object-locator": of_column("id")},
    {"rule-action": "convert-lowercase", "object-locator": of_column("%")},
    {"rule-action": "rename", "value": "email", "object-locator": of_column("mail")},
    {"rule-action": "remove-column", "object-locator": of_column("note")},
    {"rule-action": "add-column", "value": "note", "expression": "'x'"},
)
KNOWING = {name: replace(table, ignore=("note",)) for name, table in TABLES.items()}


@st.composite
def documents_of_any_kind(draw: st.DrawFn) -> Case:
    """Draw documents that say one or two things otherwise."""
    knowing = replace(BY_SEQUENCE, tables=KNOWING)
    case = sound(draw(st.sampled_from([BY_SEQUENCE, knowing, IN_ORDER])))
    for _ in range(draw(st.integers(1, 2))):
        kind = draw(st.sampled_from(["endpoint", "endpoint", "settings", "rules"]))
        if kind == "endpoint":
            name = draw(st.sampled_from(sorted(SAID)))
            put(case.documents["target"]["S3Settings"], name, draw(st.sampled_from(SAID[name])))
        elif kind == "settings":
            part, name = draw(st.sampled_from(sorted(SET)))
            put(case.documents["settings"][part], name, draw(st.sampled_from(SET[part, name])))
        else:
            more: dict[str, Any] = draw(st.sampled_from(MORE))
            common: dict[str, Any] = {
                "rule-type": "transformation",
                "rule-id": "99",
                "rule-target": "column",
            }
            common |= {"object-locator": {"schema-name": "dbo", "table-name": "%"}}
            case.documents["mappings"]["rules"].append({**common, **more})
    return case


def put(held: dict[str, Any], name: str, value: Any) -> None:
    """Let a document say something, or nothing."""
    held[name] = value
    if value is None:
        del held[name]


@some(1, 8)
@given(documents_of_any_kind(), st.sampled_from([1, 50]))
def test_whatever_documents_say_what_lints_clean_is_replayed(case: Case, split: int) -> None:
    if any(each.severity == "error" for each in lint_dms(*case, model=MODEL)):
        return
    database = Witness()
    for happens in (rekeyed_twice, plain, null_like, blanks, long_text, moved_out, deleted):
        happens(database)
    at_one_time(database)
    assert replay(case, database, Layout(split=(split,))) == "right"
