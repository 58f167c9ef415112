"""A lender moves, by the command line alone: from flat tables in PostgreSQL to MariaDB.

Full load and changes land as files of AWS DMS; then people edit both sides, a conflict is held and
decided, the sides are held against each other, and the gate of the cut-over is green.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

import aspen_etl as ae
from aspen_etl.__main__ import main
from aspen_etl.schema.snapshot import ADOPTED_FROM
from tests.support.lender import BORROWERS, make_lender

sa = pytest.importorskip("sqlalchemy", reason="the extra sql is not installed")

#: As AWS DMS lands them: the operation, when, and its sequence, before the columns.
LANDING = {
    "url": "landed",
    "tables": {
        "borrower": {"name": "public.borrower", "key": ["id"]},
        "role_profile": {"name": "public.role_profile", "key": ["row_no"]},
    },
    "loaded": "declared",
    "lag": 0,
}
STAMPS = ("Op", "dms_time", "dms_seq")
COLUMNS = tuple(ae.BORROWER_MODEL.sources["borrower"].columns)
SIDES = {"old": "postgresql", "new": "mariadb"}


class Migration:
    """A folder, two databases, and the command line."""

    def __init__(self, databases: Any, capsys: pytest.CaptureFixture[str]) -> None:
        self.databases, self.capsys = databases, capsys
        self.told: list[str] = []

    def run(self, *words: str, status: int = 0) -> str:
        """Run a command, and give what it prints."""
        given = [self.url(word[1:]) if word[:1] == "@" else word for word in words]
        code = main(given)
        out, err = self.capsys.readouterr()
        self.told.append(f"$ aspen-etl {' '.join(words)}\n{out}{err}[{code}]\n")
        assert code == status, self.told[-1]
        return out

    def url(self, side: str) -> str:
        return str(self.databases[side].url)

    def pull(self, side: str, *words: str, status: int = 0) -> str:
        return self.run("pull", f"@{side}", "store", "--side", side, *words, status=status)

    def push(self, side: str, *words: str, status: int = 0) -> str:
        return self.run("push", "store", f"@{side}", "--side", side, *words, status=status)

    def old(self, text: str) -> None:
        assert self.databases["old"].execute(text) == 1

    def new(self, text: str) -> None:
        assert self.databases["new"].execute(text) >= 1

    def scalar(self, side: str, text: str) -> Any:
        return self.databases[side].scalar(text)


def land(folder: Path, database: Any) -> None:
    """Land all that the old side has, as the full load of a task does."""
    queries = {
        "borrower": (COLUMNS, f"SELECT {', '.join(COLUMNS)} FROM borrower ORDER BY id"),  # noqa: S608 - ours
        "role_profile": (
            ("row_no", "borrower_id", "role_profile"),
            "SELECT row_no, borrower_id, role_profile FROM role_profile ORDER BY row_no",
        ),
    }
    for name, (names, query) in queries.items():
        with database.engine.connect() as connection:
            rows = [tuple(row) for row in connection.exec_driver_sql(query)]
        lines = [line((*STAMPS, *names), quoted=False)]
        lines += [line(("I", "2026-01-01 00:00:00.000000", "", *row)) for row in rows]
        write(folder / "public" / name / "LOAD00000001.csv", lines)


def line(cells: Any, *, quoted: bool = True) -> str:
    texts = ["__ASPEN_NULL__" if cell is None else str(cell) for cell in cells]
    return ",".join(f'"{text}"' if quoted and text else text for text in texts)


def write(path: Path, lines: list[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def check_gate(migration: Migration) -> None:
    """All that was landed is taken, and nobody writes to the old side any more."""
    check = ("cutover", "check", "store", "@old", "@new", "--landing", "landing.json")
    migration.run(*check, status=4)
    assert "nobody looked" in migration.told[-1]
    found = json.loads(migration.run(*check, "--quiet", "0.1", "--report", "step.json", "--json"))
    assert found["green"]
    assert hashlib.sha256(Path("step.json").read_bytes()).hexdigest() == found["report_sha256"]
    assert "cut-over          version" in migration.run("status", "store")


@pytest.fixture
def migration(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Any:
    from tests.sql.conftest import make_database

    monkeypatch.chdir(tmp_path)
    makers = {side: make_database(name, request) for side, name in SIDES.items()}
    databases = {side: next(maker) for side, maker in makers.items()}
    make_lender(databases["old"])
    databases["old"].execute("UPDATE borrower SET phone_home = NULL WHERE id = 'b4'")
    (tmp_path / "landing.json").write_text(json.dumps(LANDING), encoding="utf-8")
    yield Migration(databases, capsys)
    for maker in makers.values():
        next(maker, None)


def test_a_lender_moves(migration: Migration, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("ASPEN_ETL_DATABASE_URL", migration.url("new"))
    land(tmp_path / "landed", migration.databases["old"])
    migration.run("sync", "landing.json", "store")
    # A change lands, and what was landed is loaded.
    migration.old("UPDATE borrower SET full_name = 'Cid Foxe' WHERE id = 'b3'")
    after = ("b3", "Cid Foxe", None, None, None, None, None, None, "c@x.org")
    header = (*STAMPS, *COLUMNS, *(f"BI_{name}" for name in COLUMNS))
    stamps = ("U", "2026-01-01 00:00:01.000000", "20260101000001000000000000000000001")
    change = line((*stamps, *after, "b3", "Cid Fox", *after[2:]))
    where = tmp_path / "landed/public/borrower/20260101-000001000.csv"
    write(where, [line(header, quoted=False), change])
    migration.run("sync", "landing.json", "store")
    migration.run("load", "store")
    migration.run("two-way", "begin", "store")
    # People edit both sides.
    migration.old("UPDATE borrower SET phone_cell = '512-555-0199' WHERE id = 'b2'")
    migration.old("UPDATE borrower SET full_name = 'Dee Old' WHERE id = 'b4'")
    migration.new("UPDATE user_profile SET last_name = 'New' WHERE user_profile_id = 'b4'")
    migration.new("UPDATE user_profile SET first_name = 'Ana' WHERE user_profile_id = 'b1'")
    migration.new(
        "INSERT INTO user_profile (user_profile_id, first_name, last_name, created, created_by) "
        "VALUES ('b9', 'Zoe', 'App', '2026-02-01', 'app')"
    )
    migration.new(
        "INSERT INTO user (user_profile_id, created, created_by) VALUES ('b9', '2026-02-01', 'app')"
    )
    migration.new(
        "INSERT INTO role_profile (user_id, created, created_by) "
        "SELECT user_id, '2026-02-01', 'app' FROM user WHERE user_profile_id = 'b9'"
    )
    assert migration.scalar("new", "SELECT max(user_id) FROM user") >= ADOPTED_FROM
    migration.pull("old")
    migration.pull("new", status=1)  # one conflict, and the policy refuses
    assert "1 both_changed at borrower.full_name" in migration.told[-1]
    migration.pull("new", "--policy", "hold", status=4)
    migration.push("new", status=4)
    migration.push("old", status=4)
    for side, name in (("old", "Dee Old"), ("new", "New")):
        text = {
            "old": "SELECT full_name FROM borrower WHERE id = 'b4'",
            "new": "SELECT last_name FROM user_profile WHERE user_profile_id = 'b4'",
        }[side]
        assert migration.scalar(side, text) == name  # each is as it was
    migration.run("reconcile", "@old", "@new", status=4)
    migration.run("conflicts", "list", "store", status=4)
    (tmp_path / "ids").write_text("b4\n", encoding="utf-8")
    migration.run("conflicts", "resolve", "store", "--take", "new", "--id-file", "ids")
    for _ in range(2):
        for side in reversed(SIDES):  # at the new one the conflict was met
            migration.pull(side, "--policy", "hold")
            migration.push(side)
    assert "nothing to write" in migration.told[-1]
    assert "nothing to take" in migration.told[-2]
    old = migration.databases["old"]
    assert old.scalar("SELECT full_name FROM borrower WHERE id = 'b4'") == "Dee New"
    assert old.scalar("SELECT full_name FROM borrower WHERE id = ' b1 '") == "Ana Lee"
    assert old.scalar("SELECT full_name FROM borrower WHERE id = 'b9'") == "Zoe App"
    migration.run("reconcile", "@old", "@new")
    assert len(BORROWERS) + 1 == old.scalar("SELECT count(*) FROM borrower")
    check_gate(migration)
    print("\n".join(migration.told))
