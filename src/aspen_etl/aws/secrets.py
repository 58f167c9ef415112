"""A database's login out of AWS Secrets Manager, of which nothing is shown."""

from __future__ import annotations

import json
from typing import Any, NamedTuple, Optional

from aspen_etl.aws.clients import error_code, new_client
from aspen_etl.errors import SettingsError

__all__ = ["Login", "read_login"]

#: What the setting is called that names a secret.
_NAME = "--database-secret"


class Login(NamedTuple):
    """Who logs in: the user, if the secret names one, and the password."""

    user: Optional[str]
    password: str

    def __repr__(self) -> str:
        """Show neither."""
        return "Login(...)"


def read_login(secret: str, /, *, client: Any = None, name: str = _NAME) -> Login:
    """Read the login that a secret holds, as JSON in the form of RDS or as the bare password.

    Args:
        secret: Its id or ARN.
        client: A client of Secrets Manager, by default one of the runtime's credentials.
        name: What the setting is called that names it.

    Raises:
        SettingsError: It cannot be read, or holds no password.
    """
    text, reason = "", ""
    try:
        asked = client if client is not None else new_client("secretsmanager")
        text = asked.get_secret_value(SecretId=secret).get("SecretString") or ""
    except Exception as error:
        code = error_code(error)
        if code is None:
            raise
        reason = f"cannot be read (Secrets Manager says {code})"
    if reason:
        raise SettingsError.of(name, reason)
    held = _parsed(text)
    password = held.get("password") if isinstance(held, dict) else text.strip()
    if not isinstance(password, str) or not password:
        told = "holds no password; let it be JSON with username and password, or the bare password"
        raise SettingsError.of(name, told)
    user = held.get("username") if isinstance(held, dict) else None
    return Login(user if isinstance(user, str) else None, password)


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
