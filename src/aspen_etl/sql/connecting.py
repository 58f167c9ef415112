"""An engine of a url that somebody wrote: what cannot be made sense of is told, and never shown."""

from __future__ import annotations

import re
from typing import Union

import sqlalchemy as sa
from sqlalchemy import exc

from aspen_etl.errors import DatabaseError

__all__ = ["display", "holds_secret", "make_engine", "parse_url"]

_NO_URL = "it is no url of SQLAlchemy's, such as postgresql+psycopg://user:password@host/database"
_PORTS = range(1, 65536)

#: What options of a driver are called that hold a secret, or may.
_SECRET = re.compile("pass|pwd|secret|token|odbc_connect", re.IGNORECASE)


def make_engine(url: Union[str, sa.URL], /) -> sa.Engine:
    """Make the engine of a database's url, of which no error shows a part: it holds secrets.

    Raises:
        DatabaseError: It is no url, its port is none, or its driver is not there or does not take
            its options.

    Examples:
        >>> make_engine("sqlite://").dialect.name
        'sqlite'
    """
    try:
        return sa.create_engine(parse_url(url) if isinstance(url, str) else url)
    except DatabaseError:
        raise
    except exc.ArgumentError:
        reason = _NO_URL
    except ImportError as error:
        reason = f"its driver {error.name} is not installed"
    except Exception as error:  # noqa: BLE001 - each driver has errors of its own
        reason = f"its driver does not take its options ({type(error).__name__})"
    raise DatabaseError.bad_url(reason)


def parse_url(url: str, /) -> sa.URL:
    """Take a database's url apart.

    Raises:
        DatabaseError: It is none; nothing of it is shown.
    """
    reason = ""
    try:
        parsed = sa.make_url(url)
    except exc.ArgumentError:
        reason = _NO_URL
    except ValueError:  # SQLAlchemy makes a number of the port, and of nothing else
        reason = "its port is no number; write host:5432, and a : or / in a password as %3A or %2F"
    else:
        if parsed.port is not None and parsed.port not in _PORTS:
            reason = f"its port is no number from {_PORTS[0]} to {_PORTS[-1]}"
        elif "@" in (parsed.host or ""):
            reason = "its host holds an @; write an @ in a user or password as %40"
        else:
            return parsed
    raise DatabaseError.bad_url(reason)


def holds_secret(url: sa.URL, /) -> bool:
    """Tell whether a url holds a password, or an option that may."""
    return url.password is not None or any(_SECRET.search(name) for name in url.query)


def display(engine: sa.Engine) -> str:
    """Give an engine's url without user, password and options."""
    url = engine.url
    host = (url.host or "").rpartition("@")[2]  # a password with an @ reaches into it
    place = f"{host}{f':{url.port}' if url.port else ''}"
    return f"{url.get_backend_name()}://{place}/{url.database or ''}"
