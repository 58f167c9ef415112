"""What is replayed of landed files is what the database holds; SQLite is the judge."""

from __future__ import annotations

import datetime as dt
import importlib.util
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Optional
from uuid import uuid4

import fsspec
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import aspen_etl as ae
from aspen_etl.errors import AspenETLError, LandingChangedError, LandingOrderError
from aspen_etl.schema.landing import LandedTable, Landing
from aspen_etl.simulation.landed_database import LandedHistory, own_columns
from aspen_etl.simulation.landed_files import Layout, SimulatedFile, write_landing
from aspen_etl.synchronization.landing import LandingRead, LandingState, read_landing
from aspen_etl.testing._landings import landed_histories
from tests.support.effort import is_deep, some

MODEL = ae.BORROWER_MODEL
FAR = dt.datetime(2100, 1, 1, tzinfo=dt.timezone.utc)
TABLES = {
    "borrower": LandedTable("dbo.Borrower", ("BorrowerNo",), {"BorrowerNo": "id"}),
    # The key of this one is none of the model's columns.
    "role_profile": LandedTable("dbo.role_profile", ("rp_id",)),
}
LANDING = Landing("memory://landing", TABLES, loaded="declared")
LATE = {"borrower": "email"}
HAS_ARROW = importlib.util.find_spec("pyarrow") is not None


# ------------------------------------------------------------------------------ what is drawn


@dataclass(frozen=True)
class Case:
    """A history, how it landed, and in which order and runs its files came."""

    landing: Landing
    history: LandedHistory
    files: list[SimulatedFile]
    runs: list[list[SimulatedFile]]
    on_gap: str


def declared(landing: Landing, history: LandedHistory) -> Landing:
    """Declare the columns of files without a header, since when they are so."""
    tables = {}
    for source, table in landing.tables.items():
        columns = tuple(own_columns(table, source, MODEL))
        late = LATE.get(source)
        first = tuple(name for name in columns if name != late)
        if late is None or history.altered is None:
            first = columns if late is None else first
            tables[source] = replace(table, headers=first)
        else:
            since = {history.altered: columns}
            tables[source] = replace(table, headers=first, columns_since=since)
    return replace(landing, tables=tables)


@st.composite
def landings(draw: st.DrawFn, order: Optional[str] = None) -> tuple[Landing, Layout, bool]:
    order = order or draw(st.sampled_from(["sequence", "sequence", "transactions", "time"]))
    forms = ["csv", "csv", "gzip"] + ["parquet"] * (HAS_ARROW and order != "transactions")
    form = draw(st.sampled_from(forms))
    is_headed = order != "transactions" and (form == "parquet" or draw(st.booleans()))
    dated = st.sampled_from([None, "YYYYMMDD", "YYYYMMDDHH", "MMYYYYDD"])
    told: Any = "sequence" if order == "transactions" else order
    landing = replace(
        LANDING,
        order=told,
        format="parquet" if form == "parquet" else "csv",
        compression="gzip" if form == "gzip" else "none",
        partitions=None if order == "transactions" else draw(dated),
    )
    layout = Layout(
        split=draw(st.sampled_from([(1,), (2,), (3, 1), (50,)])),
        load_split=draw(st.sampled_from([1, 3])),
        whole_deletes=draw(st.booleans()),
        rekey_as_pair=draw(st.booleans()),
        delimiter=draw(st.sampled_from(["/", "-", "_", ""])),
        load_prefix=draw(st.sampled_from(["", "SEGMENT1_"])),
        whole_times=order == "time",
    )
    return landing, layout, is_headed or False


@st.composite
def cases(draw: st.DrawFn, order: Optional[str] = None) -> Case:
    order = order or draw(st.sampled_from(["sequence", "sequence", "transactions", "time"]))
    landing, layout, is_headed = draw(landings(order))
    history = draw(landed_histories(landing, MODEL, late_columns=LATE))
    if not is_headed:
        told: Any = order
        landing = replace(declared(landing, history), order=told)
    files = write_landing(history, landing, layout)
    loads = [file for file in files if file.is_load]
    changes = draw(st.permutations([file for file in files if not file.is_load]))
    again = draw(st.lists(st.sampled_from(files), max_size=2)) if files else []
    if order == "sequence":  # rows come again, in other company
        other = write_landing(history, landing, replace(layout, split=(2, 1, 3)))
        again += [file for file in other if not file.is_load and draw(st.booleans())]
    for number, file in enumerate(again):
        # Where names are the order, a copy that comes before its file is refused.
        first = changes.index(file) + 1 if order == "transactions" and file in changes else 0
        place = draw(st.integers(first, len(changes)))
        changes.insert(place, renamed(file, number))
    cuts = sorted(draw(st.lists(st.integers(0, len(changes)), min_size=1, max_size=3)))
    bounds = [0, *cuts, len(changes)]
    runs = [changes[start:end] for start, end in zip(bounds, bounds[1:])]
    on_gap = draw(st.sampled_from(["report", "report", "refuse"]))
    return Case(landing, history, files, [loads + runs[0], *runs[1:]], on_gap)


