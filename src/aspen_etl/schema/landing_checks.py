"""What must hold of a landing and its tables, so that a mistyped one is refused by name.

These are called while such a value is made, so they know its class by its fields alone.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from aspen_etl.errors import ArgumentError
from aspen_etl.errors.base import did_you_mean, listing
from aspen_etl.schema.landing_forms import LANDED_FORMS

if TYPE_CHECKING:
    from aspen_etl.schema.model import Model

__all__ = ["PARTITIONS", "check_for_model", "check_landing", "check_table", "fault", "utc"]

#: The values of ``DatePartitionSequence``.
PARTITIONS = ("YYYYMMDD", "YYYYMMDDHH", "YYYYMM", "MMYYYYDD", "DDMMYYYY")

_WORDS: Mapping[str, tuple[Any, ...]] = {
    "order": ("sequence", "transactions", "time"),
    "format": tuple(LANDED_FORMS),
    "compression": ("none", "gzip"),
    "partitions": (None, *PARTITIONS),
}
_FOLDS = ("case", "space", "both")

#: A folder below another one: no way up, no wildcard.
_FOLDER = re.compile(r"[^/\s*?\\]+(/[^/\s*?\\]+)*\Z")

#: The column that DMS itself names.
OPERATION = "Op"

#: How long a name in SQL Server is at most.
_LENGTH = 128


def fault(text: str, word: str = "", known: Iterable[str] = ()) -> ArgumentError:
    """Make the error about a landing; the text says what to do."""
    return ArgumentError(f"landing: {text}{did_you_mean(word, known)}", problem="landing")


def utc(moment: dt.datetime) -> dt.datetime:
    """Give a moment in UTC.

    Raises:
        ArgumentError: It is no moment with a zone.
    """
    if not isinstance(moment, dt.datetime) or moment.tzinfo is None:
        raise fault("columns_since goes by moments with a zone, as in 2026-11-20T12:00:00+00:00")
    return moment.astimezone(dt.timezone.utc)


# ----------------------------------------------------------------------------- a table


def check_table(table: Any) -> None:
    """Check what can be checked of a landed table alone.

    Raises:
        ArgumentError: A name cannot be, stands twice, or says another thing than the rest.
    """
    if not _is_table(table.name):
        raise fault(f"{table.name!r} names no table; give its schema and name: dbo.loan")
    where = f"table {table.name}"
    _check_names(f"{where}: key", table.key)
    if not table.key:
        raise fault(f"{where} has no key; name the columns of its primary key in the database")
    _check_names(f"{where}: ignore", table.ignore)
    if not isinstance(table.columns, Mapping):
        raise fault(f"{where}: columns is no mapping; give {{'landed column': 'column'}}")
    _check_names(f"{where}: columns", tuple(table.columns))
    _check_names(f"{where}: columns goes to", tuple(table.columns.values()))
    both = [name for name in table.ignore if name in table.columns or name in table.key]
    if both:
        raise fault(f"{where}: {listing(both)} is ignored, and is of the key or of columns, too")
    if table.fold is not None and table.fold not in _FOLDS:
        raise fault(
            f"{where}: fold is none of 'case', 'space', 'both'", str(table.fold), _FOLDS[1:]
        )
    _check_headers(where, table)


def _check_headers(where: str, table: Any) -> None:
    since = table.columns_since
    if not isinstance(since, Mapping):
        raise fault(f"{where}: columns_since is no mapping; give headers by moment")
    lists = {f"columns_since {utc(moment).isoformat()}": held for moment, held in since.items()}
    if table.headers is not None:
        lists = {"headers": table.headers, **lists}
    elif since:
        raise fault(f"{where}: columns_since needs headers, those of the first file")
    for name, held in lists.items():
        _check_names(f"{where}: {name}", held)
        missing = [column for column in table.key if column not in held]
        if missing:
            raise fault(f"{where}: {name} lacks {listing(missing)} of the key")
    known = {column for held in lists.values() for column in held}
    strange = [name for name in (*table.columns, *table.ignore) if lists and name not in known]
    if strange:
        told = f"{where}: {listing(strange)} stands in columns or ignore, and is no header"
        raise fault(told, strange[0], known)


def _check_names(where: str, names: Sequence[str]) -> None:
    if isinstance(names, str) or not isinstance(names, Sequence):
        raise fault(f"{where} is no list of names")
    wrong = sum(not _is_name(name) for name in names)
    if wrong:
        raise fault(f"{where}: {wrong} of {len(names)} are no names of 1 to {_LENGTH} characters")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise fault(f"{where}: {listing(twice)} stands there twice")


def _is_table(name: Any) -> bool:
    schema, _, table = str(name).partition(".")
    return _is_name(name) and _is_name(schema) and _is_name(table) and "%" not in name


def _is_name(name: Any) -> bool:
    is_text = isinstance(name, str) and name.isprintable() and name == name.strip()
    return is_text and 0 < len(name) <= _LENGTH and "/" not in name


# ----------------------------------------------------------------------------- a landing


def check_landing(landing: Any) -> None:
    """Check what can be checked of a landing without a model and without a file.

    Raises:
        ArgumentError: Something cannot be, or does not go with the rest.
    """
    if not isinstance(landing.url, str) or not landing.url.strip("/ "):
        raise fault("url is empty; give the folder of the files, as in s3://bucket/folder")
    for name, words in _WORDS.items():
        if getattr(landing, name) not in words:
            shown = [str(word) for word in words if word is not None]
            raise fault(f"{name} is none of {listing(shown)}", str(getattr(landing, name)), shown)
    _check_tables(landing)
    _check_marks(landing)
    _check_spans(landing)
    _check_loaded(landing)
    _check_layout(landing)


def _check_tables(landing: Any) -> None:
    tables = landing.tables
    if not isinstance(tables, Mapping) or not tables:
        raise fault("tables is empty; name the table that feeds each source of the model")
    for source, table in tables.items():
        if not hasattr(table, "columns_since") or not _is_name(source):
            raise fault(f"tables holds {type(table).__name__}; give a LandedTable for each source")
    names = [table.name for table in tables.values()]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise fault(f"{listing(twice)} feeds two sources; a table feeds one")
    for name, told in (("heartbeat", "dbo.beat"), ("side", "dbo.aspen_etl_side")):
        held = getattr(landing, name)
        if held is not None and (not _is_table(held) or held in names):
            raise fault(f"{name} is no table of its own; give its schema and name: {told}")
    own = (landing.sequence, landing.time, OPERATION)
    for table in tables.values():
        lists = (table.headers or (), *table.columns_since.values(), table.key, table.ignore)
        held = {name for names in (*lists, tuple(table.columns)) for name in names}
        wrong = sorted(held & {*own, *(f"{landing.before}{name}" for name in table.key)})
        if wrong:
            told = f"table {table.name} has {listing(wrong)}, which DMS adds to the files"
            raise fault(f"{told}; leave it out, or give the landing's own column another name")


def _check_marks(landing: Any) -> None:
    for name in ("sequence", "time", "before"):
        if not _is_name(getattr(landing, name)):
            raise fault(f"{name} is no name of 1 to {_LENGTH} characters")
    if len({landing.sequence, landing.time, OPERATION}) < 3:  # noqa: PLR2004 - all three differ
        raise fault(f"sequence, time and {OPERATION} are three columns; give each its own name")
    for name in ("null", "not_logged"):
        token = getattr(landing, name)
        if (
            not isinstance(token, str)
            or not token
            or not token.isprintable()
            or set(token) & {*'",'}
        ):
            raise fault(f"{name} must be printable text without a quote and a comma")
    if landing.null == landing.not_logged:
        raise fault("null and not_logged are the same token; a cell that is null is another thing")


def _check_spans(landing: Any) -> None:
    for name in ("lag", "late_window"):
        span = getattr(landing, name)
        if not isinstance(span, dt.timedelta) or span < dt.timedelta(0):
            raise fault(f"{name} is no span of time; give timedelta(minutes=...), not below 0")
    if landing.late_window < landing.lag:
        raise fault("late_window is shorter than lag; a file that waits would be too late")
    for name in ("epoch", "lob_max_kb"):
        value = getattr(landing, name)
        is_told = name == "epoch" or value is not None
        if is_told and (not isinstance(value, int) or isinstance(value, bool) or value < 1):
            raise fault(f"{name} is no whole number from 1 on")


def _check_loaded(landing: Any) -> None:
    loaded = landing.loaded
    if loaded is None or (isinstance(loaded, str) and loaded == "declared"):
        return
    if not isinstance(loaded, Mapping):
        raise fault("loaded is neither rows by source nor 'declared'")
    if set(loaded) != set(landing.tables):
        raise fault("loaded names other sources than tables; give the rows of each source")
    for source, rows in loaded.items():
        if not isinstance(rows, int) or isinstance(rows, bool) or rows < 0:
            raise fault(f"loaded: the rows of {source} are no whole number from 0 on")


def _check_layout(landing: Any) -> None:
    if not isinstance(landing.transactions, str) or not _FOLDER.match(landing.transactions):
        raise fault("transactions is no folder below the url; give a name such as transactions")
    form = LANDED_FORMS[landing.format]
    if landing.compression not in form.compressions:
        raise fault(f"files of {form.name} have no compression of their own; leave it out")
    if landing.order != "transactions":
        return
    if landing.partitions is not None:
        raise fault("transaction files have no dated folders; leave partitions out")
    if not form.has_transactions:
        raise fault(f"transaction files are never {form.name}; leave format out")
    bare = [table.name for table in landing.tables.values() if table.headers is None]
    if bare:
        raise fault(f"transaction files have no header; give headers of {listing(sorted(bare))}")


# ----------------------------------------------------------------------------- with a model


def check_for_model(landing: Any, model: Model) -> None:
    """Check that a landing feeds the sources of a model, each by columns that it has.

    Raises:
        ArgumentError: A source is missing or not known, or a column is.
    """
    missing = [source for source in model.sources if source not in landing.tables]
    strange = [source for source in landing.tables if source not in model.sources]
    if strange:
        told = f"the model has no source {listing(strange)}; it has {listing([*model.sources])}"
        raise fault(told, strange[0], model.sources)
    if missing:
        raise fault(f"no table feeds {listing(missing)}; name one for each source of the model")
    for source, table in landing.tables.items():
        known = model.sources[source].columns
        wrong = [column for column in table.columns.values() if column not in known]
        if wrong:
            told = f"table {table.name}: columns goes to {listing(wrong)}, which {source} has not"
            raise fault(told, wrong[0], known)
        hidden = [name for name in table.ignore if table.column_of(name) in known]
        if hidden:
            raise fault(f"table {table.name}: {listing(hidden)} is ignored, and the model has it")
