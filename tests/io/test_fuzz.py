"""Whatever bytes a file is made of, reading gives a result or an error of ours.

Files are changed byte by byte and read in a process whose memory is limited, so that an abort,
a hang or a gigabyte shows. A seed is the whole of a finding: `read_changed(kind, seed)`.
"""

from __future__ import annotations

import gzip
import io
import random
import zipfile
from typing import Any

import pytest

from tests.support.confined import run_confined
from tests.support.workbooks import BORROWER, DATE, row, sheet, workbook

_CSV = ",".join(BORROWER) + '\n1,"Ann ""A"" Lee",1 Main St,Boston,MA,02138,,,\n2,Bob,,,,,,,b@x\n'
_TOKENS = (
    b"", b"<", b">", b'"', b"'", b"&", b"/", b"=", b"\0", b"\xff", b"\n", b"\r", b",", b"r=",
    b"<c>", b"</c>", b"<v>", b"<f>", b"<!--", b"<![CDATA[", b"]]>", b"<row>", b"XFD1048576",
    b"A9999999", b"1e999", b"-1", b"99999999999999999999", b"&#0;", b"&#x110000;", b't="s"',
    b't="e"', b's="9"', b'r="A1"',
)  # fmt: skip


def _samples() -> dict[str, bytes]:
    cells = ["1", "Ann", 2138, True, f'<c s="{DATE}"><v>44000</v></c>', '<c t="s"><v>0</v></c>']
    faulty = ['<c t="e"><v>#N/A</v></c>', "<c><f>A1</f></c>", "z"]
    rows = row(1, BORROWER) + row(2, [*cells, *faulty]) + row(5, ["2", "Bob"])
    strings = "<si><t>02139</t></si><si><r><t>a</t></r></si>"
    samples = {
        "workbook": workbook({"borrower": sheet(rows)}, strings=strings),
        "stored": workbook({"borrower": sheet(rows)}, strings=strings, compression=0),
        "csv": _CSV.encode(),
        "gzip": gzip.compress(_CSV.encode(), mtime=0),
    }
    try:
        import pandas as pd

        frame = pd.DataFrame({column: ["x", None] for column in BORROWER})
        samples["parquet"] = frame.to_parquet(index=False, engine="pyarrow")
    except ImportError:
        pass
    return samples


_NAMES = {"csv": "csv", "gzip": "csv.gz", "parquet": "parquet"}


def _changed(data: bytes, dice: random.Random) -> bytes:
    out = bytearray(data)
    for _ in range(dice.choice((1, 1, 1, 2, 4, 16))):
        at, token = dice.randrange(len(out) + 1), dice.choice(_TOKENS)
        length = dice.choice((0, 1, 1, len(token), dice.randrange(64)))
        out[at : at + length] = dice.choice((token, token * 3, bytes([dice.randrange(256)])))
    return bytes(out)


def _changed_inside(book: bytes, dice: random.Random) -> bytes:
    """Change a part of a workbook and pack it anew, so that its checksum is right."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(book)) as old, zipfile.ZipFile(out, "w") as new:
        parts = {name: old.read(name) for name in old.namelist()}
        chosen = dice.choice([*parts, *["xl/worksheets/sheet0.xml"] * 9, "xl/strings.xml"])
        for name, data in parts.items():
            new.writestr(name, _changed(data, dice) if name == chosen else data)
    return out.getvalue()


def read_changed(kind: str, seed: int) -> Any:
    """Read a sample that was changed as the seed says."""
    import fsspec

    from aspen_etl.io import read_extract

    dice = random.Random(f"{kind} {seed}")  # noqa: S311 - no secret
    data = _samples()[kind]
    inside = kind == "workbook" and dice.random() < 0.9
    data = _changed_inside(data, dice) if inside else _changed(data, dice)
    files = fsspec.filesystem("memory")
    files.pipe_file("/fuzz/roles.csv", b"borrower_id,role_profile\n")
    name = f"/fuzz/file.{_NAMES.get(kind, 'xlsx')}"
    files.pipe_file(name, data)
    source = {"borrower": f"memory:/{name}", "role_profile": "memory://fuzz/roles.csv"}
    return read_extract(source)


def answer(job: tuple[str, int]) -> None:
    """Read a changed sample; an error of ours, alone in its traceback, is an answer, too."""
    from aspen_etl.errors import AspenETLError

    try:
        read_changed(*job)
    except AspenETLError as error:
        if error.__context__ is not None:
            raise


def check(seeds: range) -> None:
    """Make sure that samples changed by these seeds are answered; name those that are not."""
    jobs = [(kind, seed) for kind in _samples() for seed in seeds]
    wrong = {
        job: outcome.ended or outcome.shown
        for job, outcome in zip(jobs, run_confined(answer, jobs))
        if outcome.ended or outcome.error
    }
    assert wrong == {}


def test_a_few_changed_files_are_answered() -> None:
    check(range(60))


@pytest.mark.slow
def test_a_thousand_changed_files_are_answered() -> None:
    check(range(60, 1_000))


@pytest.mark.exhaustive
def test_thousands_of_changed_files_are_answered() -> None:
    check(range(1_000, 3_000))
