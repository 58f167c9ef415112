"""The proof: the sheets, read back out of the tables, are what was accepted."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import pandas as pd

from aspen_etl.schema.lineage import SourceLineage
from aspen_etl.schema.model import Model
from aspen_etl.threads import map_threads
from aspen_etl.transform.placing import compare, fail
from aspen_etl.transform.recovery import recover

__all__ = ["prove"]


def prove(
    accepted: Mapping[str, pd.DataFrame], tables: Mapping[str, pd.DataFrame], model: Model, /
) -> None:
    """Prove that the tables hold exactly the accepted rows.

    Raises:
        ProofError: They do not; it names table, column and how many rows.
    """
    found = recover(tables, model, like=accepted)
    for source, expected in accepted.items():
        lineage = model.lineage.sources[source]
        if len(found[source]) != len(expected):
            table, column = lineage.destinations[lineage.key[-1]][0]
            count = abs(len(found[source]) - len(expected))
            fail(
                f"{count} rows of {source!r} are missing in or added to {table!r}",
                table,
                column,
                count,
            )
        compared = partial(_compare, source, expected, found[source], lineage)
        map_threads(compared, expected.columns, rows=len(expected))


def _compare(
    source: str, expected: pd.DataFrame, found: pd.DataFrame, lineage: SourceLineage, name: str
) -> None:
    what = f"are not what {source}.{name} holds"
    compare(expected[name], found[name], lineage.destinations[name][0], what)
