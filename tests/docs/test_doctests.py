"""The examples in docstrings are true."""

from __future__ import annotations

import doctest
import importlib
import importlib.util
from pathlib import Path

import pytest

from aspen_etl.errors import MissingDependencyError

SPEC = importlib.util.find_spec("aspen_etl")
assert SPEC is not None
assert SPEC.origin is not None
ROOT = Path(SPEC.origin).parent

# A module that cannot be imported without an extra; any other module must import.
NEEDS = {"aspen_etl.testing": "hypothesis"}


def module_names() -> list[str]:
    """List the modules of the package that the tests run against, installed or not."""
    names = []
    for path in sorted(ROOT.rglob("*.py")):
        parts = ["aspen_etl", *path.relative_to(ROOT).with_suffix("").parts]
        names.append(".".join(parts[:-1] if parts[-1] == "__init__" else parts))
    return names


@pytest.mark.parametrize("name", module_names())
def test_docstring_examples_are_true(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if name in NEEDS:
        pytest.importorskip(NEEDS[name])
    module = importlib.import_module(name)
    monkeypatch.chdir(tmp_path)
    for test in doctest.DocTestFinder(exclude_empty=True).find(module):
        printed: list[str] = []
        runner = doctest.DocTestRunner(
            optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE, verbose=False
        )
        try:
            failed = runner.run(test, out=printed.append).failed
        except MissingDependencyError as error:
            pytest.skip(str(error))
        assert failed == 0, "".join(printed)
