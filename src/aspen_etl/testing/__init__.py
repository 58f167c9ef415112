"""Hypothesis strategies for extracts and tables of any model, and the laws that hold for them.

Needs the extra ``testing``. A test of your own model is three lines::

    @hypothesis.given(extracts(MODEL, faults="all"))
    def test_the_laws_hold(extract):
        assert_laws(extract, model=MODEL)
"""

from __future__ import annotations

import importlib.util

from aspen_etl.errors import MissingDependencyError

if importlib.util.find_spec("hypothesis") is None:
    raise MissingDependencyError.for_extra("hypothesis", "testing", "aspen_etl.testing")

from aspen_etl.testing._extracts import extracts
from aspen_etl.testing._faults import FAULT_KINDS
from aspen_etl.testing._histories import histories
from aspen_etl.testing._history_laws import assert_history_laws
from aspen_etl.testing._laws import assert_laws
from aspen_etl.testing._tables import tables

__all__ = [
    "FAULT_KINDS",
    "assert_history_laws",
    "assert_laws",
    "extracts",
    "histories",
    "tables",
]
