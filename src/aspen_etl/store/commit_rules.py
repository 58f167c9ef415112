"""What holds in every commit, whatever wrote it: a file that breaks it is damaged."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from aspen_etl.derive.formats import FORMATS
from aspen_etl.errors.base import listing
from aspen_etl.schema.side_frames import ACCEPTED, CONFLICTS, PRESENT
from aspen_etl.store.commit import ATTEMPT, LANDED, PARTED, SEALED, SIDED, Commit
from aspen_etl.store.stored import SideRecord, Stored

__all__ = ["find_contradiction"]

#: A data file below its folder: the version and the token of the attempt that wrote it, its name.
_FILE = re.compile(ATTEMPT + r"/[A-Za-z0-9_][^/\\:\x00-\x1f\x7f]*\Z")
_NAME = re.compile(r"[^/\\:.\x00-\x1f\x7f][^/\\:\x00-\x1f\x7f]{0,127}\Z")
_COLUMN = re.compile(r"[^\x00-\x1f\x7f]{1,128}\Z")

_KEYS, _REJECTS, _LANDING = "_aspen/keys", "_aspen/rejects", "_aspen/landing"
_SIDES = "_aspen/sides"

#: The kinds of commits that write what their model has; what follows one has the tables that it
#: found, also under a model that has become larger.
_WHOLE = frozenset({"sync", "pull"})


def find_contradiction(commit: Commit, version: int, /) -> str:
    """Tell in which way a commit cannot be the one of its place; nothing where it can.

    Args:
        commit: What its file says.
        version: The version that the place of the file is for.
    """
    for rule in _RULES:
        for reason in rule(commit, version):
            return reason
    return ""


def _numbers(commit: Commit, version: int) -> Iterator[str]:
    if commit.version != version:
        yield f"it says that it is version {commit.version}"
    if commit.parent != version - 1:
        yield f"it says that version {commit.parent} came before it"
    if not 1 <= commit.oldest_readable <= version:
        yield f"it says that version {commit.oldest_readable} is the oldest that can be read"
    if commit.hold is not None and not 1 <= commit.hold <= version:
        yield f"it says that version {commit.hold} put the store on hold"


def _seal(commit: Commit, version: int) -> Iterator[str]:
    if commit.format < 1:
        yield "it is of no format that there is"
    if commit.format >= SEALED and commit.store is None:
        yield "it does not name its store"
    if (commit.parent_sha256 is not None) != (commit.format >= SEALED and version > 1):
        yield "it does not name the checksum of the version before it, or not of one"


def _model(commit: Commit, _: int) -> Iterator[str]:
    for name, facts in commit.model.items():
        columns, key = facts.get("columns"), facts.get("natural_key")
        if not _NAME.match(name) or not isinstance(columns, Mapping) or not isinstance(key, list):
            yield "its model does not describe tables"
        elif not all(map(_COLUMN.match, columns)):
            yield "its model does not describe columns"
        elif not columns.keys() >= set(key) or len(_primary_keys(columns)) != 1:
            yield f"its model does not describe the keys of {listing([name])}"


def _primary_keys(columns: Mapping[str, Any]) -> list[str]:
    return [name for name, facts in columns.items() if facts.get("primary_key")]


def _tables(commit: Commit, _: int) -> Iterator[str]:
    wanted = commit.model if commit.kind in _WHOLE else ()
    yield from _names("its tables", commit.tables, wanted, commit.model)
    if not commit.tables:
        yield "it names no table"
    for name, stored in commit.tables.items():
        columns = list(commit.model[name]["columns"])
        if not set(columns) >= set(stored.columns):
            yield f"its table {listing([name])} has columns that its model does not have"
        if commit.kind in _WHOLE and columns != list(stored.columns):
            yield f"its table {listing([name])} lacks columns of its model"
        if not stored.files:
            yield f"its table {listing([name])} names no file"


def _keys(commit: Commit, _: int) -> Iterator[str]:
    numbered = {
        name
        for name, facts in commit.model.items()
        if facts["natural_key"] != _primary_keys(facts["columns"])  # type: ignore[arg-type]
    }
    yield from _names("its keys", commit.keys, numbered & commit.tables.keys(), numbered)
    for name, entry in commit.keys.items():
        if name in numbered and set(entry.retired.columns) != _key_columns(commit.model[name]):
            yield f"its keys of {listing([name])} have other columns than a key has"
    if any(entry.next < 1 for entry in commit.keys.values()):
        yield "its keys begin below 1"
    if commit.rejects is None:
        yield "it names no rejects"


def _key_columns(facts: Mapping[str, Any]) -> set[str]:
    return {*_primary_keys(facts["columns"]), *facts["natural_key"]}


def _names(
    what: str, found: Iterable[str], needed: Iterable[str], allowed: Iterable[str]
) -> Iterator[str]:
    lost, odd = set(needed) - set(found), set(found) - set(allowed)
    if lost:
        yield f"{what} lack {listing(sorted(lost))}"
    if odd:
        yield f"{what} have {listing(sorted(odd))}, which its model does not have"


# ----------------------------------------------------------------------------- files


def _files(commit: Commit, version: int) -> Iterator[str]:
    for name, stored in commit.tables.items():
        yield from _paths(stored, name, f"its table {listing([name])}", version)
    for name, entry in commit.keys.items():
        yield from _paths(entry.retired, _KEYS, f"its keys of {listing([name])}", version)
    at_home = (*commit.tables.values(), *(entry.retired for entry in commit.keys.values()))
    if any(stored.format not in FORMATS for stored in (*at_home, *_others(commit))):
        yield "something else than a state is said to be in the format of a state"
    if any(stored.elsewhere for stored in at_home):
        yield "other files than its rejects are said to be elsewhere"
    if commit.rejects is not None:
        yield from _paths(commit.rejects, _REJECTS, "its rejects", version)


def _others(commit: Commit) -> Iterator[Stored]:
    """Give all frames but those of tables, keys and a landing folder."""
    if commit.rejects is not None:
        yield commit.rejects
    for side in (commit.sides or {}).values():
        yield from side.stored


def _paths(stored: Stored, folder: str, what: str, version: int) -> Iterator[str]:
    for file in stored.files:
        if not _is_below(file.path, folder, version) or not file.path.endswith(f".{stored.format}"):
            yield f"{what}: a path that leads out of the folder of such files"


def _is_below(path: str, folder: str, version: int) -> bool:
    found = _FILE.match(path.removeprefix(f"{folder}/")) if path.startswith(f"{folder}/") else None
    return found is not None and 1 <= int(found[1]) <= version


def _parts(commit: Commit, _: int) -> Iterator[str]:
    if commit.parts < 1 or (commit.format < PARTED and commit.parts != 1):
        yield f"it says that its rows are in {commit.parts} parts"
    if commit.parts == 1:  # several files say nothing then: some were written in parts once
        return
    of_tables = {f"its table {listing([name])}": held for name, held in commit.tables.items()}
    of_keys = {f"its keys of {listing([name])}": e.retired for name, e in commit.keys.items()}
    for what, stored in {**of_tables, **of_keys}.items():
        parts = [file.part for file in stored.files]
        if parts != sorted(set(parts)) or parts[-1:] > [commit.parts - 1]:
            yield f"{what} has files of other parts than there are, or two of one"


def _landing(commit: Commit, version: int) -> Iterator[str]:
    landing = commit.landing
    if landing is None:
        return
    if commit.format < LANDED or landing.epoch < 1:
        yield "it says something of a landing folder that cannot be"
    for stored in landing.stored:
        yield from _paths(stored, _LANDING, "its state of a landing folder", version)
        if stored.format not in FORMATS and commit.format < SIDED:
            yield "its state of a landing folder has a format that came later"
    for name, source in landing.sources.items():
        if not source.key or any(
            not set(source.key) <= set(each.columns) for each in source.frames
        ):
            yield f"its state of {listing([name])} lacks columns of its key"


def _sides(commit: Commit, version: int) -> Iterator[str]:
    if commit.sides is not None and commit.format < SIDED:
        yield "it says something of two sides that cannot be"
    for name, side in (commit.sides or {}).items():
        what = f"its {listing([name])} side"
        if side.version > version or (side.token is not None and not side.version):
            yield f"{what} is said to have a version that cannot be"
        for stored in side.stored:
            yield from _paths(stored, _SIDES, what, version)
        yield from _side_columns(side, what)


def _side_columns(side: SideRecord, what: str) -> Iterator[str]:
    if any(stored.columns[-1:] != (PRESENT,) for _, stored in side.shadows()):
        yield f"{what} has a shadow without the mark of its rows"
    if side.conflicts is not None and set(side.conflicts.columns) != set(CONFLICTS):
        yield f"{what} has conflicts of other columns than they have"
    counts = [count.get("count") for count in side.conflict_counts]
    known = [count for count in counts if isinstance(count, int) and count > 0]
    held = 0 if side.conflicts is None else side.conflicts.rows
    if len(known) != len(counts) or sum(known) > held:
        yield f"{what} counts other conflicts than it has"


def _cutover(commit: Commit, version: int) -> Iterator[str]:
    record = commit.cutover
    if record is None:
        if commit.kind == "cutover":
            yield "it says that a cut-over was checked, and not how"
        return
    if commit.format < SIDED or not 1 <= record.version < version:
        yield "it says something of a cut-over that cannot be"
    if commit.kind == "cutover" and record.version != commit.parent:
        yield "it says that a cut-over was checked of another version"
    if not all(map(_COLUMN.match, record.accepted_counts)):
        yield "its accepted rejects are of rules that cannot be"
    for stored in record.stored:
        yield from _paths(stored, _REJECTS, "its accepted rejects", version)
        if record.accepted_sha256 is None or set(stored.columns) != set(ACCEPTED):
            yield "its accepted rejects have no checksum, or other columns than they have"


def _rewrites(commit: Commit, version: int) -> Iterator[str]:
    folders = (*commit.model, _KEYS, _REJECTS, _LANDING, _SIDES)
    for path, file in commit.rewrites.items():
        folder = path.rpartition("/")[0].rpartition("/")[0]
        if folder not in folders or not (
            _is_below(path, folder, version) and _is_below(file.path, folder, version)
        ):
            yield "its rewrites: a path that leads out of the folder of such files"


_RULES = (
    *(_numbers, _seal, _model, _tables, _keys, _files),
    *(_parts, _landing, _sides, _cutover, _rewrites),
)
