"""What the tests of AWS share: an environment for each constraints file of Glue."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.environments import make_environment

#: Python and platform of each runtime.
RUNTIMES = {
    "glue-python-shell-3.9.txt": ("3.9", "x86_64-manylinux2014"),
    "glue-5.0.txt": ("3.11", "x86_64-manylinux_2_34"),
    "glue-5.0-spark.txt": ("3.11", "x86_64-manylinux_2_34"),
}


@pytest.fixture(scope="session")
def environment_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Give a function that makes the environment of a constraints file, once a run."""

    @functools.cache
    def make(constraints: str) -> Path:
        version, platform = RUNTIMES[constraints]
        folder = tmp_path_factory.mktemp("runtime")
        return make_environment(folder, version=version, constraints=constraints, platform=platform)

    return make
