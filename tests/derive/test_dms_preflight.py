"""The preflight's T-SQL reads alone, and each answer of a database is judged."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from aspen_etl import BORROWER_MODEL
from aspen_etl.derive.dms import DMS_RULES, dms_preflight, judge_preflight, rows_loaded
from aspen_etl.errors import ArgumentError
from aspen_etl.schema.landing import LandedTable, Landing
from tests.derive.dms_breaks import BY_SEQUENCE, COLUMNS, TABLES
from tests.support.scriptdom import parse_errors

#: What findings name beside rules of the linter: problems of a run.
PROBLEMS = {"gap", "alike_keys", "in_flight", "conflict", "key_mismatch"}

ODD = Landing(
    "s3://acme-raw/dms",
    {
        "borrower": LandedTable("dbo.it's a [strange] {name}", key=("i'd", "a]b")),
        "role_profile": LandedTable("o'x.role_profile"),
    },
)


def rows(**changed: str) -> list[dict[str, str]]:
    """Give a sound result, in which answers about the database or a table are others."""
    held = {("recovery_model", "", ""): "FULL", ("snapshot_isolation", "", ""): "ON"}
    held["edition", "", ""] = "Standard Edition (64-bit)"
    for source, landed in TABLES.items():
        held["captured", landed.name, ""] = "1"
        held["triggers", landed.name, ""] = "0"
        held["alike_keys", landed.name, ""] = "0"
        held["rows", landed.name, ""] = "7"
        held |= {("key", landed.name, column): "1" for column in landed.key}
        held |= {("type", landed.name, column): "nvarchar" for column in COLUMNS[source]}
        held |= {("collation", landed.name, each): "x_BIN2" for each in COLUMNS[source]}
    for key, value in changed.items():
        check, _, column = key.partition("__")
        table = "" if (check, "", "") in held or check == "polling_seconds" else "dbo.borrower"
        held[check, table, column] = value
    names = ("check", "table", "column")
    return [{**dict(zip(names, key)), "value": value} for key, value in held.items()]


def found(answers: dict[str, str], landing: Landing = BY_SEQUENCE) -> list[tuple[str, str, str]]:
    judged = judge_preflight(rows(**answers), landing, model=BORROWER_MODEL)
    return [(each.check, each.severity, each.prevents) for each in judged]


def test_a_sound_database_has_no_finding() -> None:
    assert found({}) == []
    assert rows_loaded(rows(), BY_SEQUENCE) == {"borrower": 7, "role_profile": 7}


@pytest.mark.parametrize(
    ("answer", "wanted"),
    [
        ({"recovery_model": "SIMPLE"}, ("recovery_model", "error", "gap")),
        ({"edition": "Express Edition (64-bit)"}, ("edition", "error", "edition")),
        ({"snapshot_isolation": "OFF"}, ("snapshot_isolation", "warning", "in_flight")),
        ({"polling_seconds": "5"}, ("polling_seconds", "warning", "gap")),
        ({"missing": ""}, ("missing", "error", "table_left_out")),
        ({"captured": "0"}, ("captured", "error", "changes_left_out")),
        ({"triggers": "2"}, ("triggers", "warning", "conflict")),
        ({"key__email": "2"}, ("key", "error", "other_key")),
        ({"alike_keys": "3"}, ("alike_keys", "error", "alike_keys")),
        ({"collation__id": "Latin1_General_CI_AS"}, ("collation", "warning", "alike_keys")),
        ({"longest__email": "40000"}, ("longest", "error", "lob_size")),
        ({"type__where": "geography"}, ("type", "error", "removed_column")),
        ({"type__zip_code": "float"}, ("type", "warning", "changed_type")),
        ({"computed__city": "1"}, ("computed", "warning", "not_logged_token")),
        ({"identity__id": "1"}, ("identity", "warning", "key_mismatch")),
    ],
)
def test_an_answer_that_is_in_the_way_is_one_finding(
    answer: dict[str, str], wanted: tuple[str, str, str]
) -> None:
    assert found(answer) == [wanted]
    assert wanted[2] in {*DMS_RULES, *PROBLEMS}


def test_what_is_declared_or_left_out_is_no_finding() -> None:
    folding = {**TABLES, "borrower": replace(TABLES["borrower"], fold="case", ignore=("where",))}
    landing = replace(BY_SEQUENCE, tables=folding)
    answers = {"alike_keys": "3", "type__where": "geography", "longest__where": "99999"}
    assert found(answers, landing) == []


def test_a_table_without_a_key_is_found() -> None:
    kept = [row for row in rows() if (row["check"], row["table"]) != ("key", "dbo.borrower")]
    (each,) = judge_preflight(kept, BY_SEQUENCE)
    assert (each.found, each.prevents) == ("no primary key", "before_image")


@pytest.mark.parametrize(
    ("result", "told"),
    [
        ([{"a": "1"}], "no columns"),
        ([], "no recovery_model"),
        (rows()[:3], "tells nothing of dbo.borrower"),
    ],
)
def test_what_is_no_result_is_refused(result: list[dict[str, str]], told: str) -> None:
    with pytest.raises(ArgumentError, match=told):
        judge_preflight(result, BY_SEQUENCE)


def statements(text: str) -> Iterator[str]:
    """Yield the text, and the statements that it holds as text, as the server would read them."""
    yield text
    for held in re.findall(r"(?:@sql =|sp_executesql) N'((?:[^']|'')*)';", text):
        if held:
            yield held.replace("''", "'")


@pytest.mark.parametrize("landing", [BY_SEQUENCE, ODD], ids=["plain", "odd names"])
def test_the_text_changes_nothing_but_a_variable(landing: Landing) -> None:
    held = list(statements(dms_preflight(landing)))
    assert len(held) == 4
    for each in held:
        bare = re.sub(r"N?'(?:[^']|'')*'|\[(?:[^\]]|\]\])*\]|--[^\n]*", "x", each)
        words = re.findall(
            r"\b(?:INSERT INTO|UPDATE|DELETE|MERGE|CREATE|ALTER|DROP|INTO) +\S+", bare
        )
        assert set(words) <= {"INSERT INTO @found"}
        assert bare.count("(") == bare.count(")")


@pytest.mark.slow
@pytest.mark.parametrize("landing", [BY_SEQUENCE, ODD], ids=["plain", "odd names"])
def test_a_parser_of_sql_server_takes_it(landing: Landing) -> None:
    errors: list[Any] = [parse_errors(each) for each in statements(dms_preflight(landing))]
    assert errors == [[]] * 4
    assert parse_errors("SELECT 1 LIMIT 5;") != []
