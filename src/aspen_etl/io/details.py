"""Files of what a report only counts: rows with ids and values, where their caller says.

They hold what rejects hold, so they belong where these are. None replaces a file that is there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Optional

import pandas as pd

from aspen_etl.columns.text import conform_text
from aspen_etl.derive.formats import DEFAULT_FORMAT, FORMATS
from aspen_etl.errors import TargetExistsError
from aspen_etl.io.codecs import encode
from aspen_etl.io.filesystem import Location, locate
from aspen_etl.io.small_files import write_file
from aspen_etl.schema.column_spec import ColumnSpec

__all__ = ["absent_place", "write_details"]


def absent_place(url: str, options: Optional[Mapping[str, Any]], /) -> Location:
    """Take a file that is not there yet: nothing of anybody's is replaced.

    Raises:
        TargetExistsError: It is there.
    """
    place = locate(url, options)
    if place.kind() != "absent":
        msg = f"{place.url} is there already; name another file for the details"
        raise TargetExistsError(msg, url=place.url, found=())
    return place


def write_details(
    place: Location, frame: pd.DataFrame, columns: Mapping[str, ColumnSpec], /
) -> str:
    """Write rows of text, also where there are none; give the file's url, less secrets.

    Args:
        place: The file; ``.parquet`` and ``.csv`` say which format it has.
        frame: The rows.
        columns: Their columns, all of them text.

    Raises:
        SourceAccessError: The storage refuses.
        WriteError: It failed.
    """
    ending: Any = place.name.rpartition(".")[2]
    texts = pd.DataFrame({name: conform_text(frame[name].astype(object)) for name in columns})
    write_file(place, encode(texts, columns, ending if ending in FORMATS else DEFAULT_FORMAT))
    return place.url
