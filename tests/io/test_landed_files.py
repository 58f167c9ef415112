"""Landed files: what their names say, what rows they hold, and what in them is refused by name."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Optional
from uuid import uuid4

import fsspec
import pandas as pd
import pytest

import aspen_etl as ae
from aspen_etl.errors import (
    AspenETLError,
    CorruptFileError,
    LandedFileError,
    SourceNotFoundError,
)
from aspen_etl.io.landed_names import LandedName, parse_name
from aspen_etl.io.landed_rows import read_changes
from aspen_etl.io.landed_times import canonical_moment
from aspen_etl.io.landed_together import count_lines, read_together
from aspen_etl.io.landing import list_landing
from aspen_etl.schema.landing import LandedTable, Landing
from aspen_etl.transform.changing import SourceChanges

MODEL = ae.BORROWER_MODEL
TABLES = {
    "borrower": LandedTable("dbo.borrower"),
    "role_profile": LandedTable("dbo.role_profile", ("rp_id",), ignore=("rowversion",)),
}
LANDING = Landing("memory://landing", TABLES, loaded="declared")
IN_ORDER = replace(
    LANDING,
    order="transactions",
    tables={
        "borrower": replace(TABLES["borrower"], headers=tuple(MODEL.sources["borrower"].columns)),
        "role_profile": LandedTable(
            "dbo.role_profile", ("rp_id",), headers=("rp_id", "borrower_id", "role_profile")
        ),
    },
)
NAME = "dbo/role_profile/20260131-140500123.csv"
HEADER = "Op,dms_time,rp_id,borrower_id,role_profile,dms_seq,BI_rp_id"
TIME = "2026-01-31 14:05:00.12"
SEQUENCE = "20260131140500120000000000000000001"


def line(op: str = "I", key: str = "hush1", **cells: str) -> str:
    told = {"time": TIME, "who": "hush2", "what": "hush3", "seq": SEQUENCE, "before": key, **cells}
    return ",".join([op, told["time"], key, told["who"], told["what"], told["seq"], told["before"]])


def read(
    *lines: str, header: Optional[str] = HEADER, name: str = NAME, landing: Landing = LANDING
) -> SourceChanges:
    found = parse_name(name, landing)
    assert found is not None
    data = "".join(f"{each}\n" for each in ([header] if header else []) + list(lines)).encode()
    return read_changes(data, found, (landing, MODEL), ae.ReadLimits()).changes["role_profile"]


def refusal(*lines: str, **told: Any) -> LandedFileError:
    with pytest.raises(LandedFileError) as caught:
        read(*lines, **told)
    assert "hush" not in f"{caught.value} {caught.value.details!r}"
    assert told.get("name", NAME) in str(caught.value)
    assert caught.value.__context__ is None
    return caught.value


# ------------------------------------------------------------------------------ names


@pytest.mark.parametrize(
    ("path", "kind", "form", "dated"),
    [
        ("dbo/borrower/LOAD00000001.csv", "load", "csv", False),
        ("dbo/borrower/LOAD0000000A.csv.gz", "load", "csv.gz", False),
        ("dbo/borrower/SEGMENT1_LOAD00000001.csv", "load", "csv", False),
        ("dbo/borrower/FULLLOAD-20260131-LOAD00000001.csv", "load", "csv", False),
        ("dbo/borrower/partition_2/LOAD00000010.parquet", "load", "parquet", False),
        ("dbo/borrower/20141029-1134010000.csv", "changes", "csv", False),
        ("dbo/borrower/20141029-113401123.parquet", "changes", "parquet", False),
        ("dbo/borrower/2026/01/31/14/20260131-140500123.csv", "changes", "csv", True),
        ("dbo/borrower/2026-01-31/20260131-140500123.csv", "changes", "csv", True),
        ("dbo/borrower/2026_01_31_14/20260131-140500123.csv", "changes", "csv", True),
        ("dbo/borrower/01202631/20260131-140500123.csv", "changes", "csv", True),
    ],
)
def test_a_name_says_table_kind_and_form(path: str, kind: str, form: str, *, dated: bool) -> None:
    found = parse_name(path, LANDING)
    assert found is not None
    assert (found.source, found.kind, found.form, found.dated) == ("borrower", kind, form, dated)


@pytest.mark.parametrize(
    "path",
    [
        "dbo/borrower/LOAD00000001.dfm",
        "dbo/borrower/_SUCCESS",
        "dbo/borrower/20260131-140500123.csv.tmp",
        "dbo/borrower/other/20260131-140500123.csv",
        "dbo/other/LOAD00000001.csv",
        "dbo/borrower",
        "LOAD00000001.csv",
        "transactions/CDC_TXN-20201117153046033.csv",
    ],
)
def test_a_name_that_is_none_of_the_landing_s_says_nothing(path: str) -> None:
    assert parse_name(path, LANDING) is None


def test_files_stand_in_the_order_of_their_numbers() -> None:
    numbers = ["00000009", "0000000A", "0000000F", "00000010"]
    names = [parse_name(f"dbo/borrower/LOAD{each}.csv", LANDING) for each in numbers]
    orders = [name.order for name in names if name]
    assert orders == sorted(orders)
    found = parse_name("transactions/CDC_TXN-20201117153046033.csv", IN_ORDER)
    assert found is not None
    assert (found.source, found.kind, str(found.moment)) == (
        None,
        "transactions",
        "2020-11-17 15:30:46+00:00",
    )


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("2026-01-31 14:05:00", "2026-01-31 14:05:00.000000"),
        ("2026-01-31 14:05:00.123", "2026-01-31 14:05:00.123000"),
        ("2026-01-31T14:05:00.123456000Z", "2026-01-31 14:05:00.123456"),
        ("2026-02-30 14:05:00", None),
        ("2026-01-31 14:05:00.1234567", None),
        ("2026-01-31 14:05:00+01:00", None),
        ("", None),
    ],
)
def test_a_time_is_written_in_one_way(text: str, found: Optional[str]) -> None:
    assert canonical_moment(text) == found


# ------------------------------------------------------------------------------ folders


@pytest.fixture
def folder() -> Iterator[str]:
    url = f"memory://landed-{uuid4().hex}"
    fsspec.filesystem("memory").makedirs(url)
    yield url
    fsspec.filesystem("memory").rm(url, recursive=True)


def put(url: str, *names: str) -> Landing:
    for name in names:
        fsspec.filesystem("memory").pipe_file(f"{url}/{name}", b"x")
    return replace(LANDING, url=url)


def test_a_folder_is_listed_in_order_and_strange_names_are_counted(folder: str) -> None:
    names = ["dbo/borrower/20260131-140500123.csv", "dbo/borrower/LOAD00000002.csv"]
    found = list_landing(put(folder, *names, "dbo/borrower/x.dfm", "dbo/t/LOAD00000001.csv"))
    assert [file.name.path for file in found.files] == names[::-1]
    assert found.unknown == 2
    assert [file.size for file in found.files] == [1, 1]
    assert all(file.modified is not None for file in found.files)


@pytest.mark.parametrize(
    "names",
    [
        ("dbo/borrower/LOAD00000001.csv", "dbo/borrower/LOAD00000002.parquet"),
        ("dbo/borrower/LOAD00000001.csv", "dbo/borrower/LOAD00000002.csv.gz"),
        ("dbo/borrower/20260131-140500123.csv", "dbo/borrower/2026/02/20260231-140500123.csv"),
        ("dbo/borrower/LOAD00000001.parquet",),
    ],
)
def test_forms_and_layouts_side_by_side_are_refused(folder: str, names: tuple[str, ...]) -> None:
    with pytest.raises(LandedFileError, match="more than one form") as caught:
        list_landing(put(folder, *names))
    assert caught.value.details["problem"] == "mixed"


def test_a_folder_that_is_not_there_is_named() -> None:
    with pytest.raises(SourceNotFoundError, match="memory://nowhere-at-all"):
        list_landing(replace(LANDING, url="memory://nowhere-at-all"))


# ------------------------------------------------------------------------------ rows


def test_rows_become_changes() -> None:
    token = LANDING.null
    found = read(line(what=token), line("U", "hush9", before="hush1"), line("D", who=token))
    assert found.kinds.tolist() == [1, 2, 3]
    assert found.cells["rp_id"].tolist() == ["hush1", "hush9", "hush1"]
    assert found.cells["role_profile"].isna().tolist() == [True, False, False]
    assert found.stamps.tolist() == [SEQUENCE] * 3
    assert found.moments is not None
    assert set(found.moments) == {"2026-01-31 14:05:00.120000"}
    assert found.before is not None
    assert found.before["rp_id"].tolist() == ["hush1"] * 3
    assert (found.names, found.rows.tolist()) == ((NAME,), [2, 3, 4])


def test_the_sequence_of_a_full_load_is_not_looked_at() -> None:
    found = read(line(seq=""), name="dbo/role_profile/LOAD00000001.csv")
    assert found.kinds.tolist() == [0]
    assert found.stamps.tolist() == ["0"]


def test_a_column_that_may_be_missing_may_be_so_in_a_file() -> None:
    landing = replace(LANDING, loaded="declared")
    name = parse_name("dbo/borrower/20260131-140500123.csv", landing)
    assert name is not None
    header = "Op,dms_time,id,full_name,dms_seq\n"
    data = f"{header}I,{TIME},hush1,hush2,{SEQUENCE}\n".encode()
    found = read_changes(data, name, (landing, MODEL), ae.ReadLimits()).changes["borrower"]
    assert found.cells["email"].isna().all()
    assert found.before is None


@pytest.mark.parametrize(
    ("lines", "told", "problem", "text"),
    [
        ([line("X")], {}, "operation", "1 rows whose operation is none of I, U, D"),
        ([line("U")], {"name": "dbo/role_profile/LOAD00000001.csv"}, "operation", "I in a full"),
        ([line()[2:]], {"header": HEADER[3:]}, "operation", "no column Op"),
        ([line(what="__ASPEN_NOSUP__")], {}, "partial_row", "1 rows with a cell"),
        ([line(seq="")], {}, "sequence", "1 changes"),
        ([line(seq=SEQUENCE[:-1])], {}, "sequence", "35 digits"),
        ([line(seq="2026-01-31 14:05:00")], {}, "sequence", "mapping rule"),
        ([line(time="hush")], {}, "time", "TimestampColumnName"),
        ([line(key="", before="")], {}, "key_missing", "1 rows without a key"),
        ([line("D", key=LANDING.null)], {}, "key_missing", "1 rows without a key"),
        ([line()], {"header": HEADER.replace("role_profile", "extra")}, "columns", "no column"),
        ([f"{line()},hush4"], {"header": f"{HEADER},extra"}, "columns", "new: 'extra'"),
        ([f"{line()},hush4"], {"header": f"{HEADER},rp_id"}, "columns", "'rp_id' 2 times"),
    ],
)
def test_what_is_no_change_is_refused_by_name(
    lines: list[str], told: dict[str, Any], problem: str, text: str
) -> None:
    error = refusal(*lines, **told)
    assert error.details["problem"] == problem
    assert text in str(error)


def test_what_was_not_logged_of_a_deletion_does_not_matter() -> None:
    assert read(line("D", what="__ASPEN_NOSUP__")).kinds.tolist() == [3]


def test_a_column_that_is_ignored_is_left_out() -> None:
    found = read(f"{line()},hush4", header=f"{HEADER},rowversion")
    assert list(found.cells) == ["borrower_id", "role_profile", "rp_id"]


@pytest.mark.parametrize("data", [b"Op,dms_t", b"Op,dms_time\nI,2", b"I,'\"x\n"])
def test_a_torn_file_is_named(data: bytes) -> None:
    name = parse_name(NAME, LANDING)
    assert name is not None
    with pytest.raises(AspenETLError) as caught:
        read_changes(data, name, (LANDING, MODEL), ae.ReadLimits())
    assert NAME in str(caught.value)


# ------------------------------------------------------------------------------ many small files


def small_files(*files: list[str]) -> list[tuple[LandedName, bytes]]:
    out = []
    for place, lines in enumerate(files):
        name = parse_name(f"dbo/role_profile/20260131-14050{place}000.csv", LANDING)
        assert name is not None
        out.append((name, "".join(f"{each}\n" for each in [HEADER, *lines]).encode()))
    return out


def test_files_that_are_read_together_give_what_each_gives() -> None:
    files = small_files([line(), line("U", "hush9")], [], [line("D", "hush9")], [line("I", "b")])
    assert [count_lines(data, name, LANDING) for name, data in files] == [2, 0, 1, 1]
    (together,) = read_together(files, (LANDING, MODEL), ae.ReadLimits())
    alone = [read_together([file], (LANDING, MODEL), ae.ReadLimits()) for file in files]
    joined = SourceChanges.join([changes for each in alone for changes in each])
    assert together.cells.equals(joined.cells)
    assert together.stamps.tolist() == joined.stamps.tolist()
    assert [together.names[file] for file in together.files] == [
        joined.names[file] for file in joined.files
    ]
    assert together.rows.tolist() == joined.rows.tolist() == [2, 3, 2, 2]


def test_the_wrong_one_of_files_that_are_read_together_is_named() -> None:
    files = small_files([line()], [line("X")], [line()])
    with pytest.raises(LandedFileError, match=r"14050100") as caught:
        read_together(files, (LANDING, MODEL), ae.ReadLimits())
    assert caught.value.__context__ is None
    assert files[1][0].path in str(caught.value)


@pytest.mark.parametrize(
    "data", [b'Op\n"I"\n', b"Op\nI", b"Op\n\nI\n", b"Op\r\nI\r\n", b"\nOp\n", b"Op\n\0\n", b""]
)
def test_a_file_whose_lines_may_be_no_rows_is_read_alone(data: bytes) -> None:
    name = parse_name(NAME, LANDING)
    assert name is not None
    assert count_lines(data, name, LANDING) is None
    assert count_lines(b"Op\nI\n", name, LANDING) == 1
    assert count_lines(b"Op\nI\n", name, replace(LANDING, order="time")) is None


# ------------------------------------------------------------------------------ declared columns


def test_a_transaction_file_has_rows_of_all_tables() -> None:
    name = parse_name("transactions/CDC_TXN-20260131140500123.csv", IN_ORDER)
    assert name is not None
    rows = [
        f'I,borrower,dbo,{TIME},hush1,"hush, two",,,,,,,,',
        f"I,role_profile,dbo,{TIME},7,hush1,borrower,",
        f"I,audit,dbo,{TIME},1",
        f"D,role_profile,dbo,{TIME},7,,,",
    ]
    data = "".join(f"{row}\n" for row in rows).encode()
    found = read_changes(data, name, (IN_ORDER, MODEL), ae.ReadLimits())
    assert found.others == 1
    assert found.changes["borrower"].cells["full_name"].tolist() == ["hush, two"]
    roles = found.changes["role_profile"]
    assert roles.kinds.tolist() == [1, 3]
    assert roles.stamps.tolist() == [f"20260131140500123/1000000000{row}" for row in (2, 4)]


def test_rows_of_another_width_than_declared_are_refused() -> None:
    landing = replace(LANDING, tables=IN_ORDER.tables)
    error = refusal("I,x,hush", header=None, landing=landing)
    assert error.details["problem"] == "columns"
    assert "columns_since" in str(error)


# ------------------------------------------------------------------------------ Parquet


def parquet(**columns: Any) -> bytes:
    pytest.importorskip("pyarrow", reason="the extra parquet is not installed")
    held = {"Op": ["I"], "dms_time": [TIME], "dms_seq": [SEQUENCE], "rp_id": ["1"], **columns}
    sink = io.BytesIO()
    pd.DataFrame(held).to_parquet(sink, index=False)
    return sink.getvalue()


def read_parquet(data: bytes) -> SourceChanges:
    landing = replace(LANDING, format="parquet")
    name = parse_name("dbo/role_profile/20260131-140500123.parquet", landing)
    assert name is not None
    return read_changes(data, name, (landing, MODEL), ae.ReadLimits()).changes["role_profile"]


def test_numbers_of_parquet_are_text_and_tokens_are_none() -> None:
    found = read_parquet(parquet(rp_id=[12], borrower_id=["b"], role_profile=[LANDING.null]))
    assert found.cells["rp_id"].tolist() == ["12"]
    assert found.cells["role_profile"].tolist() == [LANDING.null]


@pytest.mark.parametrize("cell", [1.5, b"hush"])
def test_floats_and_bytes_in_the_place_of_text_are_refused(cell: Any) -> None:
    with pytest.raises(LandedFileError, match="'borrower_id'") as caught:
        read_parquet(parquet(borrower_id=[cell], role_profile=["x"]))
    assert caught.value.details["problem"] == "type"


def test_a_cut_parquet_file_is_named() -> None:
    data = parquet(borrower_id=["b"], role_profile=["x"])
    with pytest.raises(CorruptFileError, match="parquet"):
        read_parquet(data[:-20])