def renamed(file: SimulatedFile, number: int) -> SimulatedFile:
    """Let a file come again under a later name."""
    folder, _, name = file.path.rpartition("/")
    stem, dot, ending = name.partition(".")
    if file.is_load:
        return replace(file, path=f"{folder}/{stem[:-4]}F{number:03}{dot}{ending}")
    return replace(file, path=f"{folder}/{stem}{number}{dot}{ending}")


class Folder:
    """A landing folder in memory, for as long as a test takes."""

    def __init__(self, landing: Landing) -> None:
        self.url = f"memory://landing-{uuid4().hex}"
        self.landing = replace(landing, url=self.url)
        self.memory = fsspec.filesystem("memory")

    def __enter__(self) -> Folder:  # noqa: PYI034 - Self is of Python 3.11
        self.memory.makedirs(self.url, exist_ok=True)
        return self

    def __exit__(self, *_: object) -> None:
        self.memory.rm(self.url, recursive=True)

    def put(self, files: Sequence[SimulatedFile]) -> None:
        for file in files:
            path = f"{self.url}/{file.path}"
            self.memory.pipe_file(path, file.data)
            self.memory.store[self.memory._strip_protocol(path)].created = file.modified

    def read(self, state: Optional[LandingState] = None, **told: Any) -> LandingRead:
        return read_landing(
            self.landing, model=MODEL, until=told.pop("until", FAR), state=state, **told
        )


def held(extract: ae.Extract) -> dict[str, list[tuple[Optional[str], ...]]]:
    """Give the cells of each source; text of no length is missing."""
    return {source: rows_of(frame) for source, frame in extract.items()}


def rows_of(frame: pd.DataFrame) -> list[tuple[Optional[str], ...]]:
    cells = frame.astype(object).where(frame.notna(), None)
    return [tuple(cell or None for cell in row) for row in cells.itertuples(index=False)]


def wanted(
    truth: Mapping[str, Mapping[tuple[str, ...], Mapping[str, Optional[str]]]],
) -> dict[str, list[tuple[Optional[str], ...]]]:
    """Give what SQLite holds, in the order of keys and under the names of the model."""
    out = {}
    for source, table in TABLES.items():
        landed = {table.column_of(name): name for name in own_columns(table, source, MODEL)}
        names = [landed[name] for name in MODEL.sources[source].columns]
        rows = truth[source]
        out[source] = [tuple(rows[key][name] or None for name in names) for key in sorted(rows)]
    return out


def read_on(folder: Folder, state: Optional[LandingState], on_gap: str) -> Optional[LandingState]:
    """Read what came; what is missing comes in a later run, so a refusal changes nothing."""
    try:
        return folder.read(state, on_gap=on_gap).state
    except LandingOrderError as error:
        if error.details["problem"] != "gap":
            raise
        return state


# ------------------------------------------------------------------------------ the laws


#: As many as the issue of landing files asks for: of the deep profile, and of CI.
HISTORIES = settings(max_examples=10_000) if is_deep() else some(1, 200)


def are_alike(case: Case) -> bool:
    """Tell whether two files of transactions hold the same: a copy, or a change back."""
    changes = [file.data for run in case.runs for file in run if not file.is_load]
    return case.landing.order == "transactions" and len(set(changes)) < len(changes)


@HISTORIES
@given(cases())
def test_replay_equals_the_database_whatever_order_and_runs_files_come_in(case: Case) -> None:
    try:
        _replay(case)
    except LandingOrderError as error:  # where nobody can tell which of these it is
        if error.details["problem"] != "ambiguous" or not are_alike(case):
            raise


def _replay(case: Case) -> None:
    with Folder(case.landing) as folder:
        state = None
        for run in case.runs:
            folder.put(run)
            state = read_on(folder, state, case.on_gap)
        read = folder.read(state)
        assert held(read.extract) == wanted(case.history.truth)
        assert (read.pending, read.unknown, read.others) == ((), 0, 0)
        whole = folder.read()
        assert held(whole.extract) == held(read.extract)
        if case.landing.order != "time":  # there the stamp names the copy that came first
            assert read.state.equals(whole.state, numbers=False)
        again = folder.read(read.state)
        assert again.state.equals(read.state)
        assert again.extract.equals(read.extract)


