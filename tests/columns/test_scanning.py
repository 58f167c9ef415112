"""What the rules look for in cells."""

from __future__ import annotations

import numpy as np
import pytest

from aspen_etl.columns import scanning
from tests.columns.forms import Form


@pytest.fixture(autouse=True)
def _form(form: Form, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scanning, "COLUMNS", form.columns)


def test_control_characters_are_those_that_are_no_white_space(form: Form) -> None:
    values = form.make(["a", "a\x00", "\x85", "a\tb", None, "\x1f"])
    found = scanning.control_characters(values, np.array([1, 2, 3, 5]))
    assert found.tolist() == [False, True, True, False, False, True]


def test_no_integers_are_what_64_bits_and_text_do_not_give_back(form: Form) -> None:
    values = form.make(["0", "-1", "01", "-0", "+1", "1.0", "", None, "x", str(2**63 - 1)])
    expected = [False, False, True, True, True, True, True, False, True, False]
    assert scanning.no_integers(values).tolist() == expected
    assert scanning.no_integers(form.make([str(2**63), str(-(2**63))])).tolist() == [True, False]
