"""The examples in docstrings are true."""

from __future__ import annotations

import doctest
import importlib
import importlib.util
from pathlib import Path
from typing import Any

import pytest

from aspen_etl.errors import MissingDependencyError

SPEC = importlib.util.find_spec("aspen_etl")
assert SPEC is not None
assert SPEC.origin is not None
ROOT = Path(SPEC.origin).parent

OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE

# What cannot be imported without an extra, a room or a module; any other module must import.
NEEDS = {
    "testing": "hypothesis",
    "sql": "sqlalchemy",
    "columns.arrow": "pyarrow",
    "columns.arrow_arrays": "pyarrow",
    "columns.arrow_sorting": "pyarrow",
}


def module_names() -> list[str]:
    """List the modules of the package that the tests run against, installed or not."""
    names = []
    for path in sorted(ROOT.rglob("*.py")):
        parts = ["aspen_etl", *path.relative_to(ROOT).with_suffix("").parts]
        names.append(".".join(parts[:-1] if parts[-1] == "__init__" else parts))
    return names


class Runner(doctest.DocTestRunner):
    """Skip what shows an optional feature where its package is not installed."""

    def report_unexpected_exception(self, out: Any, test: Any, example: Any, exc_info: Any) -> None:
        if isinstance(exc_info[1], MissingDependencyError):
            pytest.skip(str(exc_info[1]))
        super().report_unexpected_exception(out, test, example, exc_info)


@pytest.mark.parametrize("name", module_names())
def test_docstring_examples_are_true(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, _, place = name.partition(".")
    for where in {place, place.partition(".")[0]} & set(NEEDS):
        pytest.importorskip(NEEDS[where])
    module = importlib.import_module(name)
    monkeypatch.chdir(tmp_path)
    for test in doctest.DocTestFinder(exclude_empty=True).find(module):
        # A reader's session has not imported `annotations` from __future__; with it, pandera
        # would look the names of an example up in the module, where they are not.
        test.globs.pop("annotations", None)
        printed: list[str] = []
        failed = Runner(optionflags=OPTIONS, verbose=False).run(test, out=printed.append).failed
        if failed:
            pytest.fail("".join(printed), pytrace=False)