@some(2, 6)
@given(cases("sequence"), st.data())
def test_a_prefix_gives_the_state_of_its_time(case: Case, data: st.DataObject) -> None:
    count, truth = data.draw(st.sampled_from(list(case.history.truths)))
    history = replace(case.history, log=case.history.log[:count])
    with Folder(case.landing) as folder:
        folder.put(write_landing(history, case.landing, Layout(split=(3,))))
        assert held(folder.read().extract) == wanted(truth)


@some(2, 6)
@given(cases(), st.data())
def test_a_transaction_comes_whole_or_waits(case: Case, data: st.DataObject) -> None:
    changes = [file for file in case.files if not file.is_load]
    until = FAR
    if changes:
        until = data.draw(st.sampled_from(changes)).modified + case.landing.lag
    with Folder(case.landing) as folder:
        folder.put(case.files)
        now = folder.read(until=until)
        rest = folder.read(now.state)
        assert held(rest.extract) == wanted(case.history.truth)
        assert rest.pending == ()
    with Folder(case.landing) as other:
        moments = {moment for moment in (now.watermark,) if moment is not None}
        early = [change for change in case.history.log if f"{change.moment:%F %T.%f}" in moments]
        last = max((change.number for change in early), default=0)
        log = [change for change in case.history.log if change.number <= last]
        layout = Layout(split=(50,), whole_times=True)
        other.put(write_landing(replace(case.history, log=log), case.landing, layout))
        assert held(other.read().extract) == held(now.extract)


# ------------------------------------------------------------------------------ what is spoiled


def assert_tells_nothing(told: object) -> None:
    assert "hush" not in repr(told)


def read_spoiled(
    landing: Landing, files: Sequence[SimulatedFile], truth: LandedHistory
) -> Optional[AspenETLError]:
    """Read; give the error if there is one, else see that all is right, or that it is told."""
    with Folder(landing) as folder:
        folder.put(files)
        try:
            read = folder.read()
        except AspenETLError as error:
            assert_tells_nothing((str(error), error.details, error.__context__))
            return error
        assert_tells_nothing(read)
        assert_tells_nothing(read.state)
        assert read.findings or held(read.extract) == wanted(truth.truth)
        return None


@some(2, 6)
@given(cases(), st.data())
def test_a_cut_file_is_named(case: Case, data: st.DataObject) -> None:
    if not case.files:
        return
    place = data.draw(st.integers(0, len(case.files) - 1))
    file = case.files[place]
    cut = file.data[: data.draw(st.integers(0, len(file.data) - 1))]
    files = [*case.files[:place], replace(file, data=cut), *case.files[place + 1 :]]
    if file.path.endswith(".csv") and cut.endswith(b"\n"):
        return  # whole rows are missing: only the task's statistics tell that
    error = read_spoiled(case.landing, files, case.history)
    assert error is not None
    assert file.path in str(error)


@some(2, 6)
@given(cases("sequence"), st.data())
def test_swapped_places_in_the_order_are_told_or_harmless(case: Case, data: st.DataObject) -> None:
    log = list(case.history.log)
    if len(log) < 2:
        return
    one, two = (data.draw(st.integers(0, len(log) - 1)) for _ in range(2))
    log[one], log[two] = (
        replace(log[one], number=log[two].number),
        replace(log[two], number=log[one].number),
    )
    history = replace(case.history, log=log)
    files = write_landing(history, case.landing, Layout(split=(4,), whole_times=True))
    read_spoiled(case.landing, files, case.history)


@some(4, 4)
@given(cases("sequence"), st.data())
def test_foreign_content_under_a_name_that_was_taken_is_named(
    case: Case, data: st.DataObject
) -> None:
    if len(case.files) < 2:
        return
    one, two = data.draw(st.permutations(case.files))[:2]
    with Folder(case.landing) as folder:
        folder.put(case.files)
        state = folder.read().state
        moved = one.modified + dt.timedelta(seconds=1)
        folder.put([replace(one, data=two.data, modified=moved)])
        with pytest.raises(LandingChangedError) as caught:
            folder.read(state)
        assert caught.value.details["problem"] == "changed"
        assert_tells_nothing((str(caught.value), caught.value.details))
