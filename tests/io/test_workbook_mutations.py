"""A workbook that was changed in any way gives its cells, or an error of ours: in time and memory.

A seed is the whole of a finding: ``read_mutant(seed)``. Where the change leaves every part whole
that holds cells or says what they mean, the cells are those of before. Else they are compared
with what openpyxl reads of the same file, where it reads it.
"""

from __future__ import annotations

import io
import random
import re
import warnings
import zipfile
from typing import Any

import pytest

from tests.support.confined import run_confined
from tests.support.workbooks import BORROWER, DATE, row, sheet, workbook

Parts = list[tuple[str, bytes]]

_HUGE = (b"3000000000", b"18446744073709551615", b"-1", b"1048577", b"0", b"99999", b"1e999")
_TOKENS = (
    b"<", b">", b'"', b"&", b"\0", b"\xff", b"<c>", b"</c>", b"<v>", b"</v>", b"<!DOCTYPE a>",
    b"<!--", b"<![CDATA[", b"]]>", b"</row>", b"XFD1048576", b"NaN", b"&#0;", b't="s"', b't="b"',
    b's="9"',
)  # fmt: skip
#: What is changed and neither holds a cell nor says what one means.
_NEUTRAL = ("[Content_Types].xml", "docProps/app.xml", "xl/theme.xml")


def _sample() -> Parts:
    wide = "<c><v>10000000000000001</v></c>"
    cells = [
        wide,
        "Ann",
        "12 Main St",
        True,
        f'<c s="{DATE}"><v>44000</v></c>',
        '<c t="s"><v>0</v></c>',
    ]
    faulty = ['<c t="e"><v>#N/A</v></c>', "<c><f>A1</f></c>", "<c><v>0.57999999999999996</v></c>"]
    rows = row(1, BORROWER) + row(2, [*cells, *faulty]) + row(5, ["2", "Bob", 6705.5])
    book = workbook(
        {"borrower": sheet(rows)},
        strings="<si><t>02139</t></si><si><r><t>a</t></r></si>",
        parts={"docProps/app.xml": "<Properties/>", "xl/theme.xml": "<theme/>"},
    )
    with zipfile.ZipFile(io.BytesIO(book)) as archive:
        return [(name, archive.read(name)) for name in archive.namelist()]


def _packed(parts: Parts) -> bytes:
    out = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        warnings.simplefilter("ignore")  # of members that are doubled
        for name, data in parts:
            archive.writestr(name, data)
    return out.getvalue()


def _bytes_changed(data: bytes, dice: random.Random) -> bytes:
    out = bytearray(data)
    for _ in range(dice.choice((1, 1, 2, 8))):
        at = dice.randrange(len(out) + 1)
        new = dice.choice((b"", bytes([dice.randrange(256)]), dice.choice(_TOKENS)))
        out[at : at + dice.choice((0, 1, 1, dice.randrange(40)))] = new
    return bytes(out)


def _number_changed(data: bytes, dice: random.Random) -> bytes:
    found = list(re.finditer(rb'(?<=")[0-9]+(?=")|(?<=>)[0-9.]+(?=<)|(?<=[A-Z])[0-9]+(?=")', data))
    if not found:
        return data
    one = dice.choice(found)
    return data[: one.start()] + dice.choice(_HUGE) + data[one.end() :]


def _structure_changed(parts: Parts, dice: random.Random) -> Parts:
    at, how = dice.randrange(len(parts)), dice.randrange(4)
    name, data = parts[at]
    if how == 0:
        return parts[:at] + parts[at + 1 :]
    if how == 1:
        return [*parts, (name, dice.choice(parts)[1])]
    if how == 2:
        renamed = dice.choice((name.upper(), f"/{name}", name.replace("/", "\\"), f"{name}x"))
        return [*parts[:at], (renamed, data), *parts[at + 1 :], *dice.choice(([], [(name, data)]))]
    other = dice.randrange(len(parts))
    swapped = list(parts)
    swapped[at], swapped[other] = (name, parts[other][1]), (parts[other][0], data)
    return swapped


def mutant(seed: int) -> tuple[bytes, bool]:
    """Give a changed workbook, and whether no change can have touched a cell's meaning."""
    dice = random.Random(seed)  # noqa: S311 - no secret
    parts = _sample()
    kind = dice.randrange(6)
    if kind == 0:
        return _bytes_changed(_packed(parts), dice), True  # checksums hold each part
    if kind == 1:
        return _packed(_structure_changed(parts, dice)), False
    if kind == 2:
        at = dice.choice([i for i, (name, _) in enumerate(parts) if name in _NEUTRAL])
        change = _bytes_changed
    else:
        at = dice.randrange(len(parts))
        change = dice.choice((_bytes_changed, _number_changed))
    parts[at] = (parts[at][0], change(parts[at][1], dice))
    return _packed(parts), kind == 2


def _read(data: bytes) -> Any:
    import fsspec

    from aspen_etl.errors import AspenETLError
    from aspen_etl.io import read_extract

    fsspec.filesystem("memory").pipe_file("/mutant.xlsx", data)
    try:
        extract = read_extract("memory://mutant.xlsx")
    except AspenETLError as error:
        is_clean = error.__context__ is None and "unexpected" not in str(error)
        return None if is_clean else ({}, {(0, ""): (str(error), "")})
    cells = extract["borrower"]
    texts = {
        (number, name): value
        for name in cells.columns
        for number, value in zip(cells.index.tolist(), cells[name].tolist())
        if isinstance(value, str)
    }
    faults = {(f.row, f.column): (f.value, f.rule) for f in extract.faults.itertuples()}
    return texts, faults


def _openpyxl_texts(data: bytes) -> Any:
    """Give the text cells of the sheet as openpyxl reads them; None where it does not."""
    import openpyxl

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            book = openpyxl.load_workbook(io.BytesIO(data), data_only=True, read_only=True)
            rows = book["borrower"].iter_rows(max_row=200, max_col=16)
            return {
                (cell.row, cell.column): cell.value
                for cells in rows
                for cell in cells
                if isinstance(cell.value, str) and cell.data_type == "s"
            }
    except Exception:  # noqa: BLE001 - it raises whatever happens to fail
        return None


def read_mutant(seed: int) -> str:
    """Say how a mutant was answered, or what is wrong with the answer."""
    data, is_whole = mutant(seed)
    found = _read(data)
    if found is None:
        return "error"
    if is_whole:
        return "same" if found == _read(_packed(_sample())) else "other cells"
    known = _openpyxl_texts(data)
    texts = found[0]
    if known is None or not texts:
        return "read"
    ours = {" ".join(text.split()) for text in texts.values()}
    theirs = {" ".join(text.split()) for (number, _), text in known.items() if number > 1}
    # NOTE: openpyxl gives text as text; what it has in a record must be among ours.
    return (
        "read"
        if {t for t in theirs if t} <= ours | {v for v, _ in found[1].values()}
        else "lost text"
    )


def _check(seeds: range) -> None:
    outcomes = run_confined(read_mutant, seeds)
    wrong = {
        seed: outcome.ended or outcome.shown or outcome.value
        for seed, outcome in zip(seeds, outcomes)
        if outcome.value not in {"error", "same", "read"}
    }
    assert wrong == {}
    assert {"error", "same", "read"} <= {outcome.value for outcome in outcomes}


def test_changed_workbooks_are_answered() -> None:
    pytest.importorskip("resource")
    _check(range(300))


@pytest.mark.exhaustive
def test_thousands_of_changed_workbooks_are_answered() -> None:
    pytest.importorskip("resource")
    _check(range(300, 6_000))
