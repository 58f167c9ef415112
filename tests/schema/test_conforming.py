"""A caller's frame is brought to the dtypes of its table where no value changes, else refused."""

from __future__ import annotations

import datetime as dt
import traceback
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pandera.errors
import pytest

from aspen_etl.columns.dtypes import HAS_ARROW
from aspen_etl.errors import ValidationError
from aspen_etl.schema.validation import find_failures, is_valid, split, validate
from tests.support.payments import MODEL, normalize

TABLE = MODEL.tables["payment"]
GOOD = normalize(
    {"amount": "1.50", "rate": "0.5", "due": "2020-01-31", "booked": "2020-01-31 10:00"},
    {"amount": "2", "seen": "2020-01-31 10:00", "disputed": "true", "parts": "7"},
).tables["payment"]
CLOCK = dt.datetime(2020, 1, 31, 10)  # noqa: DTZ001


def with_column(name: str, cells: Any) -> dict[str, pd.DataFrame]:
    """Give the table with another column."""
    return {"payment": GOOD.assign(**{name: pd.Series(cells)})}


def failures(name: str, cells: Any) -> list[list[Any]]:
    found = find_failures(with_column(name, cells), model=MODEL)
    return [[None if pd.isna(cell) else cell for cell in row[1:]] for row in found.to_numpy()]


def arrow(cells: list[Any], kind: str, *facts: Any) -> Any:
    """Give a column that Arrow holds."""
    if not HAS_ARROW:
        pytest.skip("pyarrow is not installed")
    import pyarrow as pa

    return pd.Series(pd.arrays.ArrowExtensionArray(pa.array(cells, getattr(pa, kind)(*facts))))


TAKEN: list[tuple[str, Any, list[Any]]] = [
    ("amount", [Decimal("1.5"), Decimal(2)], ["1.50", "2.00"]),
    ("amount", [Decimal("1.500"), Decimal("-0")], ["1.50", "0.00"]),
    ("amount", [Decimal("1E+3"), Decimal("9999999999.99")], ["1000.00", "9999999999.99"]),
    ("amount", [1, 2], ["1.00", "2.00"]),
    ("rate", [None, None], [None, None]),
    ("rate", [Decimal("0.000001"), None], ["0.000001", None]),
    ("paid", [dt.date(2020, 1, 31), dt.date(1999, 12, 31)], ["2020-01-31", "1999-12-31"]),
    ("paid", np.array(["2020-01-31", "9999-12-31"], "M8[s]"), ["2020-01-31", "9999-12-31"]),
    ("paid", np.array(["2020-01-31", "2020-02-29"], "M8[ns]"), ["2020-01-31", "2020-02-29"]),
    ("due", [None, dt.date(2020, 1, 31)], [None, "2020-01-31"]),
    ("due", [pd.NaT, pd.NaT], [None, None]),
    ("booked", [CLOCK, None], ["2020-01-31 10:00:00.000", None]),
    ("booked", np.array(["2020-01-31T10", "NaT"], "M8[us]"), ["2020-01-31 10:00:00.000", None]),
    ("seen", [CLOCK.replace(tzinfo=dt.timezone.utc), None], ["2020-01-31 10:00:00.000Z", None]),
    ("seen", pd.DatetimeIndex([CLOCK, None], tz="Asia/Tokyo"), ["2020-01-31 01:00:00.000Z", None]),
    ("settled", np.array([True, False]), ["true", "false"]),
    ("settled", pd.array([True, False], dtype="boolean"), ["true", "false"]),
    ("disputed", [True, None], ["true", None]),
    ("disputed", np.array([True, False]), ["true", "false"]),
    ("parts", np.array([1, 2], dtype="int8"), ["1", "2"]),
    ("parts", np.array([1, 2**63 - 1], dtype="uint64"), ["1", str(2**63 - 1)]),
    ("parts", pd.Series([2**63 - 1, None], dtype=object), [str(2**63 - 1), None]),
]


@pytest.mark.parametrize(("name", "cells", "texts"), TAKEN, ids=str)
def test_a_column_is_brought_to_its_dtype_where_no_value_changes(
    name: str, cells: Any, texts: list[Any]
) -> None:
    check_taken(name, cells, texts)


def check_taken(name: str, cells: Any, texts: list[Any]) -> None:
    from aspen_etl.schema.types import TYPES

    spec = TABLE.columns[name]
    assert failures(name, cells) == []
    found = validate(with_column(name, cells), model=MODEL)["payment"][name]
    assert found.dtype == spec.dtype
    shown = TYPES[spec.type].text(found, spec)
    assert [None if pd.isna(cell) else cell for cell in shown] == texts


@pytest.mark.parametrize(
    ("name", "kind", "facts", "cells", "texts"),
    [
        ("amount", "decimal128", (20, 4), [Decimal("1.5000"), Decimal(2)], ["1.50", "2.00"]),
        ("amount", "decimal256", (50, 4), [Decimal("1.5000"), Decimal(2)], ["1.50", "2.00"]),
        ("amount", "int32", (), [1, 2], ["1.00", "2.00"]),
        ("paid", "date32", (), [dt.date(2020, 1, 31)] * 2, ["2020-01-31"] * 2),
        ("paid", "timestamp", ("us",), [dt.datetime(2020, 1, 31)] * 2, ["2020-01-31"] * 2),  # noqa: DTZ001
        ("booked", "timestamp", ("us",), [CLOCK, None], ["2020-01-31 10:00:00.000", None]),
        ("seen", "timestamp", ("us", "UTC"), [CLOCK, None], ["2020-01-31 10:00:00.000Z", None]),
        ("settled", "bool_", (), [True, False], ["true", "false"]),
        ("parts", "int16", (), [1, None], ["1", None]),
        ("parts", "uint64", (), [1, None], ["1", None]),
    ],
)
def test_a_column_of_arrow_is_brought_to_its_dtype(
    name: str, kind: str, facts: tuple[Any, ...], cells: list[Any], texts: list[Any]
) -> None:
    check_taken(name, arrow(cells, kind, *facts), texts)


