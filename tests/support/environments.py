"""Clean environments of another Python, with the built wheel and what a constraints file pins."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Optional

import pytest

from tests.support.services import require_service

CHECKOUT = Path(__file__).resolve().parents[2]
CONSTRAINTS = CHECKOUT / "docs" / "deploy" / "constraints"

#: What names the packages of the environment that the tests run in.
_HIDDEN = {"MYPYPATH", "PYTHONPATH", "VIRTUAL_ENV", "PYTHONWARNINGS", "COVERAGE_PROCESS_START"}


def clean_environ(**more: str) -> dict[str, str]:
    """Give the variables of this process without those that lead a Python elsewhere, or to AWS."""
    kept = {n: v for n, v in os.environ.items() if n not in _HIDDEN and not n.startswith("AWS_")}
    return {**kept, "UV_PYTHON_DOWNLOADS": "never", **more}


def read_pins(name: str) -> dict[str, str]:
    """Read a constraints file: the version of each package."""
    lines = (CONSTRAINTS / name).read_text("utf-8").splitlines()
    pinned = [re.split("==", line) for line in lines if line and not line.startswith("#")]
    return {package: version for package, version in pinned}  # noqa: C416 - it checks the pairs


def run(*command: object, cwd: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run a command that sees nothing of the environment of these tests."""
    return subprocess.run(
        [str(part) for part in command],
        check=False,
        capture_output=True,
        text=True,
        cwd=cwd,
        env=clean_environ(**environ),
    )


def find_uv() -> str:
    """Give the path of uv."""
    uv = shutil.which("uv")
    require_service("uv", uv, "it makes clean environments; run: pip install uv")
    return str(uv)


def find_python(version: str) -> Path:
    """Give an interpreter of a version: pyenv's, or that on PATH."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    found: Optional[Path] = None
    for folder in sorted(pyenv.glob(f"{version}.*")):
        found = folder / "bin" / "python"
    if found is None and (path := shutil.which(f"python{version}")):
        found = Path(path)
    require_service(f"Python {version}", found, "put it under pyenv or on PATH")
    assert found is not None
    return found


def build_wheel(folder: Path) -> Path:
    """Build the wheel of this checkout."""
    if not (CHECKOUT / "pyproject.toml").is_file():
        pytest.skip("the sources are not here, so no wheel can be built of them")
    built = run(find_uv(), "build", "--quiet", "--wheel", "--out-dir", folder, cwd=CHECKOUT)
    require_service("a package registry", built.returncode == 0, built.stderr[-500:])
    (wheel,) = folder.glob("*.whl")
    return wheel


def make_environment(folder: Path, *, version: str, constraints: str, platform: str) -> Path:
    """Make an environment of what a constraints file names, and nothing else, and the wheel.

    Args:
        folder: An empty folder.
        version: The version of Python.
        constraints: The file's name.
        platform: The platform whose wheels are taken, whatever this machine could run beside.

    Returns:
        The environment's interpreter.
    """
    uv, python = find_uv(), folder / "env" / "bin" / "python"
    wheel = build_wheel(folder / "wheel")
    made = run(uv, "venv", "--quiet", "--python", find_python(version), folder / "env", cwd=folder)
    assert made.returncode == 0, made.stderr
    install = [uv, "pip", "install", "--quiet", "--python", python]
    install += ["--no-deps", "--only-binary", ":all:", "--python-platform", platform]
    installed = run(*install, "-r", CONSTRAINTS / constraints, wheel, cwd=folder)
    require_service("a package registry", installed.returncode == 0, installed.stderr[-1000:])
    checked = run(uv, "pip", "check", "--python", python, cwd=folder)
    assert checked.returncode == 0, checked.stderr
    return python


def install_spark(python: Path, folder: Path) -> None:
    """Install the Spark of Glue 5.0 into an environment."""
    spark = ["pyspark==3.5.4", "py4j==0.10.9.7"]
    built = run(find_uv(), "pip", "install", "--python", python, *spark, cwd=folder)
    require_service("a package registry", built.returncode == 0, built.stderr[-1000:])
