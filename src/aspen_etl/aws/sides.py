"""The two sides as a service finds them: urls without passwords, logins out of secrets."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Optional

from aspen_etl import Model
from aspen_etl.aws.clients import Client
from aspen_etl.aws.secrets import read_login
from aspen_etl.databases import is_database
from aspen_etl.derive.sql import require_sqlalchemy
from aspen_etl.errors import SettingsError
from aspen_etl.synchronization.settings import Settings
from aspen_etl.synchronization.side_settings import SIDE_OPTIONS, SideSettings

__all__ = ["GivenSides", "works_of"]

_IN_URL = (
    "holds a password, or an option that may; leave it out, and name the secret that holds it by {}"
)


def works_of(event: Any, sides: SideSettings, /) -> tuple[tuple[str, ...], Optional[str]]:
    """Tell what an event, or else the settings, ask for: works, and a side if it is named.

    Raises:
        SettingsError: Neither says what is to be done, or one says what nobody can do.
    """
    told: Mapping[str, Any] = event if isinstance(event, Mapping) else {}
    works, side = told.get("work"), told.get("side")
    if works is None:
        if not sides.work:
            raise SettingsError.of("work", "is missing; let the settings or the event say it")
        works = sides.work
    else:
        try:
            works = SIDE_OPTIONS["work"].kind.read(str(works))
        except ValueError as error:
            reason = str(error)
        else:
            reason = ""
        if reason:
            raise SettingsError.of("work", reason)
    if side not in (None, "old", "new"):
        raise SettingsError.of("side", "is none of old, new")
    return works, side


@dataclass(frozen=True)
class GivenSides:
    """Know the sides that the settings name, and open them.

    Attributes:
        settings: What a run is told.
        sides: What is told of the sides.
        model: The model.
        client: What makes the client of Secrets Manager.
    """

    settings: Settings
    sides: SideSettings
    model: Model
    client: Client

    @property
    def names(self) -> tuple[str, ...]:
        """The sides that there are."""
        return tuple(name for name in ("old", "new") if self.url(name) is not None)

    def url(self, name: str, /, *, pulled: bool = False) -> Optional[str]:
        """Give the url of a side, if it is told; a landing of the old one goes before to be pulled.

        What is written to a database, and what is held against the other side, is the database.
        """
        found: Optional[str] = getattr(self.sides, name)
        if name == "old" and self.sides.landing is not None and (pulled or found is None):
            return self.sides.landing
        return found

    def is_database(self, name: str, /) -> bool:
        """Tell whether a side is a database, which alone can be written to."""
        url = self.url(name)
        return url is not None and is_database(url)

    @contextlib.contextmanager
    def opened(self, name: str, /, *, pulled: bool = False) -> Iterator[Any]:
        """Give a side as push and reconcile take it, or as it is pulled.

        Raises:
            SettingsError: It is not told, holds a password, or its secret cannot be read.
            AspenETLError: It cannot be opened.
        """
        url = self.url(name, pulled=pulled)
        if url is None:
            raise SettingsError.of(name, f"is missing; give the url of the {name} side")
        if name == "old" and not is_database(url):
            yield self.settings.open_source(url)
            return
        with self.engine(name) as engine:
            yield self._database(name, engine)

    def _database(self, name: str, engine: Any) -> Any:
        if name == "new":
            from aspen_etl.sql import TableDatabase

            return TableDatabase(engine, self.model, self.sides.new_schema)
        from aspen_etl.sql.flat import FlatDatabase
        from aspen_etl.sql.flat_tables import FlatNames

        names = FlatNames(dict(self.sides.old_tables), dict(self.settings.reading.columns))
        return FlatDatabase(engine, self.model, names, self.sides.old_schema)

    @contextlib.contextmanager
    def engine(self, name: str, /) -> Iterator[Any]:
        """Give the engine of a side that is a database.

        It raises what ``opened`` does.
        """
        url = self.url(name)
        if url is None or not is_database(url):
            reason = "is no url of a database, as in postgresql+psycopg://host/name"
            raise SettingsError.of(name, reason)
        require_sqlalchemy("a database as a side")
        from aspen_etl.sql.connecting import holds_secret, make_engine, parse_url

        parsed, secret = parse_url(url), getattr(self.sides, f"{name}_secret")
        if holds_secret(parsed):
            raise SettingsError.of(name, _IN_URL.format(f"{name}_secret"))
        if secret is not None:
            login = read_login(secret, client=self.client("secretsmanager"), name=f"{name}_secret")
            user = parsed.username or login.user
            parsed = parsed.set(username=user, password=login.password)
        engine = make_engine(parsed)
        try:
            yield engine
        finally:
            engine.dispose()