@pytest.mark.parametrize(
    ("name", "cells"),
    [
        ("amount", [1.0, 2.0]),
        ("amount", ["1.50", "2.00"]),
        ("amount", [Decimal("1.505"), Decimal(2)]),
        ("amount", [Decimal(10000000000), Decimal(2)]),
        ("amount", [Decimal("Infinity"), Decimal(2)]),
        ("amount", [True, False]),
        ("amount", [Decimal("1.5"), 2.0]),
        ("paid", ["2020-01-31", "2020-01-31"]),
        ("paid", [CLOCK, CLOCK]),
        ("paid", np.array(["2020-01-31T10", "2020-01-31"], "M8[s]")),
        ("paid", np.array(["2020-01-31T10", "2020-01-31"], "M8[ns]")),
        ("booked", np.array(["2020-01-31T10:00:00.000001", "NaT"], "M8[us]")),
        ("booked", [dt.date(2020, 1, 31), None]),
        ("booked", pd.DatetimeIndex([CLOCK, None], tz="UTC")),
        ("booked", ["2020-01-31 10:00:00.000", None]),
        ("seen", np.array(["2020-01-31", "NaT"], "M8[ms]")),
        ("seen", [CLOCK, None]),
        ("settled", [1, 0]),
        ("settled", ["true", "false"]),
        ("disputed", [1.0, None]),
        ("parts", [1.5, None]),
        ("parts", ["1", None]),
        ("parts", pd.Series([2**63, None], dtype=object)),
        ("parts", pd.Series([-(2**63) - 1, None], dtype=object)),
        ("parts", np.array([2**64 - 1, 1], dtype="uint64")),
        ("parts", pd.array([2**64 - 1, None], dtype="UInt64")),
        ("booked", np.array([2**62, 0], "M8[s]")),
        ("seen", pd.Series(np.array([2**62, 0], "M8[s]")).dt.tz_localize("UTC")),
    ],
    ids=str,
)
def test_any_other_column_is_refused_by_name_and_type_without_a_cell(name: str, cells: Any) -> None:
    assert failures(name, cells) == [[None, name, "type"]]
    with pytest.raises(ValidationError, match=rf"payment\.{name}: type \(1\)") as caught:
        validate(with_column(name, cells), model=MODEL)
    told = traceback.format_exception(type(caught.value), caught.value, caught.value.__traceback__)
    for cell in ("1.505", "10000000000", "T10"):
        assert cell not in "".join(told)


@pytest.mark.parametrize(
    ("kind", "facts", "cells"),
    [
        ("decimal128", (20, 4), [Decimal("1.5050"), Decimal(2)]),
        ("float64", (), [1.5, 2.0]),
        ("string", (), ["1.50", "2.00"]),
    ],
)
def test_any_other_column_of_arrow_is_refused(
    kind: str, facts: tuple[Any, ...], cells: list[Any]
) -> None:
    assert failures("amount", arrow(cells, kind, *facts)) == [[None, "amount", "type"]]


@pytest.mark.parametrize(
    ("name", "cells", "rule"),
    [
        ("amount", [Decimal("1.5"), None], "null"),
        ("paid", [dt.date(2020, 1, 31), None], "null"),
        ("paid", np.array(["2020-01-31", "1582-10-14"], "M8[s]"), "out_of_range"),
        ("paid", np.array(["2020-01-31", "10000-01-01"], "M8[s]"), "out_of_range"),
        ("due", [None, dt.date(1999, 12, 31)], "out_of_range"),
        ("booked", np.array(["2020-01-31", "1582-10-14"], "M8[ms]"), "out_of_range"),
        (
            "seen",
            pd.DatetimeIndex(np.array(["2020-01-31", "1500-01-01"], "M8[s]"), tz="UTC"),
            "out_of_range",
        ),
        ("parts", [0, -1], "out_of_range"),
    ],
    ids=str,
)
def test_a_row_is_told_where_one_value_is_wrong(name: str, cells: Any, rule: str) -> None:
    assert failures(name, cells) == [[1, name, rule]]
    parted = split(with_column(name, cells), model=MODEL)
    assert len(parted.valid["payment"]) == 1
    assert is_valid(parted.valid, model=MODEL)


def test_the_schema_that_pandera_is_given_has_the_dtypes_of_our_frames() -> None:
    schema = TABLE.schema.to_schema()
    assert schema.validate(GOOD).equals(GOOD)
    with pytest.raises(pandera.errors.SchemaError, match="expected series 'paid' to have type"):
        schema.validate(GOOD.assign(paid="2020-01-31"))


@pytest.mark.skipif(HAS_ARROW, reason="Arrow holds decimals")
def test_objects_are_decimals_of_the_very_scale_in_frames_of_ours() -> None:
    assert GOOD["amount"].map(lambda value: value.as_tuple().exponent).tolist() == [-2, -2]
