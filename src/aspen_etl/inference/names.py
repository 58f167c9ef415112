"""Names: which columns are called like keys, and what classes, tables and columns may be called."""

from __future__ import annotations

import keyword
import re
from collections.abc import Collection

__all__ = [
    "base_of",
    "class_name",
    "column_name",
    "is_generic",
    "is_identifier",
    "is_key_name",
    "is_nameless",
    "points_at",
    "singular",
    "table_name",
]

_KEY = re.compile(r"(?:^|_)(?:id|no|nr|num|number|code|key|sku|uuid|guid|ref|iata|icao|isin)\Z")
_KEY_WORD = re.compile(_KEY.pattern.replace("(?:^|_)", "_", 1))
_IDENTIFIER = re.compile(r"zip|postal|postcode|phone|fax|ssn|account|iban")
_GENERIC = re.compile(
    r"(?:sheet|tabelle|feuil|hoja|foglio|blad|planilha|data|table|export)_?[0-9]*"
)

#: What is called alike in many sheets, and means the row that it stands in.
_NAMELESS = frozenset(
    {
        *("code", "guid", "id", "key", "no", "nr", "num", "number", "ref", "uuid"),
        *("date", "day", "month", "time", "year", "pos", "position", "row", "seq"),
        *("name", "title", "type"),
    }
)

#: What a column without a header is called.
_PLACE = re.compile("column_[0-9]+")

#: Plurals that no ending tells.
_ODD = {
    "children": "child",
    "cookies": "cookie",
    "movies": "movie",
    "people": "person",
    "series": "series",
    "species": "species",
    "news": "news",
}
#: The letters that a word has at the least.
_SHORTEST = 3
#: How plurals end, and what then stands there.
_PLURALS = (
    ("sses", "ss"),
    ("shes", "sh"),
    ("ches", "ch"),
    ("xes", "x"),
    ("uses", "us"),
    ("ies", "y"),
    ("ss", "ss"),
    ("us", "us"),
    ("is", "is"),
    ("s", ""),
)

#: The longest name of a column or table: a line has room for it, and so has each database.
_LONGEST = 50

#: What a class of a model must not be called, for it is imported there.
_CLASSES = {"Decimal", "Entity", "FanOut", "Model", "Series", "Source", "Table"}
#: What a column must not be called: it would hide a name that the lines after it need.
_HIDING = {"bool", "column", "dt", "int", "ref", "str"}


def is_key_name(column: str, /) -> bool:
    """Tell whether a column is called like a key, as in ``order_no``, ``sku`` or ``id``."""
    return _KEY.search(column) is not None


def is_identifier(column: str, /) -> bool:
    """Tell whether a column is called like what nobody reckons with: a key, a ZIP code, a phone."""
    return is_key_name(column) or _IDENTIFIER.search(column) is not None


def is_generic(sheet: str, /) -> bool:
    """Tell whether the name of a sheet says nothing, as ``sheet1`` does."""
    return _GENERIC.fullmatch(sheet) is not None


def is_nameless(column: str, /) -> bool:
    """Tell whether a column is called like those of many sheets: ``id``, or by its place."""
    return column in _NAMELESS or _PLACE.fullmatch(column) is not None


def singular(name: str, /) -> str:
    """Give the name of one thing, where a sheet has that of many.

    Examples:
        >>> [singular(each) for each in ("visits", "order_lines", "cities", "addresses", "status")]
        ['visit', 'order_line', 'city', 'address', 'status']
    """
    before, line, last = name.rpartition("_")
    if last in _ODD:
        return f"{before}{line}{_ODD[last]}"
    for plural, one in _PLURALS:
        if last.endswith(plural) and len(last) - len(plural) + len(one) >= _SHORTEST:
            return name[: len(name) - len(plural)] + one
    return name


def base_of(column: str, /) -> str:
    """Give what a column is the key of: ``clinic`` for ``clinic_code``; itself for ``code``."""
    return _KEY_WORD.sub("", column)


def points_at(column: str, sheet: str, key: str, /) -> bool:
    """Tell whether a column is called as if it held the keys of a sheet.

    Args:
        column: A column of another sheet.
        sheet: The sheet.
        key: Its key.
    """
    one = singular(sheet)
    if not is_nameless(key):  # the key itself says of what it is
        return column in {key, one} or column.endswith(f"_{key}") or _is_key_of(column, one)
    return column == one or _is_key_of(column, one)


def _is_key_of(column: str, one: str) -> bool:
    return is_key_name(column) and (base_of(column) == one or base_of(column).endswith(f"_{one}"))


# ----------------------------------------------------------------------------- names of a model


def class_name(name: str, taken: Collection[str] = (), /) -> str:
    """Give the name of a class for a table of this name, which no other has; not a long one."""
    name = _shorter(name)
    plain = "".join(part[:1].upper() + part[1:] for part in name.split("_"))
    if plain in _CLASSES or keyword.iskeyword(plain):
        plain += "Row"
    found, number = plain, 2
    while found in taken:
        found, number = f"{plain}{number}", number + 1
    return found


def table_name(name: str, /) -> str:
    """Give the name of the table that a class of this name declares."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def column_name(name: str, taken: Collection[str] = (), /) -> str:
    """Give the name that a column can have in the body of a class, and that no other has there.

    Examples:
        >>> column_name("class"), column_name("created"), column_name("fee"), column_name("a", "a")
        ('class_', 'created_', 'fee', 'a_')
    """
    from aspen_etl.schema.declared import Table

    name = _shorter(name)
    while name in taken or keyword.iskeyword(name) or name in _HIDING or hasattr(Table, name):
        name += "_"
    return name


def _shorter(name: str) -> str:
    """Cut a name, such as that of a question in a survey, at a word that a line has room for."""
    if len(name) <= _LONGEST:
        return name
    return name[: _LONGEST + 1].rpartition("_")[0] or name[:_LONGEST]
