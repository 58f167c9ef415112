"""A foreign judge of replay: DuckDB merges the same files by a window, and holds the same rows.

Its query is what a user would write: of each key the row with the greatest sequence, unless that is
a deletion; a key that an update left behind is deleted at that place.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aspen_etl.schema.landing import LandedTable
from aspen_etl.simulation.landed_files import Layout, SimulatedFile, write_landing
from aspen_etl.synchronization.landing import read_landing
from aspen_etl.testing._landings import LandedHistory, landed_histories, own_columns
from tests.laws.test_landing import FAR, LANDING, LATE, MODEL, TABLES, held, wanted
from tests.support.effort import some

duckdb = pytest.importorskip("duckdb")

_MERGE = """
with landed as (
    select * from read_csv(?, header = true, all_varchar = true, union_by_name = true,
        delim = ',', quote = '"', escape = '"', new_line = '\\n', nullstr = '__ASPEN_NULL__')
), writes as (
    select {key} as own_key, coalesce(dms_seq, '0') as stamp, 1 as place, "Op" = 'D' as is_gone,
        {wanted} from landed
    union all
    select {before}, dms_seq, 0, true, {wanted} from landed where "Op" = 'U' and {before} <> {key}
), ordered as (
    select *, row_number() over (partition by own_key order by stamp desc, place desc) as turn
    from writes
)
select {wanted} from ordered where turn = 1 and not is_gone order by own_key
"""


def merged(
    folder: Path, table: LandedTable, source: str, files: Sequence[SimulatedFile]
) -> list[tuple[Optional[str], ...]]:
    """Merge the files of a table, and give its rows in the order of their keys."""
    (key,) = table.key
    landed = {table.column_of(name): name for name in own_columns(table, source, MODEL)}
    names = [f'"{landed[name]}"' for name in MODEL.sources[source].columns]
    start = f"{table.schema}/{table.table}/"
    paths = [str(folder / file.path) for file in files if file.path.startswith(start)]
    if not paths:
        return []
    # A column that an ALTER brings later stands in no file before.
    query = "select * from read_csv(?, header = true, all_varchar = true, union_by_name = true)"
    known = {f'"{column[0]}"' for column in duckdb.execute(query, [paths]).description}
    names = [name if name in known else f"null as {name}" for name in names]
    told = {"key": f'"{key}"', "before": f'"BI_{key}"', "wanted": ", ".join(names)}
    rows = duckdb.execute(_MERGE.format(**told), [paths]).fetchall()
    return [tuple(cell or None for cell in row) for row in rows]


@some(2, 6)
@given(
    landed_histories(LANDING, MODEL, late_columns=LATE),
    st.builds(
        Layout,
        split=st.sampled_from([(1,), (2,), (50,)]),
        whole_deletes=st.booleans(),
        rekey_as_pair=st.booleans(),
    ),
    st.booleans(),
)
def test_what_duckdb_merges_is_what_is_replayed(
    history: LandedHistory,
    layout: Layout,
    is_packed: bool,  # noqa: FBT001
) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        landing = replace(LANDING, url=str(folder), compression="gzip" if is_packed else "none")
        files = write_landing(history, landing, layout)
        for file in files:
            path = folder / file.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(file.data)
        read = held(read_landing(landing, model=MODEL, until=FAR).extract)
        assert read == wanted(history.truth)
        for source, table in TABLES.items():
            assert merged(folder, table, source, files) == read[source]
