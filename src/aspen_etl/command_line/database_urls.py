"""Urls of databases: whole ones from where no other user looks, and those of sources, less secrets.

A url on the command line, which other users of the machine can read, holds no password: that comes
from the environment or from a secret of AWS.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Optional

from aspen_etl.databases import is_database
from aspen_etl.derive.sql import require_sqlalchemy
from aspen_etl.errors import NotSupportedError
from aspen_etl.io.filesystem import display_url

__all__ = [
    "DATABASE_PASSWORD",
    "DATABASE_URL",
    "TARGET_PASSWORD",
    "engine_of",
    "is_database",
    "read_url",
    "source_engine",
]

#: The environment variables that hold a database's url, and the password of one; of the target's,
#: where two databases are compared that have two.
DATABASE_URL = "ASPEN_ETL_DATABASE_URL"
DATABASE_PASSWORD = "ASPEN_ETL_DATABASE_PASSWORD"  # noqa: S105 - the name of a variable
TARGET_PASSWORD = "ASPEN_ETL_TARGET_PASSWORD"  # noqa: S105 - likewise

#: How many characters of a file are read for a url: more than any has.
_URL_LENGTH = 100_000


def read_url(path: Optional[str], /) -> str:
    """Read a whole url, which may hold a password: no message shows it.

    Args:
        path: The file that holds it; by default the environment does.

    Raises:
        NotSupportedError: There is none.
    """
    if path is None:
        found = os.environ.get(DATABASE_URL, "")
    else:
        try:
            with Path(path).open(encoding="utf-8") as file:
                found = file.read(_URL_LENGTH)
        except (OSError, ValueError) as error:
            reason = type(error).__name__
        else:
            reason = ""
        if reason:
            msg = f"{path} could not be read ({reason}); let it hold the database's url"
            raise NotSupportedError(msg, path=path)
    if not found.strip():
        msg = (
            f"no database is named; set {DATABASE_URL}, or give --database-url-file, as in "
            "postgresql+psycopg://user:password@host/database"
        )
        raise NotSupportedError(msg)
    return found.strip()


def engine_of(url: str, purpose: str, /) -> Any:
    """Make the engine of a whole url.

    Raises:
        MissingDependencyError: SQLAlchemy is not installed.
        DatabaseError: The url cannot be used.
    """
    require_sqlalchemy(purpose)
    from aspen_etl.sql.connecting import make_engine

    return make_engine(url)


def source_engine(
    word: str, secret: Optional[str], purpose: str, /, *, variable: str = DATABASE_PASSWORD
) -> Any:
    """Make the engine of a source; its password is not in its url.

    Args:
        word: The url.
        secret: The id of a secret at AWS with the password, and the user where the url has none.
        purpose: What it is needed for.
        variable: The environment variable that may hold the password.

    Raises:
        NotSupportedError: A password stands in the url, or there are two.
        MissingDependencyError: SQLAlchemy is not installed.
        DatabaseError: The url cannot be used.
        SettingsError: The secret cannot be read, or holds no password.
    """
    require_sqlalchemy(purpose)
    from aspen_etl.sql.connecting import holds_secret, make_engine, parse_url

    url = parse_url(word)
    if holds_secret(url):
        msg = (
            f"the url of {display_url(word)} holds a password, or an option that may, where other "
            f"users of the machine can read it; leave it out, and set {variable}, or name "
            "a secret of AWS with --database-secret"
        )
        raise NotSupportedError(msg)
    password = os.environ.get(variable)
    if secret is not None:
        if password is not None:
            msg = f"there are two passwords; leave {variable} or the secret out"
            raise NotSupportedError(msg)
        from aspen_etl.aws.secrets import read_login

        login = read_login(secret)
        url = url.set(username=url.username or login.user)
        password = login.password
    return make_engine(url.set(password=password) if password else url)
