"""A column by the name of its type hides it; the mistake is named.

Annotations are values in this module, as in most models: it has no `from __future__ import`.
"""

from datetime import date
from decimal import Decimal  # noqa: F401 - hidden by a column

import pytest

from aspen_etl.errors import ModelError
from aspen_etl.schema import Series, Table, TableSpec, column


def test_a_column_by_the_name_of_its_type_is_refused() -> None:
    class Visit(Table, source="visits"):
        visit_no: Series[str] = column(natural_key=True, length=12)
        date: Series[date] = column()

    with pytest.raises(ModelError) as caught:
        TableSpec.of(Visit)
    assert str(caught.value) == (
        "table 'visit'.date: the column 'date' hides the type 'date' from the annotations that "
        "follow it; write the type with its module, as in `import datetime as dt` and "
        "Series[dt.date]"
    )


def test_a_column_hides_a_type_from_those_after_it() -> None:
    class Visit(Table, source="visits"):
        visit_no: Series[str] = column(natural_key=True, length=12)
        Decimal: Series[str] = column()
        fee: Series[Decimal] = column(precision=3, scale=2)  # type: ignore[valid-type]

    with pytest.raises(ModelError, match=r"table 'visit'\.fee: the column 'Decimal' hides"):
        TableSpec.of(Visit)
