"""Each type in each of its kernels: by Arrow or not, cell by cell or the whole column at once."""

from __future__ import annotations

import pytest

from tests.schema.types.kernels import KERNELS, Kernel


@pytest.fixture(params=KERNELS, ids=lambda kernel: kernel.name)
def kernel(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Kernel:
    """Let the types work in one way."""
    found: Kernel = request.param
    found.use(monkeypatch)
    return found
