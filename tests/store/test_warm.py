"""A process that is called again sees what another committed in between."""

from __future__ import annotations

from pathlib import Path

import pytest

import aspen_etl as ae
from tests.store.conftest import Backend
from tests.support.borrowers import LENIENT, RUN, write_borrowers


@pytest.mark.parametrize("backend", ["memory", "disk", "seaweed"], indirect=True)
def test_a_store_that_was_used_before_sees_the_new_commit(backend: Backend, tmp_path: Path) -> None:
    url = backend.url()
    warm, other = backend.open(url), backend.open(url)
    assert warm.newest() is None
    for version, names in enumerate((["Ann Ames"], ["Bob Burns"], ["Cy Cole"]), start=1):
        source = write_borrowers(tmp_path / "source", names)
        first, second = (warm, other) if version == 2 else (other, warm)
        assert ae.sync(source, first, run=RUN, thresholds=LENIENT).version == version
        found = second.newest()
        assert found is not None
        assert found.version == version
        assert second.read().equals(first.read())
        assert ae.sync(source, second, run=RUN, thresholds=LENIENT).outcome == "unchanged"
