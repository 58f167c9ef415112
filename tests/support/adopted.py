"""An application that writes in the target database, under keys that it draws from 2^40 on."""

from __future__ import annotations

from random import Random
from typing import Any, NamedTuple, Optional

import numpy as np
import pandas as pd

import aspen_etl as ae
from aspen_etl.columns.frames import equal_frames
from aspen_etl.schema.snapshot import ADOPTED_FROM, Snapshot
from aspen_etl.testing._plain import rows_of
from aspen_etl.transform.adopting import adopt, keep_audit

__all__ = ["Application", "Taken", "keys_of"]

Frames = dict[str, pd.DataFrame]


class Taken(NamedTuple):
    """What a run is given after an application wrote.

    Attributes:
        tables: The tables as the application left them, in no order.
        previous: The snapshot before, with the keys that were adopted.
    """

    tables: Frames
    previous: Snapshot


class Application:
    """Bring the tables of before to what an extract says, as an application of its own does it.

    Args:
        model: What the tables are.
        luck: Draws the order in which rows get their keys, and stand there.
    """

    def __init__(self, model: ae.Model, luck: Random) -> None:
        self.model, self.luck = model, luck
        self.drawn = ADOPTED_FROM

    def write(
        self, extract: ae.Extract, before: Optional[Snapshot], run: ae.Run, missing: Any = "delete"
    ) -> Frames:
        """Give the tables after it wrote, under keys of its own, rows in any order."""
        before = before or Snapshot(ae.Tables({}), {})
        after = ae.normalize(
            extract, run=run, previous=before, model=self.model, missing=missing
        ).snapshot
        drawn = {name: self._draw(name, before, after) for name in after.keys}
        return {name: self._shuffled(name, after.tables[name], drawn) for name in after.tables}

    def take(
        self, extract: ae.Extract, before: Optional[Snapshot], run: ae.Run, missing: Any = "delete"
    ) -> Taken:
        """Let it write, and adopt the keys; no next number moves, and none given is another."""
        before = before or Snapshot(ae.Tables({}), {})
        tables = self.write(extract, before, run, missing)
        found = adopt(before, tables, self.model)
        assert found.mismatches.empty
        assert found.previous.tables is before.tables
        for name, state in found.previous.keys.items():
            held = before.keys.get(name)
            assert state.next == (1 if held is None else held.next)
            if held is not None:
                assert keys_of(held.given).items() <= keys_of(state.given).items()
        return Taken(tables, found.previous)

    def keep(self, snapshot: Snapshot, tables: Frames) -> Snapshot:
        """Keep its audit columns after a run that took all that it wrote: then both are equal."""
        kept = keep_audit(snapshot, tables, self.model)
        for name, frame in kept.tables.items():
            key = self.model.tables[name].primary_key
            theirs = tables[name].sort_values(key, ignore_index=True)
            assert equal_frames(frame, theirs), name
        assert keep_audit(kept, tables, self.model) is kept
        assert kept.keys is snapshot.keys
        return kept

    def _draw(self, name: str, before: Snapshot, after: Snapshot) -> dict[int, int]:
        """Draw a key for each row that a run would number."""
        held = before.keys.get(name)
        numbers = range(1 if held is None else held.next, after.keys[name].next)
        keys = [self.drawn + each for each in range(len(numbers))]
        self.luck.shuffle(keys)
        self.drawn += len(keys) + self.luck.randint(0, 2)
        return dict(zip(numbers, keys))

    def _shuffled(self, name: str, frame: pd.DataFrame, drawn: dict[str, dict[int, int]]) -> Any:
        table, out = self.model.tables[name], frame.copy()
        for column, spec in table.columns.items():
            numbers = drawn.get(name if spec.primary_key else str(spec.references), {})
            out[column] = out[column].replace(numbers) if numbers else out[column]
        order = list(range(len(out)))
        self.luck.shuffle(order)
        return out.iloc[np.array(order, dtype=np.int64)].reset_index(drop=True)


def keys_of(given: pd.DataFrame) -> dict[tuple[Any, ...], int]:
    """Give the key of each natural key."""
    return {natural: key for key, *rest in rows_of(given) for natural in [tuple(rest)]}
