"""Types of SQLAlchemy for values that SQLite has no type for: Python's values in and out."""

from __future__ import annotations

import datetime as dt
from decimal import Context, Decimal, Inexact, InvalidOperation
from functools import lru_cache
from typing import Any, Optional

from aspen_etl.schema.column_spec import ColumnSpec

__all__ = ["date_text", "decimal_text", "number_truth"]

#: Wide enough for what is there, and strict where a digit would be lost.
_EXACT = Context(prec=100, traps=[Inexact, InvalidOperation])


def decimal_text(spec: ColumnSpec) -> Any:
    """Give text that holds a decimal, since SQLite's own is a float."""
    return _decimal_text()(spec.scale)


def date_text(spec: ColumnSpec) -> Any:
    """Give text that holds a date; ISO dates sort as text."""
    del spec
    return _date_text()()


def number_truth(spec: ColumnSpec) -> Any:
    """Give a number that is 0 or 1."""
    del spec
    return _truth()()


# Each class is made once, and no sooner than SQLAlchemy is needed.


@lru_cache(maxsize=1)
def _decimal_text() -> Any:
    import sqlalchemy as sa

    class DecimalText(sa.TypeDecorator[Decimal]):
        impl = sa.Text
        cache_ok = True

        def __init__(self, scale: int) -> None:
            super().__init__()
            self.scale = scale

        def process_bind_param(self, value: Any, _: Any) -> Optional[str]:
            if value is None:
                return None
            exact = Decimal(value).quantize(Decimal(1).scaleb(-self.scale), context=_EXACT)
            return f"{exact or abs(exact):f}"

        def process_result_value(self, value: Any, _: Any) -> Optional[Decimal]:
            return None if value is None else Decimal(value)

    return DecimalText


@lru_cache(maxsize=1)
def _date_text() -> Any:
    import sqlalchemy as sa

    class DateText(sa.TypeDecorator[dt.date]):
        impl = sa.Text
        cache_ok = True

        def process_bind_param(self, value: Any, _: Any) -> Optional[str]:
            return None if value is None else str(value.isoformat())

        def process_result_value(self, value: Any, _: Any) -> Optional[dt.date]:
            return None if value is None else dt.date.fromisoformat(value)

    return DateText


@lru_cache(maxsize=1)
def _truth() -> Any:
    import sqlalchemy as sa

    class Truth(sa.TypeDecorator[bool]):
        impl = sa.Integer
        cache_ok = True

        def process_bind_param(self, value: Any, _: Any) -> Optional[int]:
            return None if value is None else int(value)

        def process_result_value(self, value: Any, _: Any) -> Optional[bool]:
            return None if value is None else bool(value)

    return Truth
