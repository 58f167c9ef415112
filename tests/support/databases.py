"""Database servers for tests: PostgreSQL and MariaDB, of this machine's own programs.

Each runs in a folder of its own, on loopback, on a free port, without syncing to disk, and is
stopped by its process id.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.support.s3 import free_ports
from tests.support.services import require_service

_READY_SECONDS = 300


def _program(name: str) -> str | None:
    """Find a server's program: Debian keeps PostgreSQL's out of PATH."""
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
    beside = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return str(beside[-1]) if beside else found


@contextlib.contextmanager
def running_postgresql(**more: object) -> Iterator[str]:
    """Run PostgreSQL, with more settings, and give its SQLAlchemy url but for the driver."""
    initdb, postgres = _program("initdb"), _program("postgres")
    require_service("PostgreSQL", initdb and postgres, "install the package postgresql")
    (port,) = free_ports(1)
    with _folder() as (folder, who):
        data = folder / "data"
        _call([initdb, "-D", data, "-U", "tester", "-A", "trust", "-E", "UTF8", "--no-sync"], who)
        settings = {
            "port": port,
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": folder,
            "fsync": "off",
            "synchronous_commit": "off",
            "full_page_writes": "off",
            **more,
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with _server([postgres, "-D", data, *options], folder, who, signal.SIGQUIT):
            url = f"://tester@127.0.0.1:{port}/postgres"
            _wait(f"postgresql+psycopg{url}", folder)
            yield url


@contextlib.contextmanager
def running_mariadb() -> Iterator[str]:
    """Run MariaDB, and give its SQLAlchemy url but for the driver."""
    install, server = _program("mariadb-install-db"), _program("mariadbd")
    require_service("MariaDB", install and server, "install the package mariadb-server")
    (port,) = free_ports(1)
    with _folder() as (folder, who):
        data = folder / "data"
        user = [f"--user={who}"] if who else []
        made = ["--auth-root-authentication-method=normal", "--skip-test-db", *user]
        _call([install, "--no-defaults", f"--datadir={data}", *made], None)
        options = {
            "datadir": data,
            "port": port,
            "bind-address": "127.0.0.1",
            "socket": folder / "s",
            "pid-file": folder / "pid",
            "innodb-flush-log-at-trx-commit": 0,
            # What a lender's server may have: names and text without regard to case.
            "character-set-server": "latin1",
        }
        given = [f"--{name}={value}" for name, value in options.items()]
        with _server([server, "--no-defaults", *given, *user], folder, None, signal.SIGKILL):
            url = f"://root@127.0.0.1:{port}/mysql"
            _wait(f"mysql+pymysql{url}", folder)
            yield url


@contextlib.contextmanager
def _folder() -> Iterator[tuple[Path, str | None]]:
    """Make a folder that the server's user may write; root must not run PostgreSQL."""
    who = "nobody" if os.geteuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="aspen-etl-db-"))
    try:
        folder.chmod(0o755)
        if who:
            os.chown(folder, pwd.getpwnam(who).pw_uid, -1)
        yield folder, who
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _call(command: list[Any], who: str | None) -> None:
    done = subprocess.run(
        [str(part) for part in command],
        user=who,
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@contextlib.contextmanager
def _server(
    command: list[Any], folder: Path, who: str | None, how: signal.Signals
) -> Iterator[None]:
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(
            [str(part) for part in command],
            user=who,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        yield
    finally:
        process.send_signal(how)
        process.wait(_READY_SECONDS)


def _wait(url: str, folder: Path) -> None:
    import sqlalchemy

    engine = sqlalchemy.create_engine(url)
    end = time.monotonic() + _READY_SECONDS
    while True:
        try:
            with engine.connect():
                break
        except sqlalchemy.exc.OperationalError:
            assert time.monotonic() < end, (folder / "server.log").read_text(errors="replace")
            time.sleep(0.05)
    engine.dispose()
