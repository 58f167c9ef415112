"""The record: one JSON file of digests, and a file of texts for each topic."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from tests.still.bad_commits import DAMAGED
from tests.still.bad_models import MODELLING
from tests.still.bad_settings import SETTING
from tests.still.bad_sources import SOURCES
from tests.still.bad_stores import KEEPING
from tests.still.bad_tables import TABLES
from tests.still.bad_targets import TARGETS
from tests.still.cases import Case
from tests.still.documents import DDL, DOCUMENTS
from tests.still.faces import HELP, SIGNATURES
from tests.still.histories import HISTORIES, show_history
from tests.still.rendering import digest
from tests.still.sessions import SESSIONS
from tests.still.stores import STORES, show_store

__all__ = [
    "CASES",
    "DIGESTED",
    "FAULTS",
    "Shown",
    "digests",
    "read_digests",
    "read_texts",
    "show",
    "write_digests",
    "write_texts",
]

FOLDER = Path(__file__).with_name("recorded")
DIGESTS = Path(__file__).with_name("recorded.json")

#: What is shown of a name: texts by part.
Shown = Mapping[str, str]

#: What is recorded as digests, since it is long: takes an empty folder.
DIGESTED: dict[str, Callable[[Path], Shown]] = {
    **{name: partial(lambda name, _: show_history(name), name) for name in HISTORIES},
    **{name: partial(show_store, name) for name in STORES},
}

#: What is recorded as text.
CASES: dict[str, Case] = {
    **DDL,
    **DOCUMENTS,
    **SIGNATURES,
    **HELP,
    **SESSIONS,
    **SOURCES,
    **MODELLING,
    **TABLES,
    **KEEPING,
    **DAMAGED,
    **TARGETS,
    **SETTING,
}

#: What is other than recorded, and must become again what it was: why, by case.
FAULTS: dict[str, str] = {}

_HEAD = "=== "


def digests(shown: Shown) -> dict[str, str]:
    """Give the digest of each part."""
    return {part: digest(text) for part, text in shown.items()}


def read_digests() -> dict[str, dict[str, str]]:
    """Read all digests by name and part."""
    text = DIGESTS.read_text("utf-8") if DIGESTS.exists() else "{}"
    held: dict[str, dict[str, str]] = json.loads(text)
    return held


def write_digests(values: Mapping[str, Mapping[str, str]]) -> None:
    """Write all digests."""
    DIGESTS.write_text(json.dumps(values, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def read_texts(topic: str) -> dict[str, str]:
    """Read the texts of a topic by name."""
    out: dict[str, str] = {}
    path = FOLDER / f"{topic}.txt"
    text = path.read_bytes().decode("utf-8") if path.exists() else ""
    for section in f"\n{text}".split(f"\n{_HEAD}")[1:]:
        name, _, body = section.partition("\n")
        out[name] = body.rstrip("\n")
    return out


def write_texts(topic: str, texts: Mapping[str, str]) -> None:
    """Write the texts of a topic, in the order of the cases."""
    FOLDER.mkdir(exist_ok=True)
    parts = [f"{_HEAD}{name}\n{texts[name]}\n\n" for name in CASES if name in texts]
    (FOLDER / f"{topic}.txt").write_bytes("".join(parts).encode("utf-8"))


def show(case: Case, folder: Path) -> str:
    """Show a case as it is recorded: without white space at the end, and what UTF-8 cannot hold."""
    lines = case.show(folder).encode("utf-8", "backslashreplace").decode("utf-8").split("\n")
    text = "\n".join(line.rstrip(" ") for line in lines).replace("\r", "\\r").rstrip("\n")
    if f"\n{_HEAD}" in f"\n{text}":
        raise ValueError(f"{case.name}: a line begins like the head of a case")
    return text
