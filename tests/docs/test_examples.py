"""Every example of the documentation is run, in page order, in an empty folder.

- `python`: in one namespace a page, warnings being errors; `>>>` examples are compared.
- `console`: lines after `$ ` are run as by bash (`> ` continues one); where output is shown, it
  is compared with what was printed (`...` stands for anything, a line `...` for any lines).
  `console exit=1` expects another exit status of the block's last command.
- `bash`: run as one script.
- Formats of data are parsed where that costs nothing.
- `<!-- ci: NAME -->` before a block: `.ci/run` runs it, since it installs something.
- `<!-- step: NAME -->` before a block: `test_first_hour.py` takes it.
- `<!-- needs: pyarrow -->` before a block: the rest of the page is skipped without it.
"""

from __future__ import annotations

import csv
import doctest
import importlib.util
import io
import json
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from types import ModuleType

import pytest

from tests.docs.commands import run_command, run_shell
from tests.docs.markdown import Block, read_blocks

pytestmark = pytest.mark.smoke

CHECKOUT = Path(__file__).resolve().parents[2]
PAGES = {
    page.relative_to(CHECKOUT).as_posix(): page
    for page in [CHECKOUT / "README.md", *sorted((CHECKOUT / "docs").rglob("*.md"))]
}


# -------------------------------------------------------------------------------------- Python


def run_python(block: Block, *, page: str, module: ModuleType) -> None:
    """Run a block in the page's namespace; doctest compares it where it is a session."""
    name = f"{page}:{block.line}"
    if block.text.lstrip().startswith(">>> "):
        test = doctest.DocTestParser().get_doctest(
            block.text, module.__dict__, name, page, block.line - 1
        )
        printed = io.StringIO()
        runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS, verbose=False)
        failed = runner.run(test, out=printed.write, clear_globs=False).failed
        module.__dict__.update(test.globs)
        if failed:
            pytest.fail(f"{name}\n{printed.getvalue()}", pytrace=False)
    else:
        # Line feeds in front make a traceback name the line of the page.
        code = compile("\n" * (block.line - 1) + block.text, page, "exec", dont_inherit=True)
        exec(code, module.__dict__)  # noqa: S102 - this is what an example is for


@pytest.fixture
def namespace() -> Iterator[ModuleType]:
    """Give a page its own module: pandera looks names up in the module of a class."""
    module = ModuleType("example")
    sys.modules[module.__name__] = module
    yield module
    del sys.modules[module.__name__]


# ----------------------------------------------------------------------------------- the shell


def split_session(text: str) -> list[tuple[str, str]]:
    """Split a console block into commands and the output that the page shows for each."""
    steps: list[tuple[list[str], list[str]]] = []
    for line in text.splitlines():
        if line.startswith("$ "):
            steps.append(([line[2:]], []))
        elif not steps:
            pytest.fail("a console block begins with a command: `$ ...`", pytrace=False)
        elif line.startswith("> ") and not steps[-1][1]:
            steps[-1][0].append(line[2:])
        else:
            steps[-1][1].append(line)
    return [("\n".join(command), "\n".join(output).strip()) for command, output in steps]


def matches(printed: str, shown: str) -> bool:
    """Tell whether what was printed is what the page shows, white space at line ends aside."""
    pieces = []
    for line in shown.splitlines():
        if line.strip() == "...":
            pieces.append(r"(?:.*\n)*?")
        else:
            pieces.append(r".*?".join(map(re.escape, line.rstrip().split("..."))) + r"\n")
    text = "".join(f"{line.rstrip()}\n" for line in printed.strip("\n").splitlines())
    return re.fullmatch("".join(pieces), text) is not None


def run_console(block: Block, *, page: str, folder: Path) -> None:
    """Run the commands of a block one by one and compare what they print."""
    steps = split_session(block.text)
    for number, (command, shown) in enumerate(steps, start=1):
        status, printed = run_command(command, folder=folder)
        expected = int(block.option("exit", "0")) if number == len(steps) else 0
        if status != expected or (shown and not matches(printed, shown)):
            pytest.fail(
                f"{page}:{block.line}\n$ {command}\n{printed}\n"
                f"exit {status}, expected {expected}; the page shows:\n{shown}",
                pytrace=False,
            )


