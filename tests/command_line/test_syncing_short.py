"""What sync and status print of the short way."""

from __future__ import annotations

from pathlib import Path

import pytest

from aspen_etl.__main__ import main
from tests.synchronization.conftest import COUNT, FIRST_ROW
from tests.synchronization.test_sync import many, write


def test_the_short_way_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = str(tmp_path / "store")
    source = write(tmp_path / "in", many(COUNT))
    assert main(["sync", str(source), store, "--keep-source"]) == 0
    given = many(COUNT)
    given["borrower"].loc[FIRST_ROW, "city"] = "Rome"
    write(source, given)
    capsys.readouterr()
    assert main(["sync", str(source), store, "--keep-source"]) == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.startswith(
        "looked at what changed alone (subjects: 1), for the last time at everything 20"
    )
    assert main(["status", store, "--max-age", "60", "--max-proof-age", "60"]) == 0
    assert "all rows seen     less than a minute ago, 1 short runs since" in capsys.readouterr().out
    assert main(["status", store, "--max-age", "60", "--max-proof-age", "0"]) == 3
    assert "no run looked at every row of the source within 0 minutes" in capsys.readouterr().err
    given["borrower"].loc[FIRST_ROW, "city"] = "Oslo"
    write(source, given)
    assert main(["sync", str(source), store, "--no-keep-source"]) == 0
    assert "changed alone" not in capsys.readouterr().out
