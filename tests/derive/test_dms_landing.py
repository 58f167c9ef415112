"""A landing is made of the documents of its task, and refused where they lose something."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given

from aspen_etl import BORROWER_MODEL as MODEL
from aspen_etl.derive.dms import DMS_RULES, landing_from_dms
from aspen_etl.errors import ArgumentError
from aspen_etl.schema.landing import LandedTable, Landing
from tests.derive.dms_breaks import BREAKS, BY_SEQUENCE, TABLES, sound
from tests.derive.test_dms_lint import LANDINGS


def documents(landing: Landing = BY_SEQUENCE) -> dict[str, Any]:
    held = sound(landing).documents
    return {name: held[name] for name in ("target", "mappings", "settings")}


@given(LANDINGS)
def test_what_documents_carry_is_that_of_the_landing_they_were_made_of(landing: Landing) -> None:
    told: dict[str, Any] = {"tables": landing.tables, "heartbeat": landing.heartbeat}
    made = landing_from_dms(documents(landing), model=MODEL, **told)
    assert made == replace(landing, lob_max_kb=32)
    elsewhere = landing_from_dms(documents(landing), model=MODEL, url="memory://copy", **told)
    assert elsewhere == replace(made, url="memory://copy")


def test_a_table_is_found_by_its_source_and_its_key_by_a_rule() -> None:
    held = documents()
    place = {"schema-name": "dbo", "table-name": "role[_]profile"}
    held["mappings"]["rules"].append(
        {
            "rule-type": "transformation",
            "rule-target": "table",
            "rule-action": "define-primary-key",
            "object-locator": place,
            "primary-key-def": {"name": "k", "columns": ["rp_id"]},
        }
    )
    texts = {name: json.dumps(value) for name, value in held.items()}
    assert landing_from_dms(texts, model=MODEL).tables == TABLES


def test_what_a_describe_call_prints_is_read() -> None:
    held = documents()
    target = {**held.pop("target"), "EndpointArn": "arn:t"}
    made = landing_from_dms({"ends": {"Endpoints": [target]}, **held}, model=MODEL)
    assert made.url == "s3://acme-raw/dms"


def refusal(held: dict[str, Any], **told: Any) -> ArgumentError:
    with pytest.raises(ArgumentError) as caught:
        landing_from_dms(held, model=MODEL, tables=TABLES, **told)
    assert caught.value.details["problem"] == "document"
    return caught.value


#: The rules that compare with a landing, of which these documents make another one, or with others.
OF_ANOTHER = {"other_layout", "null_token", "before_image_name", "header", "time_column_taken"}
#: What no document of these three tells.
AROUND = {"trimming", "ambiguous_order", "migration_type", "shared_folder"}
AROUND |= {"versioned_bucket", "edition"}


@pytest.mark.parametrize("rule", sorted(set(BREAKS) - OF_ANOTHER - AROUND))
def test_documents_that_lose_something_are_refused_by_rule(rule: str) -> None:
    case = BREAKS[rule][0]()
    held = {name: case.documents[name] for name in ("target", "mappings", "settings")}
    told: dict[str, Any] = {"tables": case.landing.tables, "model": MODEL}
    if DMS_RULES[rule].severity == "warning":
        assert landing_from_dms(held, **told).url
        return
    with pytest.raises(ArgumentError) as caught:
        landing_from_dms(held, **told)
    assert rule in caught.value.details["rules"]
    assert rule in str(caught.value)


def test_documents_that_are_not_enough_are_refused() -> None:
    held = documents()
    other = {"borrower": LandedTable("dbo.loan")}
    assert "mappings" in str(refusal({"target": held["target"]}))
    assert "0 tasks" in str(refusal({}))
    assert "no JSON" in str(refusal({**held, "settings": "{"}))
    assert refusal(held, url="s3://acme-raw/elsewhere").details["rules"] == ("other_layout",)
    with pytest.raises(ArgumentError, match="table_left_out"):
        landing_from_dms(held, model=MODEL, tables={**TABLES, **other})
    held["target"]["S3Settings"]["BucketName"] = {"Fn::ImportValue": "raw"}
    assert "as it is deployed" in str(refusal(held))


def test_a_source_without_a_table_of_its_name_is_named() -> None:
    renamed = {**TABLES, "borrower": LandedTable("dbo.customer")}
    held = documents(replace(BY_SEQUENCE, tables=renamed))
    with pytest.raises(ArgumentError, match="0 tables of the mappings have the name 'borrower'"):
        landing_from_dms(held, model=MODEL)
    assert landing_from_dms(held, model=MODEL, tables=renamed).tables == renamed


def test_a_format_that_is_not_read_is_named() -> None:
    held = documents()
    held["target"]["S3Settings"]["DataFormat"] = "xml"
    assert "xml" in str(refusal(held))
