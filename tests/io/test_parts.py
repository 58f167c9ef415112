"""A folder for each sheet is read as jobs write it: its parts in the order of their names."""

from __future__ import annotations

import gzip
import io
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import fsspec
import pandas as pd
import pytest

import aspen_etl as ae
from aspen_etl.errors import LimitExceededError, SourceNotFoundError
from aspen_etl.io import ReadLimits, read_extract
from aspen_etl.io.places import source_places
from tests.support.borrowers import RUN
from tests.support.refusals import Kind, refused
from tests.support.workbooks import BORROWER, workbook

HEADER = ",".join(BORROWER)
FIRST = f"{HEADER}\n1,Ann,,,,,,,\n".encode()
SECOND = f"{HEADER}\n2,Eve,,,,,,,\n3,#,,,,,,,\n".encode()
ROLES = b"borrower_id,role_profile\n"
MARKS = {
    "_SUCCESS": b"",
    "._SUCCESS.crc": b"crc",
    ".part-0.csv.crc": b"crc",
    "part-0.csv.crc": b"crc",
}


def put(folder: Path, files: Mapping[str, bytes]) -> Path:
    """Write files by their path below a folder, the last one first."""
    for name, data in reversed(list(files.items())):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


def below(folder: str, files: Mapping[str, bytes]) -> dict[str, bytes]:
    return {f"{folder}/{name}": data for name, data in files.items()}


def parquet(data: bytes) -> bytes:
    pytest.importorskip("pyarrow")
    out = io.BytesIO()
    pd.read_csv(io.BytesIO(data), dtype=str, keep_default_na=False).to_parquet(out, index=False)
    return out.getvalue()


def same(data: bytes) -> bytes:
    return data


def names(source: Any, **options: Any) -> dict[int, str]:
    column = read_extract(source, **options)["borrower"]["full_name"]
    return dict(zip(column.index.tolist(), column.tolist()))


THREE = {2: "Ann", 3: "Eve", 4: "#"}

# ----------------------------------------------------------------------------- what is read


@pytest.mark.parametrize(
    ("parts", "pack"),
    [
        (("part-0.csv", "part-1.csv"), same),
        (("part-0.csv.gz", "part-1.csv.gz"), gzip.compress),
        (("part-0.c000.snappy.parquet", "part-1.c000.snappy.parquet"), parquet),
        (("data_0.parquet", "data_1.parquet"), parquet),
        (("run-17-part-r-00000", "run-17-part-r-00001"), same),
        (("a", "b"), parquet),
        (("x.CSV", "y.txt"), same),
    ],
)
def test_parts_are_read_in_the_order_of_their_names(
    tmp_path: Path, parts: tuple[str, str], pack: Callable[[bytes], bytes]
) -> None:
    data = dict(zip(parts, (pack(FIRST), pack(SECOND))))
    put(tmp_path, below("borrower", {**data, **MARKS}) | {"role_profile.csv": ROLES})
    assert names(tmp_path) == THREE


def test_the_folder_may_have_the_name_of_a_file(tmp_path: Path) -> None:
    put(tmp_path, below("borrower.csv", {"0": FIRST, "1": SECOND}) | {"role_profile.csv": ROLES})
    assert names(tmp_path) == THREE


@pytest.fixture
def memory() -> Iterator[Any]:
    files = fsspec.filesystem("memory")
    yield files
    files.store.clear()
    files.pseudo_dirs[:] = [""]


def test_parts_are_found_wherever_a_file_can_be_named(tmp_path: Path, memory: Any) -> None:
    files = {
        **below("in/borrower", {"0.csv": FIRST, "1.csv": SECOND, **MARKS}),
        **below("in/role_profile", {"0.csv": ROLES}),
    }
    put(tmp_path, files)
    with zipfile.ZipFile(tmp_path / "in.zip", "w") as archive:
        for name, data in files.items():
            archive.writestr(name.removeprefix("in/"), data)
            memory.pipe_file(f"/parts/{name}", data)
    inside = f"::{tmp_path / 'in.zip'}"
    roles = tmp_path / "in" / "role_profile"
    sources: list[Any] = [
        "memory://parts/in",
        f"zip://{inside}",
        {"borrower": tmp_path / "in" / "borrower", "role_profile": roles},
        {
            "borrower": "memory://parts/in/borrower/",
            "role_profile": "memory://parts/in/role_profile/0.csv",
        },
        {"borrower": f"zip://borrower{inside}", "role_profile": roles / "0.csv"},
        {
            "borrower": f"zip://borrower/{inside}",
            "role_profile": f"zip://role_profile/0.csv{inside}",
        },
    ]
    assert [names(source) for source in sources] == [THREE] * len(sources)


def test_a_model_of_one_sheet_may_have_its_parts_in_the_folder_itself(tmp_path: Path) -> None:
    model: Any = SimpleNamespace(sources={"loan": None})
    put(tmp_path, {"0": FIRST, "_SUCCESS": b""})
    places = source_places(tmp_path, model=model)
    assert [place.name for place in places] == ["0"]


def test_parts_may_have_their_columns_in_another_order(tmp_path: Path) -> None:
    turned = ",".join(BORROWER[::-1])
    other = f"Title\n\n{turned.upper()}\n,,,,,,,Eve,2\n,,,,,,,#,3\n".encode()
    put(tmp_path, below("borrower", {"0": FIRST, "1": other}) | {"role_profile.csv": ROLES})
    assert names(tmp_path) == THREE


def test_rejects_are_numbered_through_all_parts(tmp_path: Path) -> None:
    more = FIRST.replace(b"1,Ann", b"1,Again")
    files = below("borrower", {"0": FIRST, "1": HEADER.encode(), "2": SECOND, "3": more})
    put(tmp_path, files | {"role_profile.csv": ROLES})
    rejects = ae.normalize(read_extract(tmp_path), run=RUN).rejects
    assert rejects[["row", "rule"]].to_numpy().tolist() == [[5, "duplicate_id"]]


