"""The workbook that the package ships is the one that its maker makes."""

from __future__ import annotations

from pathlib import Path

import aspen_etl as ae
from tests.support import sample


def test_the_shipped_workbook_is_what_its_maker_makes(tmp_path: Path) -> None:
    sample.make(tmp_path / "made.xlsx")
    assert ae.read_extract(tmp_path / "made.xlsx").equals(ae.read_extract(sample.SAMPLE))
