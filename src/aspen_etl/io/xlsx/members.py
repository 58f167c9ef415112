"""Which names the members of a zip file may have: such that every program finds the same ones."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Optional
from zipfile import ZipInfo

from aspen_etl.errors import FileFormatError

__all__ = ["refuse_odd_members"]


def refuse_odd_members(members: Iterable[ZipInfo], url: str) -> None:
    """Refuse a zip file of which two programs could read different members.

    Args:
        members: All its members, as ``ZipFile.infolist`` gives them.
        url: The file, as messages show it.

    Raises:
        FileFormatError: A name is there twice, or twice but for the case of its letters;
            or it begins with a slash, or holds a backslash, a NUL or ``..``.
    """
    seen: dict[str, str] = {}
    for member in members:
        # NOTE: `filename` is what zipfile made of the name: cut at a NUL, and on some systems
        # with slashes in the place of backslashes.
        name = member.orig_filename
        what = _oddness(name) or _clash(name, seen.get(name.casefold()))
        if what is not None:
            raise FileFormatError.unsupported(
                url,
                f"is a zip file {what}",
                "such a file means one thing to one program and another to the next: pack it anew, "
                "or open it in a spreadsheet program and save it as .xlsx",
            )
        seen[name.casefold()] = name


def _oddness(name: str) -> Optional[str]:
    if name.startswith("/"):
        return "in which a member's name begins with a slash"
    if "\\" in name:
        return "in which a member's name holds a backslash"
    if "\0" in name:
        return "in which a member's name holds a NUL"
    if ".." in name.split("/"):
        return "in which a member's name leads out of it with '..'"
    return None


def _clash(name: str, other: Optional[str]) -> Optional[str]:
    if other is None:
        return None
    if other == name:
        return f"that holds {name[:64]!r} twice"
    return f"that holds {name[:64]!r} and {other[:64]!r}, which differ in the case of letters alone"
