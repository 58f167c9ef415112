"""Put a plain workbook together from parts that were checked.

calamine aborts the process on some files, does not verify checksums and unpacks whatever it
finds. So it never sees the file: it gets a small package, made here, with the parts that are
needed and nothing else.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence

__all__ = ["SPREADSHEET", "assemble"]

SPREADSHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"


def assemble(sheets: Sequence[bytes], strings: bytes | None) -> io.BytesIO:
    """Make a workbook of sheets, in the order given, that has no formats."""
    parts = {f"worksheets/sheet{i}.xml": ("worksheet", data) for i, data in enumerate(sheets)}
    if strings is not None:
        parts["sharedStrings.xml"] = ("sharedStrings", strings)
    listed = "".join(
        f'<sheet name="{i}" sheetId="{i + 1}" r:id="r{i}"/>' for i in range(len(sheets))
    )
    workbook = (
        f'<workbook xmlns="{SPREADSHEET}" xmlns:r="{_OFFICE}"><sheets>{listed}</sheets></workbook>'
    )
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(
            "[Content_Types].xml",
            f'<Types xmlns="{_PACKAGE}/content-types">'
            '<Default Extension="xml" ContentType="application/xml"/></Types>',
        )
        archive.writestr("_rels/.rels", _relationships([("officeDocument", "xl/workbook.xml")]))
        archive.writestr("xl/workbook.xml", workbook)
        archive.writestr(
            "xl/_rels/workbook.xml.rels",
            _relationships([(kind, name) for name, (kind, _) in parts.items()]),
        )
        for name, (_, data) in parts.items():
            archive.writestr(f"xl/{name}", data)
    out.seek(0)
    return out


def _relationships(relations: Sequence[tuple[str, str]]) -> str:
    listed = "".join(
        f'<Relationship Id="r{i}" Type="{_OFFICE}/{kind}" Target="{target}"/>'
        for i, (kind, target) in enumerate(relations)
    )
    return f'<Relationships xmlns="{_PACKAGE}/relationships">{listed}</Relationships>'
