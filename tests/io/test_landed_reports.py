"""What users report of files that DMS wrote, and what is read of such files here."""

from __future__ import annotations

import datetime as dt
import decimal
import io
from typing import Any

import pytest

import aspen_etl as ae
from aspen_etl.errors import LandedFileError
from aspen_etl.io.landed_names import parse_name
from aspen_etl.io.landed_rows import read_changes
from aspen_etl.transform.changing import SourceChanges
from tests.io.test_landed_files import HEADER, LANDING, MODEL, SEQUENCE, TIME, line, read

NAME = "dbo/borrower/20260131-140500123.parquet"


def parquet(**columns: Any) -> SourceChanges:
    """Read a Parquet file of one change, whose columns have the types that are told."""
    pa = pytest.importorskip("pyarrow", reason="the extra parquet is not installed")
    pq = pytest.importorskip("pyarrow.parquet")
    held = {"Op": pa.array(["U"]), "dms_time": pa.array([TIME]), "id": pa.array(["a"])}
    held |= {"full_name": pa.array(["Ada"]), "dms_seq": pa.array([SEQUENCE])}
    sink = io.BytesIO()
    pq.write_table(pa.table({**held, **{k: pa.array(*v) for k, v in columns.items()}}), sink)
    name = parse_name(NAME, LANDING)
    assert name is not None
    return read_changes(sink.getvalue(), name, (LANDING, MODEL), ae.ReadLimits()).changes[
        "borrower"
    ]


def arrow(name: str, *more: Any) -> Any:
    pa = pytest.importorskip("pyarrow", reason="the extra parquet is not installed")
    return getattr(pa, name)(*more)


def test_a_date_of_the_year_3018_is_read_as_it_is() -> None:
    """It failed, or became another date: aws/aws-sdk-pandas#296, #1153."""
    late, early = dt.datetime(3018, 3, 7), dt.datetime(1515, 1, 31, 9)  # noqa: DTZ001 - it has none
    kind = arrow("timestamp", "us")
    found = parquet(city=([late], kind), street=([early], kind), state=([late.date()],))
    # A time at midnight is a date, here as in every extract.
    cells = {name: found.cells[name].iloc[0] for name in ("city", "street", "state")}
    assert cells == {
        "city": "3018-03-07",
        "street": "1515-01-31 09:00:00",
        "state": "3018-03-07",
    }


def test_a_column_that_is_null_in_a_whole_file_is_missing() -> None:
    """Readers know no type for it: aws/aws-sdk-pandas#1082, ClickHouse/ClickHouse#25864."""
    assert parquet(city=([None],), email=([None],)).cells["city"].isna().all()


def test_a_deletion_in_parquet_has_nothing_but_its_key() -> None:
    """It failed: apache/hudi#6590, #8278."""
    found = parquet(Op=(["D"],), full_name=([None],), BI_id=([None], arrow("string")))
    assert (found.kinds.tolist(), found.cells["id"].tolist()) == ([3], ["a"])


def test_a_number_keeps_its_digits_and_a_zip_code_as_one_is_no_fraction() -> None:
    """NUMERIC comes as decimal; a nullable integer became a float: aws/aws-sdk-pandas."""
    found = parquet(
        id=([decimal.Decimal(12345678901234567890)],),
        zip_code=([2138],),
    )
    assert found.cells["id"].tolist() == ["12345678901234567890"]
    assert found.cells["zip_code"].tolist() == ["2138"]
    with pytest.raises(LandedFileError) as caught:
        parquet(zip_code=([2138.0],))
    assert caught.value.details["problem"] == "type"


@pytest.mark.parametrize("text", ["two\r\nlines", "two\nlines", 'a "b"', "\r", ",", "a\tb"])
def test_a_cell_with_line_breaks_is_one(text: str) -> None:
    """Its row fell apart: ministryofjustice/analytical-platform#2148."""
    quoted = text.replace('"', '""')
    found = read(line(what=f'"{quoted}"'), line(key="b"), header=HEADER)
    assert found.cells["role_profile"].tolist() == [text, "hush3"]
