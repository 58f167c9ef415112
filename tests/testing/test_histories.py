"""Histories hold what their options promise."""

from __future__ import annotations

from typing import Any

import pandas as pd

import aspen_etl as ae
from aspen_etl.testing._histories import _withhold
from tests.transform.sheets import ADA, BO, extract


def test_a_growing_history_gives_who_was_there_new_cells_and_new_rows() -> None:
    whole = extract(ADA, BO, roles=(("a", "x"), ("a", "y"), ("b", "z")))

    def held(run: int) -> tuple[list[Any], ...]:
        found = _withhold(whole, run, [0, 1, 0], ae.BORROWER_MODEL)
        borrowers = found["borrower"]
        texts = borrowers[["id", "state", "phone_home"]].astype(object)
        return (
            texts.where(texts.notna(), None).to_numpy().tolist(),
            found["role_profile"].index.tolist(),
        )

    # Rows 2 and 3 are there from the start, 4 is not; so it is with every third cell.
    assert held(0) == ([["a", None, "5550100"], ["b", None, None]], [2, 3])
    assert held(1) == ([["a", "MA", "5550100"], ["b", None, None]], [2, 3, 4])
    assert _withhold(whole, 1, [0, 1], ae.BORROWER_MODEL).equals(whole)


def test_faults_of_rows_that_come_later_come_with_them() -> None:
    frames = dict(extract(ADA, BO))
    faults = pd.DataFrame(
        [["borrower", 3, "email", "#N/A", "excel_error"]],
        columns=["source", "row", "column", "value", "rule"],
        dtype=object,
    )
    given = ae.Extract.from_frames(frames, faults=faults)
    early = _withhold(given, 0, [0, 1], ae.BORROWER_MODEL)
    assert (len(early["borrower"]), len(early.faults)) == (1, 0)
    assert _withhold(given, 1, [0, 1], ae.BORROWER_MODEL).equals(given)
