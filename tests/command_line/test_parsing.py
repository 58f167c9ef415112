"""Words that are mistyped, and numbers that cannot be, are named; wrong usage exits with 2."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from aspen_etl.__main__ import main


def refusal(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """Give what is said of words that exit with 2."""
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    printed = capsys.readouterr()
    (line,) = printed.err.splitlines()
    return line


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("vaccum store", "there is no command 'vaccum'; did you mean 'vacuum'?"),
        ("Sync a b", "there is no command 'Sync'; did you mean 'sync'?"),
        ("xyzzy", "there is no command 'xyzzy'"),
        ("--versoin", "there is no option '--versoin'; did you mean '--version'?"),
        ("normalize a b --fromat=csv", "there is no option '--fromat'; did you mean '--format'?"),
        ("vacuum --keep-fro 3", "there is no option '--keep-fro'; did you mean '--keep-for'?"),
        ("sync a b -x", "there is no option '-x'"),
        ("sync a b c d", "too many words: 'c', 'd'"),
        ("schema dbmll", "argument FORM: there is no 'dbmll', only "),
        ("schema DBML", "did you mean 'dbml'?"),
        (
            "demo --format pqrquet",
            "there is no 'pqrquet', only csv, parquet; did you mean 'parquet'?",
        ),
        ("sync a b --missing forget", "there is no 'forget', only delete, keep"),
        ("history", "the following arguments are required: STORE"),
    ],
)
def test_a_mistyped_word_is_named_with_what_may_have_been_meant(
    words: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert said in refusal(capsys, *words.split())


@pytest.mark.parametrize(
    ("words", "unit"),
    [
        ("sync a b --timeout", "seconds from 0 to 3,155,760,000"),
        ("plan a b --timeout", "seconds"),
        ("status a --max-age", "minutes from 0 to 52,596,000"),
        ("vacuum a --keep-for", "days from 0 to 36,525"),
    ],
)
@pytest.mark.parametrize("text", ["nan", "inf", "1e20", "-1", "", "soon", "9" * 400])
def test_a_duration_that_cannot_be_is_refused(
    words: str, unit: str, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    said = refusal(capsys, *words.split(), text)
    assert f"{text!r} is no number of {unit}" in said


@pytest.mark.parametrize(
    "words",
    [
        "history a --limit",
        "verify a --version",
        "export a b --version",
        "load a --version",
        "restore a",
        "sync a b --header-row",
        "sync a b --min-deleted-rows",
    ],
)
@pytest.mark.parametrize("text", ["nan", "1.5", "-1", "", "9" * 5000, "1e3", "1_0"])
def test_a_whole_number_that_cannot_be_is_refused(
    words: str, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "is no whole number from" in refusal(capsys, *words.split(), text)


@pytest.mark.parametrize("text", ["nan", "inf", "-0.1", "1e400", "7"])
@pytest.mark.parametrize("name", ["max-rejected-rows", "max-rejected-cells", "max-deleted-rows"])
def test_a_share_that_is_none_is_refused(
    name: str, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["sync", "a", "b", f"--{name}={text}"]) == 1
    assert "is no share; give a number from 0 to 1" in capsys.readouterr().err


def test_wrong_usage_is_one_json_value_where_that_is_asked_for(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        main(["normalise", "a", "b", "--json"])
    told = json.loads(capsys.readouterr().out)
    assert told == {
        "error": "UsageError",
        "message": "there is no command 'normalise'; did you mean 'normalize'? "
        "(aspen-etl --help tells more)",
        "details": {},
    }


def test_a_url_in_the_wrong_place_is_shown_without_its_secret(
    capsys: pytest.CaptureFixture[str],
) -> None:
    url = "s3://key:hush@bucket/a?sig=hush"
    for words in (["sync", "a", "b", url], [url], ["demo", "--format", url]):
        assert "hush" not in refusal(capsys, *words)


def test_a_word_after_two_dashes_is_no_option(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["demo", "--", "--odd"]) == 0
    assert "Written to --odd" in capsys.readouterr().out
    assert (tmp_path / "--odd" / "user.csv").is_file()