# ----------------------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("files", "kind", "match"),
    [
        (
            {"0": FIRST, "1": SECOND.replace(b",email", b"")},
            "missing_column",
            "part 1: no column",
        ),
        ({"0": FIRST, "1": b"9,canary\n"}, "missing_column", "part 1: none of the columns"),
        ({"0": FIRST, "_delta_log/0.json": b"{}"}, "unsupported", "Delta Lake"),
        ({"0": FIRST, ".hoodie/x": b"{}"}, "unsupported", "Hudi"),
        ({"data/0": FIRST, "metadata/x": b"{}"}, "unsupported", "Iceberg"),
        ({"0": FIRST, "_temporary/0/x": FIRST}, "unsupported", "has not ended"),
        ({"year=2026/0": FIRST}, "unsupported", "'year=2026'.*without partitions"),
        ({"0": FIRST, "1": workbook()}, "unsupported", "workbook among the parts"),
        ({"0": FIRST, "manifest": b'{"entries": []}'}, "unsupported", "is JSON"),
        ({"_SUCCESS": b"", "0": b""}, SourceNotFoundError, "no file with data of the sheet"),
    ],
)
def test_what_is_no_part_is_refused_by_name(
    tmp_path: Path, files: dict[str, bytes], kind: Kind, match: str
) -> None:
    put(tmp_path, below("borrower", files) | {"role_profile.csv": ROLES})
    with refused(kind, match=match) as caught:
        read_extract(tmp_path)
    assert "canary" not in str(caught.value)


def test_a_file_and_a_folder_of_one_sheet_are_one_too_many(tmp_path: Path) -> None:
    put(tmp_path, {"borrower/0": FIRST, "borrower.csv": FIRST, "role_profile.csv": ROLES})
    with refused("unsupported", match=r"holds borrower\.csv and borrower; only one"):
        read_extract(tmp_path)


def test_a_folder_holds_the_parts_of_one_sheet(tmp_path: Path) -> None:
    put(tmp_path, {"0": FIRST})
    with refused("unsupported", match="parts of one sheet, not of 2"):
        read_extract({"borrower": tmp_path, "role_profile": tmp_path})


@pytest.mark.parametrize(
    ("limits", "name"),
    [(ReadLimits(max_rows=2), "max_rows"), (ReadLimits(max_file_bytes=150), "max_file_bytes")],
)
def test_the_parts_are_limited_as_one_file(tmp_path: Path, limits: ReadLimits, name: str) -> None:
    put(tmp_path, below("borrower", {"0": FIRST, "1": SECOND}) | {"role_profile.csv": ROLES})
    assert max(len(FIRST), len(SECOND)) < 150
    with pytest.raises(LimitExceededError, match=name):
        read_extract(tmp_path, limits=limits)


# ----------------------------------------------------------------------------- their state


def test_each_part_is_a_place_of_the_source(tmp_path: Path) -> None:
    put(
        tmp_path,
        below("borrower", {"1": FIRST, "0": SECOND, **MARKS}) | {"role_profile.csv": ROLES},
    )
    places = source_places(tmp_path, model=ae.BORROWER_MODEL)
    assert [place.name for place in places] == ["0", "1", "role_profile.csv"]


def test_a_part_that_appears_while_it_is_read_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, memory: Any
) -> None:
    source = put(tmp_path, below("borrower", {"0": FIRST}) | {"role_profile.csv": ROLES})
    reads: list[int] = []

    def read_and_add(*arguments: Any, **options: Any) -> ae.Extract:
        found = read_extract(*arguments, **options)
        if not reads:
            put(tmp_path, {"borrower/1": SECOND})
        reads.append(1)
        return found

    monkeypatch.setattr("aspen_etl.synchronization.source.read_extract", read_and_add)
    store = ae.SnapshotStore("memory://store")
    report = ae.sync(source, store, run=RUN)
    assert (len(reads), report.tables["user"].rows) == (2, 3)
    assert memory.exists("/store")
    assert not ae.sync(source, store, run=RUN).source_read


# ----------------------------------------------------------------------------- names


def test_names_are_found_without_regard_to_letter_case(tmp_path: Path) -> None:
    put(tmp_path, {"BORROWER.CSV": FIRST, "Role_Profile/0": ROLES})
    assert names(tmp_path) == {2: "Ann"}


def test_the_exact_name_goes_before_others(tmp_path: Path) -> None:
    put(tmp_path, {"borrower.csv": FIRST, "Borrower.csv": SECOND, "role_profile.csv": ROLES})
    assert names(tmp_path) == {2: "Ann"}


def test_two_names_that_differ_in_letter_case_alone_are_refused(tmp_path: Path) -> None:
    put(tmp_path, {"BORROWER.csv": FIRST, "Borrower.csv": SECOND, "role_profile.csv": ROLES})
    with refused("unsupported", match=r"holds BORROWER\.csv and Borrower\.csv"):
        read_extract(tmp_path)


@pytest.mark.parametrize("name", ["Borrowers.csv", "borower.parquet", "BORROWER_S"])
def test_a_name_that_is_near_is_suggested(tmp_path: Path, name: str) -> None:
    path = f"{name}/0" if "." not in name else name
    put(tmp_path, {path: FIRST, "role_profile.csv": ROLES})
    with pytest.raises(SourceNotFoundError) as caught:
        read_extract(tmp_path)
    stem = name.split(".", maxsplit=1)[0]
    assert f"did you mean sheets={{'borrower': '{stem}'}}?" in str(caught.value)
