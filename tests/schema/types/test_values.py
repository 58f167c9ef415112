"""Values that are not of the column's dtype have no text: nothing is rounded, cut or guessed."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest

from aspen_etl.columns.dtypes import HAS_ARROW
from aspen_etl.schema.types import TYPES
from tests.schema.types.kernels import a_column, column, texts

MONEY = a_column("decimal", precision=12, scale=2)
LONG = Decimal("-12345678901234567890123456789012345678.12")


def times(text: str, unit: str) -> pd.Series:
    return pd.Series(np.array([text], dtype=f"datetime64[{unit}]"))


def decimals(*cells: Any) -> pd.Series:
    return pd.Series(cells, dtype=object)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Decimal("1.50"), "1.50"),
        (Decimal("1.5"), "1.50"),
        (Decimal("1.500"), "1.50"),
        (Decimal("-0.00"), "0.00"),
        (Decimal("-0.05"), "-0.05"),
        (Decimal("1E+3"), "1000.00"),
        (Decimal("0E-9"), "0.00"),
        (LONG, str(LONG)),
        (Decimal("NaN"), None),
        (None, None),
    ],
)
def test_objects_are_spelt_with_all_their_places(value: Any, text: Any) -> None:
    assert texts(TYPES["decimal"].text(decimals(value, Decimal(7)), MONEY)) == [text, "7.00"]


@pytest.mark.parametrize(
    "value",
    [1, 1.5, "1.50", True, Decimal("Infinity"), Decimal("sNaN"), Decimal("1E+999999"), b"1"],
    ids=str,
)
def test_what_is_no_decimal_has_no_text(value: Any) -> None:
    with pytest.raises(ValueError, match=r"some cells|some numbers") as caught:
        TYPES["decimal"].text(decimals(Decimal("7.00"), value), MONEY)
    assert caught.value.__cause__ is None


def test_no_place_of_a_decimal_is_cut() -> None:
    with pytest.raises(ValueError, match="more than 2 places"):
        TYPES["decimal"].text(decimals(Decimal("1.505")), MONEY)


def test_decimals_of_no_places_have_no_point() -> None:
    spec = a_column("decimal", precision=38, scale=0)
    found = TYPES["decimal"].text(decimals(Decimal("-0"), Decimal(10), Decimal("1E+2")), spec)
    assert texts(found) == ["0", "10", "100"]


@pytest.mark.skipif(not HAS_ARROW, reason="pyarrow is not installed")
def test_a_column_of_arrow_has_the_declared_scale() -> None:
    from aspen_etl.columns.dtypes import decimal_dtype

    other = decimals(Decimal("1.505")).astype(decimal_dtype(12, 3))
    for values in (other, pd.Series([1], dtype="int64[pyarrow]")):
        with pytest.raises(ValueError, match="no decimals of 2 places"):
            TYPES["decimal"].text(values, MONEY)


@pytest.mark.parametrize(
    ("kind", "values", "told"),
    [
        ("integer", pd.Series([1.0]), "no whole numbers"),
        ("integer", pd.Series(["1"]), "no whole numbers"),
        ("date", pd.Series(["2020-01-31"]), "holds no datetime64"),
        ("date", times("2020-01-31T00:00:00", "ms"), "holds no datetime64"),
        ("date", times("2020-01-31T05", "s"), "a time of day"),
        ("date", times("10000-01-01", "s"), "years 1 to 9999"),
        ("date", times("-0001-01-01", "s"), "years 1 to 9999"),
        ("datetime", times("2020-01-31", "s"), "holds no datetime64"),
        ("datetime", times("10000-01-01", "ms"), "years 1 to 9999"),
        ("timestamp", times("2020-01-31", "ms"), "holds no datetime64"),
        ("boolean", pd.Series(["true"]), "no booleans"),
        ("boolean", pd.Series([1]), "no booleans"),
    ],
)
def test_what_is_of_another_type_has_no_text(kind: str, values: pd.Series, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        TYPES[kind].text(values, a_column(kind))


@pytest.mark.usefixtures("kernel")
@pytest.mark.parametrize("kind", TYPES)
def test_text_of_another_dtype_is_taken_and_given_back_in_ours(kind: str) -> None:
    spec = a_column(kind, precision=3, scale=1)
    for dtype in (object, "string"):
        found = TYPES[kind].canonical(pd.Series([None, None, None], dtype=dtype), spec)
        assert found.text.dtype == column([]).dtype
    found = TYPES["decimal"].canonical(pd.Series(["1", None, "x", "2.0"], dtype=object), MONEY)
    assert (texts(found.text), found.text.dtype) == (["1.00", None, None, "2.00"], column([]).dtype)