def run_bash(block: Block, *, page: str, folder: Path) -> None:
    """Run a block as one script that must succeed."""
    status, printed = run_shell(f"set -euo pipefail\n{block.text}", folder=folder)
    if status:
        pytest.fail(f"{page}:{block.line} exit {status}\n{printed}", pytrace=False)


# ----------------------------------------------------------------------------- formats of data

DIAGRAMS = {"classDiagram", "erDiagram", "flowchart", "graph", "sequenceDiagram", "stateDiagram-v2"}


def parse_toml(text: str) -> None:
    """Parse where the standard library can, that is from Python 3.11 on."""
    if sys.version_info >= (3, 11):
        import tomllib

        tomllib.loads(text)


def parse_csv(text: str) -> None:
    """Check that all rows are as long as the header."""
    rows = list(csv.reader(io.StringIO(text)))
    assert {len(row) for row in rows} == {len(rows[0])}


def parse_mermaid(text: str) -> None:
    """Check that the diagram is of a known kind."""
    assert text.split(maxsplit=1)[0] in DIAGRAMS


def parse_nothing(text: str) -> None:
    """Check that there is something to read."""
    assert text.strip()


FORMATS: dict[str, Callable[[str], object]] = {
    "csv": parse_csv,
    "diff": parse_nothing,
    "json": json.loads,
    "mermaid": parse_mermaid,
    "sql": parse_nothing,
    "text": parse_nothing,
    "toml": parse_toml,
    "yaml": parse_nothing,
}


# ----------------------------------------------------------------------------------- the tests


@pytest.mark.parametrize("page", PAGES)
def test_the_examples_of_a_page_run(
    page: str, namespace: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for block in read_blocks(PAGES[page]):
        missing = [name for name in block.needs if importlib.util.find_spec(name) is None]
        if missing:
            pytest.skip(f"{page}:{block.line} and what follows needs {', '.join(missing)}")
        if block.ci:
            continue
        if block.format == "python":
            run_python(block, page=page, module=namespace)
        elif block.format == "console":
            run_console(block, page=page, folder=tmp_path)
        elif block.format == "bash":
            run_bash(block, page=page, folder=tmp_path)
        elif block.format in FORMATS:
            FORMATS[block.format](block.text)
        else:
            pytest.fail(f"{page}:{block.line}: name the format, one of {sorted(FORMATS)}")
    # What a reader copies leaves one folder, of the page's name, so that no two pages meet.
    left = {path.name for path in tmp_path.iterdir()}
    assert left <= {PurePosixPath(page).stem.lower(), "aspen-etl-demo"}


def test_no_two_pages_have_one_name() -> None:
    names = [PurePosixPath(page).stem.lower() for page in PAGES]
    assert sorted(set(names)) == sorted(names)


def test_ci_runs_the_blocks_that_these_tests_pass_over() -> None:
    script = (CHECKOUT / ".ci" / "run").read_text(encoding="utf-8")
    named = {
        (page, block.ci) for page, path in PAGES.items() for block in read_blocks(path) if block.ci
    }
    run = set(re.findall(r'^ *readme_command "(\S+)" "(\S+)"', script, flags=re.MULTILINE))
    assert {("README.md", "demo"), ("README.md", "test")} <= named
    assert named == run


@pytest.mark.parametrize(
    ("printed", "shown", "expected"),
    [
        ("a\nb\n", "a\nb", True),
        ("a\nb\nc\n", "a\n...\nc", True),
        ("a\nc\n", "a\n...\nc", True),
        ("took 3 s\n", "took ... s", True),
        ("took 3 s\nmore\n", "took ... s", False),
        ("a\nb\n", "a", False),
        ("1.5\n", "1x5", False),
    ],
)
def test_shown_output_is_compared_as_a_reader_takes_it(
    printed: str,
    shown: str,
    expected: bool,  # noqa: FBT001
) -> None:
    assert matches(printed, shown) is expected
