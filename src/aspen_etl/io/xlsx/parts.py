"""Find the parts of a workbook: which one holds which sheet, the shared strings, the formats."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Optional

from aspen_etl.errors import CorruptFileError, FileFormatError, HeaderError
from aspen_etl.io.xlsx.package import Package, part_name
from aspen_etl.schema.headers import header_text, identifier

__all__ = ["Parts", "find_parts"]

_MAIN = "xl/workbook.xml"
_TYPES = "[content_types].xml"
_KINDS = frozenset({"officedocument", "worksheet", "sharedstrings", "styles"})
_BOOLEANS = {"1": True, "true": True, "0": False, "false": False}


@dataclass(frozen=True)
class Parts:
    """What a workbook says of its parts.

    Attributes:
        url: The file, as messages show it.
        sheets: The part of each worksheet, by the sheet's name.
        strings: The part with the shared strings.
        styles: The part with the formats: they tell a date from a number.
        is_1904: Whether its calendar begins in 1904.
    """

    url: str
    sheets: Mapping[str, str]
    strings: Optional[str]
    styles: Optional[str]
    is_1904: bool

    def of_sheet(self, name: str, *, implied: bool = False) -> str:
        """Find a sheet by its name, as Excel does: without regard to case.

        Args:
            name: The name.
            implied: Nobody wrote it down; it may be a sheet's as an identifier.

        Raises:
            HeaderError: It is not there.
            CorruptFileError: It is there twice.
        """
        if name in self.sheets:
            return self.sheets[name]
        found = [part for sheet, part in self.sheets.items() if _fold(sheet) == _fold(name)]
        if implied and not found:
            found = [self.sheets[sheet] for key, sheet in self.names() if key == name]
        if not found:
            raise HeaderError.missing_sheet(self.url, name, list(self.sheets))
        if len(found) > 1:
            raise CorruptFileError.at(self.url, f"it has {len(found)} sheets of the name {name!r}")
        return found[0]

    def names(self) -> Iterator[tuple[str, str]]:
        """Give the name that each sheet has as an identifier, and its own."""
        for place, sheet in enumerate(self.sheets, 1):
            yield identifier(sheet) or f"sheet_{place}", sheet


def _fold(name: str) -> str:
    return header_text(name).casefold()


def find_parts(package: Package) -> Parts:
    """Read which part holds what.

    Raises:
        FileFormatError: There is no workbook in the package.
        CorruptFileError: A part that is named is not there, not well-formed, or named twice.
    """
    main = _MAIN
    if "_rels/.rels" in package.parts:
        roots = _relations(package, "").values()
        main = next((to for kind, to in roots if kind == "officedocument"), main)
    if main not in package.parts:
        raise FileFormatError.not_a_workbook(
            package.url,
            "it is a zip file without a workbook in it",
            f"unpack it, or name the file in it, as in zip://visits.csv::{package.url}",
        )
    if _TYPES in package.parts:
        package.tags(_TYPES, ())
    relations = _relations(package, main)
    sheets: dict[str, str] = {}
    is_1904 = False
    for tag, attributes in package.tags(main, {"workbookPr", "sheet"}):
        if tag == "workbookPr":
            is_1904 = _is_1904(attributes.get("date1904", "0"), package.url)
            continue
        kind, target = relations.get(attributes.get("id", ""), ("", ""))
        name = attributes.get("name", "")
        if kind == "worksheet":
            if name in sheets:
                raise CorruptFileError.at(package.url, f"it has two sheets of the name {name!r}")
            sheets[name] = target
    strings, styles = (_only(package, relations, kind) for kind in ("sharedstrings", "styles"))
    # NOTE: without its formats a date is a number; a text without the shared strings is an error.
    if styles is not None and styles not in package.parts:
        raise CorruptFileError.at(package.url, f"it has no part {styles!r}")
    strings = strings if strings in package.parts else None
    return Parts(package.url, sheets, strings, styles, is_1904)


def _relations(package: Package, part: str) -> dict[str, tuple[str, str]]:
    """Give kind and target of each relation of a part that matters here, by its id."""
    folder, name = posixpath.split(part)
    found: dict[str, tuple[str, str]] = {}
    for _, attributes in package.tags(
        posixpath.join(folder, "_rels", f"{name}.rels"), {"Relationship"}
    ):
        kind = attributes.get("Type", "").rpartition("/")[2].lower()
        if kind not in _KINDS or attributes.get("TargetMode") == "External":
            continue
        key = attributes.get("Id", "")
        if key in found:
            what = f"two relations of its part {part!r} have one id"
            raise CorruptFileError.at(package.url, what)
        target = posixpath.join("/", folder, attributes.get("Target", ""))
        found[key] = (kind, part_name(posixpath.normpath(target)))
    return found


def _only(package: Package, relations: Mapping[str, tuple[str, str]], kind: str) -> Optional[str]:
    """Give the one part of a kind, if one is named."""
    targets = sorted({target for each, target in relations.values() if each == kind})
    if len(targets) > 1:
        what = f"it names {len(targets)} parts of the kind {kind!r}"
        raise CorruptFileError.at(package.url, what)
    return targets[0] if targets else None


def _is_1904(text: str, url: str) -> bool:
    if text not in _BOOLEANS:
        raise CorruptFileError.at(url, "it does not say in which year its calendar begins")
    return _BOOLEANS[text]
