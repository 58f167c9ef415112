"""One fixture for both forms of text: what Python holds is tested where Arrow is there, too."""

from __future__ import annotations

import pytest

from aspen_etl.columns import rows
from tests.columns.forms import FORMS, Form


@pytest.fixture(params=FORMS, ids=lambda form: form.storage)
def form(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Form:
    """Hold text in one form, and let the functions on rows ask the class of that form."""
    found: Form = request.param
    monkeypatch.setattr(rows, "COLUMNS", found.columns)
    return found
