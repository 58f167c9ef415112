"""Workbooks made by hand, part by part, so that a test can say exactly what a file holds."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any
from xml.sax.saxutils import escape

SPREADSHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"

BORROWER = (
    "id", "full_name", "street", "city", "state", "zip_code", "phone_home", "phone_cell", "email",
)  # fmt: skip
ROLE_PROFILE = ("borrower_id", "role_profile")

#: Style numbers of the workbooks below.
DATE, DATE_TIME, TIME, DURATION = 1, 2, 3, 4

STYLES = (
    f'<styleSheet xmlns="{SPREADSHEET}">'
    '<numFmts count="1"><numFmt numFmtId="170" formatCode="[h]:mm:ss"/></numFmts>'
    '<cellXfs count="5"><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="22"/>'
    '<xf numFmtId="21"/><xf numFmtId="170"/></cellXfs></styleSheet>'
)


def letters(position: int) -> str:
    """Name the column at a position from 0."""
    text, number = "", position + 1
    while number:
        number, rest = divmod(number - 1, 26)
        text = chr(ord("A") + rest) + text
    return text


def cell(row: int, position: int, value: Any) -> str:
    """Give a cell; a value that is XML (it begins with ``<c``) stands as it is."""
    if value is None:
        return ""
    name = f"{letters(position)}{row}"
    if isinstance(value, str) and value.startswith("<c"):
        return value.replace("<c", f'<c r="{name}"', 1)
    if isinstance(value, bool):
        return f'<c r="{name}" t="b"><v>{int(value)}</v></c>'
    if isinstance(value, (int, float)):
        return f'<c r="{name}"><v>{value}</v></c>'
    return f'<c r="{name}" t="inlineStr"><is><t xml:space="preserve">{escape(value)}</t></is></c>'


def row(number: int, values: Sequence[Any], attributes: str = "") -> str:
    """Give a row of cells."""
    cells = "".join(cell(number, position, value) for position, value in enumerate(values))
    return f'<row r="{number}"{attributes}>{cells}</row>'


def sheet(rows: str, after: str = "") -> str:
    """Give the XML of a sheet around its rows."""
    return f'<worksheet xmlns="{SPREADSHEET}"><sheetData>{rows}</sheetData>{after}</worksheet>'


def table(*records: Sequence[Any], header: Sequence[Any] = BORROWER) -> str:
    """Give the XML of a sheet with a header and records below it."""
    return sheet("".join(row(i, values) for i, values in enumerate([header, *records], 1)))


def workbook(
    sheets: Mapping[str, str] | None = None,
    *,
    strings: str | None = None,
    parts: Mapping[str, str | bytes | None] | None = None,
    compression: int = zipfile.ZIP_DEFLATED,
) -> bytes:
    """Make a workbook of sheets by name; ``parts`` adds members, replaces or (None) drops them."""
    named = {"borrower": table(), "role_profile": table(header=ROLE_PROFILE), **(sheets or {})}
    members: dict[str, str | bytes | None] = {
        "[Content_Types].xml": f'<Types xmlns="{PACKAGE}/content-types">'
        '<Default Extension="xml" ContentType="application/xml"/></Types>',
        "_rels/.rels": _relations(["officeDocument"], ["xl/workbook.xml"]),
        "xl/workbook.xml": _workbook(list(named)),
        "xl/_rels/workbook.xml.rels": _relations(
            [*["worksheet"] * len(named), "styles", "sharedStrings"],
            [*(f"worksheets/sheet{i}.xml" for i in range(len(named))), "styles.xml", "strings.xml"],
        ),
        "xl/styles.xml": STYLES,
        "xl/strings.xml": f'<sst xmlns="{SPREADSHEET}">{strings or ""}</sst>',
        **{f"xl/worksheets/sheet{i}.xml": xml for i, xml in enumerate(named.values())},
        **(parts or {}),
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as archive:
        for name, data in members.items():
            if data is not None:
                archive.writestr(name, data)
    return out.getvalue()


def _relations(kinds: Sequence[str], targets: Sequence[str]) -> str:
    listed = "".join(
        f'<Relationship Id="rId{i}" Type="{OFFICE}/{kind}" Target="{target}"/>'
        for i, (kind, target) in enumerate(zip(kinds, targets))
    )
    return f'<Relationships xmlns="{PACKAGE}/relationships">{listed}</Relationships>'


def _workbook(names: Sequence[str]) -> str:
    listed = "".join(
        f'<sheet name="{escape(name)}" sheetId="{i + 1}" r:id="rId{i}"/>'
        for i, name in enumerate(names)
    )
    return (
        f'<workbook xmlns="{SPREADSHEET}" xmlns:r="{OFFICE}"><sheets>{listed}</sheets></workbook>'
    )
