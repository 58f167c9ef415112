"""The base classes of sources and tables: pandera models, which load pandera."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Optional, Union

import pandas as pd
import pandera.pandas as pa
from pandera.typing import Series

from aspen_etl.errors import ModelError
from aspen_etl.schema.column import audit_actor, audit_time, hint
from aspen_etl.schema.column_spec import read_name, with_dtypes
from aspen_etl.schema.keywords import EntityFacts, Keywords, read_keywords
from aspen_etl.schema.table_keys import with_key

__all__ = ["Entity", "Source", "Table"]


class Source(pa.DataFrameModel):
    """Be the base of every source sheet: text columns, declared with ``column``.

    A source is known by the name of its class in snake case, without a trailing ``Sheet``
    (``LoanSheet`` is ``loan``), or by ``Config.name``.
    """


class Table(pa.DataFrameModel):
    """Be the base of every target table: it brings the four audit columns.

    A table is known by the name of its class in snake case, or by ``Config.name``. The keyword
    ``source`` of a class names the sheet whose rows it has one row for: ``source="visits"``, or
    ``source="visits.clinic_*"`` where its columns have a prefix there. Where no primary key is
    declared, it has one by the name of the table: ``visit_id`` of ``Visit``, a number that is
    given.

    Examples:
        >>> from pandera.typing import Series
        >>> from aspen_etl.schema import TableSpec, column
        >>> class Visit(Table, source="visits"):
        ...     visit_no: Series[str] = column(natural_key=True, length=12)
        >>> TableSpec.of(Visit).primary_key
        'visit_id'
    """

    _keywords = Keywords()

    created: Series[pd.DatetimeTZDtype] = audit_time(nullable=False)
    created_by: Series[str] = audit_actor(nullable=False)
    updated: Series[pd.DatetimeTZDtype] = audit_time(nullable=True)
    updated_by: Series[str] = audit_actor(nullable=True)

    class Config:
        """No column but the declared ones."""

        strict = True

    def __init_subclass__(
        cls,
        *,
        source: Union[str, Sequence[str], None] = None,
        conflict: Optional[str] = None,
        newest: Optional[str] = None,
        **rest: Any,
    ) -> None:
        """Read the keywords of a class.

        Raises:
            ModelError: One is wrong, or there is no such keyword.
        """
        for name in rest:
            msg = (
                f"class {cls.__name__}: there is no keyword {name!r}; "
                f"{hint(name, ('source', 'conflict', 'newest'))}"
            )
            raise ModelError(msg, table=cls.__name__)
        cls._keywords = read_keywords(cls.__name__, cls._keywords, source, conflict, newest)
        super().__init_subclass__()  # type: ignore[no-untyped-call]

    @classmethod
    def to_schema(cls) -> pa.DataFrameSchema:
        """Give the schema, in which each column has the one dtype that it has in our frames."""
        schema: pa.DataFrameSchema = with_dtypes(cls, super().to_schema())
        keyed: pa.DataFrameSchema = with_key(schema, read_name(cls, ""))
        return keyed


class Entity(Table):
    """Be the base of a table of one row for each distinct natural key that rows of sheets hold.

    What else its rows say is put to the vote: of a clinic's name, what most visits say. The
    class takes the keywords ``source``, one or, for several sheets, a tuple of them;
    ``conflict``: ``"majority"``, where most rows win and then the least value, or ``"reject"``,
    where nobody does; and ``newest``, the source column whose latest value wins before that.

    Examples:
        >>> from pandera.typing import Series
        >>> from aspen_etl.schema import TableSpec, column
        >>> class Clinic(Entity, source="visits.clinic_*", newest="visits.visited"):
        ...     code: Series[str] = column(natural_key=True, length=10)
        ...     name: Series[str] = column(nullable=True)
        >>> TableSpec.of(Clinic).columns["name"].source
        ('visits.clinic_name',)
    """

    _keywords = Keywords(entity=EntityFacts())
