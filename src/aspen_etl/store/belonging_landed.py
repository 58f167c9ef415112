"""Which rows are a subject's of what is kept of a landing folder, or of a side: not as judged."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from aspen_etl.columns import Mask
from aspen_etl.columns.text import conform_text
from aspen_etl.schema.model import Model
from aspen_etl.store.belonging import Root
from aspen_etl.store.likeness import Subject, clean_id
from aspen_etl.transform.subjects import join_key

__all__ = ["LandedJudge", "read_ids"]


class LandedJudge:
    """Tell which rows are a subject's: of its id, or that refer to a row that is.

    A sheet is judged after those that it refers to, and each of its frames: what a row is known by
    may stand in one frame, and who refers to it in another.

    Args:
        model: The model.
        root: What the subject is.
        subject: Whose rows go.
    """

    def __init__(self, model: Model, root: Root, subject: Subject) -> None:
        self.model, self.root, self.subject = model, root, subject
        self._gone: dict[str, set[str]] = {}

    def judge(
        self, frames: Mapping[str, Sequence[Callable[[], pd.DataFrame]]]
    ) -> Iterator[tuple[str, int, pd.DataFrame, Mask]]:
        """Judge the frames of all sheets.

        Args:
            frames: What reads each frame of a sheet.

        Returns:
            Sheet, place, frame, and which of its rows are the subject's.
        """
        for name in self._order(frames):
            found = self._gone.setdefault(name, set())
            for place, read in enumerate(frames[name]):
                frame = read()
                mine = self._judge(name, frame)
                key = self.model.lineage.sources[name].key
                if mine.any() and len(key) == 1 and key[0] in frame:
                    found |= set(read_ids(frame[mine], key).dropna())
                yield name, place, frame, mine

    def _order(self, frames: Mapping[str, object]) -> list[str]:
        """Name the sheets, each after those that it refers to."""
        out: list[str] = []

        def add(name: str) -> None:
            for parent in self.model.lineage.sources[name].references.values():
                if parent != name and parent not in out:
                    add(parent)
            if name not in out:
                out.append(name)

        for name in self.model.sources:
            add(name)
        return [name for name in out if name in frames]

    def _judge(self, name: str, frame: pd.DataFrame) -> Mask:
        mine = np.zeros(len(frame), dtype=bool)
        root, columns = self.root, set(frame.columns)
        if name == root.sheet and set(root.key) <= columns:
            mine |= self.subject.find_own(read_ids(frame, root.key))
        for column, parent in self.model.lineage.sources[name].references.items():
            if column not in columns:
                continue
            ids = read_ids(frame, (column,))
            if parent == root.sheet:
                mine |= self.subject.find_own(ids)
            elif self._gone.get(parent):
                mine |= ids.isin(self._gone[parent]).to_numpy(dtype=bool)
        return mine


def read_ids(frame: pd.DataFrame, columns: Sequence[str], /) -> pd.Series:
    """Give what rows are known by in some columns, as ids are written."""
    cells = [
        np.array(
            [clean_id(cell) if isinstance(cell, str) else None for cell in frame[name]], object
        )
        for name in columns
    ]
    return conform_text(pd.Series(join_key(cells), dtype=object))
