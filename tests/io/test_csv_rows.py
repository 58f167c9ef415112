"""The first column of our CSV is read alone as it is read with all others, or not at all."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aspen_etl.columns.frames import equal_frames
from aspen_etl.columns.text import conform_text
from aspen_etl.io.codecs import decode, encode
from aspen_etl.io.csv_rows import read_leading, row_bounds
from aspen_etl.schema.column_spec import ColumnSpec, ColumnType

pytest.importorskip("pyarrow", reason="without it, whole tables are read")

KEYS: dict[ColumnType, st.SearchStrategy[Any]] = {
    "text": st.text(st.sampled_from("ab \x1aé😀\ufeff;'"), max_size=70),
    "integer": st.integers(-(2**63), 2**63 - 1) | st.integers(0, 9),
    "date": st.dates(dt.date(1582, 10, 15), dt.date.max),
}
OTHER = ColumnSpec("other", "text", nullable=True)


def specs(key_type: ColumnType, *, nullable: bool = False) -> dict[str, ColumnSpec]:
    return {"key": ColumnSpec("key", key_type, nullable=nullable), "other": OTHER}


def written(columns: dict[str, ColumnSpec], keys: Sequence[Any]) -> tuple[bytes, pd.DataFrame]:
    key, values = columns["key"], pd.Series([*keys], dtype=object)
    held = conform_text(values) if key.type == "text" else values.astype(key.dtype)
    others = [*[("a\n", '"', None)[n % 3] for n in range(len(keys) - 1)], "x" * 99]
    beside = conform_text(pd.Series(others[: len(keys)], dtype=object))
    frame = pd.DataFrame({"key": held, "other": beside})
    return encode(frame, columns, "csv"), frame


def first(data: bytes, columns: dict[str, ColumnSpec]) -> Any:
    bounds = row_bounds(data, columns)
    found = None if bounds is None else read_leading(data, bounds, [columns["key"]])
    return None if found is None else found[0]


@pytest.mark.parametrize("key_type", KEYS)
@given(data=st.data())
def test_it_is_read_as_with_all_others_or_not(key_type: ColumnType, data: st.DataObject) -> None:
    columns = specs(key_type)
    file, frame = written(columns, data.draw(st.lists(KEYS[key_type], max_size=6)))
    found = first(file, columns)
    if found is not None:
        whole = decode(file, columns, "csv", url="x")["key"]
        assert equal_frames(found.to_frame("key"), frame[["key"]])
        assert found.dtype == whole.dtype
        assert found.index.equals(whole.index)


@pytest.mark.parametrize(
    ("key_type", "keys"),
    [
        ("text", ["a", "é", "", "a" * 60]),
        ("text", ["id-1", "id-2"]),
        ("integer", [-1, 2**63 - 1, 7]),
        ("date", [dt.date(1582, 10, 15), dt.date(9999, 12, 31)]),
    ],
)
def test_keys_are_read_alone(key_type: ColumnType, keys: list[Any]) -> None:
    columns = specs(key_type)
    data, frame = written(columns, [*keys, *keys])
    found = first(data, columns)
    assert found is not None
    assert equal_frames(found.to_frame("key"), frame[["key"]])


def test_what_is_not_plain_is_left_to_others() -> None:
    many = ["a"] * 99
    for keys in (['a"', *many], ["a,b", *many], ["a" * 65, *many], []):
        columns = specs("text")
        assert first(written(columns, keys)[0], columns) is None
    columns = specs("text", nullable=True)
    assert first(written(columns, ["", *many])[0], columns) is None
    numbers = specs("integer")
    data = written(numbers, [1, *range(99)])[0]
    assert first(data, numbers) is not None
    for old, new in ((b"\n1,", b"\nx,"), (b"\n1,", b"\n,"), (b"key", b"kez"), (b"\n1,", b"\n1")):
        assert first(data.replace(old, new, 1), numbers) is None
    texts = specs("text")
    data = written(texts, ["b", *many])[0]
    assert first(data.replace(b"\nb", b"\n\xff"), texts) is None
    alone = {"key": columns["key"]}
    assert first(encode(written(texts, many)[1], alone, "csv"), alone) is None


@given(
    st.lists(st.tuples(st.text("ab", max_size=3), st.integers(0, 10**9)), min_size=1, max_size=9)
)
def test_two_columns_that_stand_first_are_read_alone(rows: list[tuple[str, int]]) -> None:
    kinds: dict[str, ColumnType] = {"key": "text", "number": "integer"}
    columns = {name: ColumnSpec(name, kind) for name, kind in kinds.items()} | {"other": OTHER}
    texts, numbers = zip(*rows)
    frame = pd.DataFrame(
        {
            "key": conform_text(pd.Series([*texts], dtype=object)),
            "number": pd.Series([*numbers], dtype="int64"),
            "other": conform_text(pd.Series(["x" * 70] * len(rows), dtype=object)),
        }
    )
    data = encode(frame, columns, "csv")
    bounds = row_bounds(data, columns)
    assert bounds is not None
    found = read_leading(data, bounds, [columns["key"], columns["number"]])
    if any(texts):
        assert found is not None
        assert equal_frames(pd.concat(found, axis=1, keys=["key", "number"]), frame.iloc[:, :2])
    else:
        assert found is None  # a field of no width in all rows is left to others
    short = {name: columns[name] for name in kinds}
    data = encode(frame.iloc[:, :2], short, "csv")
    bounds = row_bounds(data, short)
    assert bounds is not None
    assert read_leading(data, bounds, [columns["key"], columns["number"]]) is None
