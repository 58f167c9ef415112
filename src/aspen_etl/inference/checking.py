"""Write the test of a first model: it normalizes what the model was made of, and proves it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any, Literal, Union

from aspen_etl.inference.layout import Bracketed, assign, call, lay_out, literal

__all__ = ["Reader", "write_test"]

#: What reads a source: ``read_extract`` or ``read_database``.
Reader = Literal["extract", "database"]

_TEST = '''"""What the model was made of is normalized, and nothing of it is lost."""

import datetime as dt
{imports}
import aspen_etl as ae

from {module} import MODEL

{source}
RUN = ae.Run(time=dt.datetime.fromisoformat("2026-01-31T00:00+00:00"), actor="test")


def test_nothing_is_lost() -> None:
{extract}
    # Each cell is in the tables or in the rejects, or this raises a ProofError.
    result = ae.normalize(extract, run=RUN, model=MODEL)
    for sheet in result.summary.sources.values():
        assert sheet.rows == sheet.accepted + sheet.rejected


def test_the_tables_give_the_sheets_back() -> None:
{extract}
    tables = ae.normalize(extract, run=RUN, model=MODEL).tables
    again = ae.normalize(ae.denormalize(tables, model=MODEL), run=RUN, model=MODEL)
    assert again.tables.equals(tables)
    assert len(again.rejects) == 0
'''


def write_test(
    module: str,
    source: Union[str, PurePath, Mapping[str, str]],
    options: Mapping[str, Any],
    read_by: Reader = "extract",
    /,
) -> str:
    """Write a module for pytest that stands beside the model.

    Args:
        module: The name of the model's module.
        source: The source: a path as seen from where the test stands, a url, or urls by sheet.
        options: What reads it takes beside the source and the model.
        read_by: What reads it. The url of a database may be another one, with a password, in the
            variable ``ASPEN_ETL_DATABASE_URL``.
    """
    imports, place = "", [f"SOURCE = {literal(source)}"]
    if isinstance(source, PurePath):
        imports = "from pathlib import Path\n"
        place = [f"SOURCE = Path(__file__).parent / {literal(source.as_posix())}"]
    elif isinstance(source, Mapping):
        place = assign("SOURCE", call("dict", (), source))
    elif read_by == "database":
        imports = "import os\n"
        place = assign("SOURCE", call("os.environ.get", ("ASPEN_ETL_DATABASE_URL", source), {}))
    given = call("", (), options).items
    read = Bracketed(f"extract = ae.read_{read_by}(", ["SOURCE", "model=MODEL", *given], ")")
    return _TEST.format(
        module=module,
        imports=imports,
        source="\n".join(place),
        extract="\n".join(lay_out(read, "    ")),
    )
