"""A database's url that nobody can make sense of is refused, and nothing of it is shown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import aspen_etl as ae
from aspen_etl.errors import DatabaseError
from tests.support.borrowers import RUN, check_ours, write_borrowers

sa = pytest.importorskip("sqlalchemy", reason="the extra sql is not installed")

from aspen_etl import sql  # noqa: E402 - needs what was just asked for
from aspen_etl.sql.connecting import display, make_engine  # noqa: E402

ACCOUNT = "ida:pa55word@db.example.org"


@pytest.mark.parametrize(
    ("url", "match"),
    [
        (f"postgresql://{ACCOUNT}:54e2/loans", "its port is no number"),
        (f"mysql+pymysql://{ACCOUNT}:<port>/loans", "its port is no number"),
        (f"postgresql://{ACCOUNT}:99999/loans", "its port is no number from 1 to 65535"),
        (f"postgresql://{ACCOUNT}:0/loans", "its port is no number from 1 to 65535"),
        ("postgresql://ida:pa55@pa55word@db.example.org/loans", "write an @ in a user or password"),
        (f"no url {ACCOUNT}", "it is no url of SQLAlchemy's"),
        ("", "it is no url of SQLAlchemy's"),
        (f"pa55word://{ACCOUNT}/loans", "it is no url of SQLAlchemy's"),
        (f"sqlite+pysqlcipher://{ACCOUNT}/loans", "driver|options"),
    ],
)
def test_a_url_that_is_none_is_told_and_not_shown(url: str, match: str) -> None:
    with pytest.raises(DatabaseError, match=f"the database's url cannot be used: .*{match}") as e:
        make_engine(url)
    check_ours(e.value, "pa55word", "ida", "54e2", "example")


def test_a_password_with_an_at_sign_is_not_taken_for_the_host() -> None:
    url = sa.make_url("postgresql://ida:pa55@word@db.example.org:5432/loans")
    assert url.host == "word@db.example.org"

    class Engine:
        def __init__(self) -> None:
            self.url = url

    assert display(Engine()) == "postgresql://db.example.org:5432/loans"  # type: ignore[arg-type]


@pytest.mark.parametrize("raised", [TypeError, ValueError, OverflowError, UnicodeError, KeyError])
def test_whatever_a_driver_raises_while_it_connects_is_ours(
    tmp_path: Path, raised: type[Exception]
) -> None:
    def connect() -> Any:
        raise raised("pa55word")

    engine = sa.create_engine("sqlite://", creator=connect)
    store = ae.SnapshotStore(tmp_path / "store")
    ae.sync(write_borrowers(tmp_path / "in", ["Ann A"]), store, run=RUN)
    with pytest.raises(DatabaseError, match=rf"connecting failed \({raised.__name__}\)") as found:
        sql.load(store, engine)
    check_ours(found.value, "pa55word")


@pytest.mark.parametrize("query", ["hush=1", "connect_timeout=soon", "ssl=hush", "charset=hush"])
@pytest.mark.parametrize("driver", ["postgresql+psycopg", "mysql+pymysql"])
def test_an_option_that_a_driver_does_not_take_is_told(driver: str, query: str) -> None:
    pytest.importorskip(driver.partition("+")[2])
    with pytest.raises(DatabaseError) as found:
        sql.read(make_engine(f"{driver}://ida:pa55word@127.0.0.1:1/loans?{query}"))
    check_ours(found.value, "pa55word", "hush", "soon")
