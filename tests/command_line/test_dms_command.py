"""`aspen-etl dms` makes the documents of a task, and tells what is wrong with others."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from aspen_etl.__main__ import main
from aspen_etl.aws import dms
from tests.derive.dms_breaks import BREAKS, BY_SEQUENCE


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "landing.json", BY_SEQUENCE.to_dict())
    return tmp_path


def write(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value), encoding="utf-8")


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = main(["dms", *words])
    told = capsys.readouterr()
    return code, told.out, told.err


@pytest.mark.usefixtures("folder")
def test_what_it_makes_it_finds_sound(capsys: pytest.CaptureFixture[str]) -> None:
    names = []
    for form in ("mappings", "settings", "endpoint"):
        code, out, _ = run(capsys, form, "landing.json")
        assert code == 0
        names.append(f"{form}.json")
        Path(names[-1]).write_text(out, encoding="utf-8")
    code, out, _ = run(capsys, "lint", *names, "--landing", "landing.json")
    assert (code, out) == (0, "0 errors, 0 warnings\nnot given, so not looked at: source, bucket\n")
    code, out, _ = run(capsys, "template", "landing.json")
    Path("template.json").write_text(out, encoding="utf-8")
    code, out, _ = run(capsys, "lint", "template.json", "--landing", "landing.json")
    assert (code, out) == (0, "0 errors, 0 warnings\n")


@pytest.mark.usefixtures("folder")
def test_a_landing_is_made_of_what_it_made(capsys: pytest.CaptureFixture[str]) -> None:
    for form in ("mappings", "endpoint"):
        _, out, _ = run(capsys, form, "landing.json")
        Path(f"{form}.json").write_text(out, encoding="utf-8")
    code, out, _ = run(capsys, "landing", "endpoint.json", "mappings.json", "--url", "landed")
    assert (code, json.loads(out)["url"]) == (0, "landed")
    assert json.loads(out)["tables"]["borrower"] == {"name": "dbo.borrower"}
    code, _, err = run(capsys, "landing", "mappings.json")
    assert (code, "'target' is missing" in err) == (1, True)


def test_a_finding_is_told_and_ends_in_one(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for rule, expected in (("null_token", 1), ("other_table", 0)):
        documents = BREAKS[rule][0]().documents
        for name, value in documents.items():
            write(folder / f"{name}.json", value)
        files = [f"{name}.json" for name in documents]
        code, out, _ = run(capsys, "lint", *files, "--landing", "landing.json", "--json")
        told = json.loads(out)
        assert [each["rule"] for each in told["findings"]] == [rule]
        assert (code, told["not_given"]) == (expected, [])
        code, out, _ = run(capsys, "lint", *files)
        assert (code, f": {rule}: " in out) == (expected, rule == "null_token")


@pytest.mark.usefixtures("folder")
def test_a_task_at_aws_is_described(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = []

    def describe(arn: str) -> dict[str, Any]:
        asked.append(arn)
        return BREAKS["batch_apply"][0]().documents

    monkeypatch.setattr(dms, "describe_task", describe)
    code, out, _ = run(capsys, "lint", "--task-arn", "arn:x", "--landing", "landing.json")
    assert (code, asked) == (1, ["arn:x"])
    assert "batch_apply" in out


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["mappings"], "takes one file"),
        (["mappings", "nowhere.json"], "nowhere.json"),
        (["lint"], "needs the documents"),
        (["preflight"], "takes the landing"),
        (["preflight", "landing.json", "a", "b"], "takes the landing"),
        (["lint", "broken.json"], "broken.json is no JSON"),
        (["lint", "landing.json"], "is no document"),
        (["template", "broken.json"], "broken.json: landing: the file is no JSON"),
        (["lint", "--task-arn", "arn:x"], "no ARN"),
    ],
)
def test_what_cannot_be_is_told(
    words: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("broken.json").write_text("{", encoding="utf-8")
    code, _, err = run(capsys, *words)
    assert code == 1
    assert told in err


def test_the_preflight_is_printed_and_its_result_judged(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = run(capsys, "preflight", "landing.json")
    assert (code, out.startswith("-- What DMS needs")) == (0, True)
    lines = ["check,table,column,value", "recovery_model,,,FULL"]
    for name in ("dbo.borrower", "dbo.role_profile"):
        lines += [f"type,{name},id,int", f"rows,{name},,7", f"captured,{name},,1"]
    (folder / "result.csv").write_text("\n".join(lines), encoding="utf-8")
    code, out, _ = run(capsys, "preflight", "landing.json", "result.csv", "--json")
    told = json.loads(out)
    assert [each["prevents"] for each in told["findings"]] == ["before_image"] * 2
    assert (code, told["rows"]) == (1, {"borrower": 7, "role_profile": 7})
    code, out, _ = run(capsys, "preflight", "landing.json", "result.csv")
    assert (code, "2 errors, 0 warnings\nrows of borrower: 7\n" in out) == (1, True)
