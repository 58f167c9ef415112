"""What reading a database needs is named where it is missing."""

from __future__ import annotations

import sys

import pytest

import aspen_etl as ae
from aspen_etl.errors import MissingDependencyError


def test_the_extra_that_brings_sqlalchemy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sqlalchemy", None)
    told = r"reading a database needs the package sqlalchemy, .* pip install 'aspen-etl\[sql\]'"
    with pytest.raises(MissingDependencyError, match=told) as found:
        ae.read_database("sqlite://")
    assert found.value.details["extra"] == "sql"
