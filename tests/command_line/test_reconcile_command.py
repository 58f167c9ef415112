"""`aspen-etl reconcile SOURCE TARGET`: four ways to end, and a report without an id or a value."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import aspen_etl as ae
from aspen_etl.__main__ import main
from aspen_etl.command_line import reconciling
from tests.support.borrowers import LENIENT, RUN, write_borrowers
from tests.support.landed import Landed

NAMES = ["Ann Lee", "Bo Ek", "Cy Fox"]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work where a source and its store are."""
    monkeypatch.chdir(tmp_path)
    ae.sync(write_borrowers(tmp_path / "in", NAMES), "store", run=RUN, thresholds=LENIENT)
    return tmp_path


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = main(["reconcile", *words])
    told = capsys.readouterr()
    return code, told.out, told.err


def test_sides_in_step_end_with_0(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "in", "store")
    assert (code, err) == (0, "")
    assert out.splitlines()[0].endswith(" store version 1")
    assert out.endswith("\nin step: all is equal\n")
    write_borrowers(place / "in", ["Ann Lee", "Bo Ek"])
    assert run(capsys, "in", "store")[0] == 4
    ae.sync("in", "store", run=RUN, thresholds=LENIENT)
    assert run(capsys, "in", "store")[0] == 0
    assert run(capsys, "in", "store", "--version", "1")[0] == 4


def test_what_nothing_explains_ends_with_4_and_is_told_as_counts(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_borrowers(place / "in", ["Ann Roe", "Bo Ek"])
    code, out, err = run(capsys, "in", "store", "--details", "why/d.csv", "--confirm-after", "0.1")
    assert (code, err) == (4, "")
    assert "  differs         borrower.full_name" in out
    assert "  extra           borrower" in out
    assert out.endswith("not in step: 2 differences of 2 subjects are not explained\n")
    assert not [text for text in ("Ann", "Lee", "Roe", "100", "102") if text in out]
    lines = (place / "why" / "d.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "sheet,subject,key,column,kind,source,target,why,state"
    assert lines[1] == "borrower,100,,full_name,differs,Ann Roe,Ann Lee,,confirmed"
    (place / "secret").write_text("0123456789abcdef\n", encoding="utf-8")
    code, out, _ = run(
        capsys, "in", "store", "--json", "--details", "named.csv", "--secret", "secret"
    )
    told: dict[str, Any] = json.loads(out)
    assert (code, told["outcome"], told["unexplained"]) == (4, "unexplained", 2)
    assert "100" not in (place / "named.csv").read_text(encoding="utf-8").split(",")


def test_what_moves_ends_with_5(
    place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    names = iter(["Ann One", "Ann Two"])
    usual = ae.read_extract

    def read(*given: Any, **told: Any) -> ae.Extract:
        write_borrowers(place / "in", [next(names), *NAMES[1:]])
        return usual(*given, **told)

    monkeypatch.setattr("aspen_etl.synchronization.sides.read_extract", read)
    code, out, err = run(capsys, "in", "store")
    assert (code, err) == (5, "")
    assert out.endswith("undecided: 1 differences are in flight; look again later\n")


def test_what_could_not_run_ends_with_1(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "in", "none")[0] == 1
    assert run(capsys, "nothing", "store")[0] == 1
    code, _, err = run(capsys, "in", "store", "--details", "in/borrower.csv")
    assert (code, "is there already" in err) == (1, True)
    code, _, err = run(capsys, "in", "store", "--target-schema", "x")
    assert (code, "no option of a store" in err) == (1, True)
    code, _, err = run(capsys, "in", "sqlite:///none.db", "--version", "1")
    assert (code, "no option of a database" in err) == (1, True)
    assert sorted(reconciling.STATUS.values()) == [0, 4, 5]
    assert not (place / "none").exists()


def test_a_landing_is_a_source(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    landed = Landed(tmp_path)
    landed.load("Ada Lee", "Bo Ek")
    ae.sync(landed.landing, "store", run=RUN, thresholds=LENIENT)
    code, out, err = run(capsys, "landing.json", "store")
    assert (code, err, out.splitlines()[0].split()[0]) == (0, "", "landing")


@pytest.mark.usefixtures("place")
def test_databases_are_source_and_target(capsys: pytest.CaptureFixture[str]) -> None:
    sa = pytest.importorskip("sqlalchemy", reason="the extra sql is not installed")
    from aspen_etl import sql

    old, new = "sqlite:///old.db", "sqlite:///new.db"
    engine = sa.create_engine(old, poolclass=sa.NullPool)
    read = ae.read_extract("in")
    for name in read:
        read[name].to_sql(f"their_{name}", engine, index=False)
    target = sa.create_engine(new, poolclass=sa.NullPool)
    sql.load(ae.SnapshotStore("store"), target)
    tables = [f"--table={name}=their_{name}" for name in read]
    code, out, err = run(capsys, old, new, *tables)
    assert (code, err) == (0, "")
    assert out.splitlines()[0].split() == ["database", "database"]
    with target.begin() as connection:
        connection.exec_driver_sql("UPDATE user_profile SET first_name = 'Anna'")
    assert run(capsys, old, new, *tables)[0] == 4
    assert run(capsys, old, "store", *tables)[0] == 0
    assert run(capsys, old, "store", *tables, "--max-memory", "256")[0] == 0
    code, out, err = run(capsys, "store", new, "--tables", "--max-memory", "256", "--version", "1")
    assert (code, err) == (4, "")
    assert out.splitlines()[0].split() == ["store", "version", "1", "database"]
    assert "  differs         user_profile.first_name" in out
    assert run(capsys, "store", "store", "--tables")[0] == 0
    assert run(capsys, new, new, "--tables")[0] == 0
    code, _, err = run(capsys, "store", new, *tables, "--tables")
    assert (code, "no flat source" in err) == (1, True)
    # Nothing waits there, so nothing is explained.
    assert run(capsys, old, new, *tables, "--explained-by", "store")[0] == 4
    engine.dispose()
    target.dispose()
