"""Each rule is broken by documents that break nothing else; what the library makes breaks none."""

from __future__ import annotations

import contextlib
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aspen_etl import BORROWER_MODEL, schema
from aspen_etl.derive.dms import (
    DMS_RULES,
    dms_endpoint,
    dms_mappings,
    dms_task_settings,
    dms_template,
    lint_dms,
    lob_size,
    read_documents,
)
from aspen_etl.derive.dms.patterns import as_pattern, matches
from aspen_etl.errors import ArgumentError
from aspen_etl.schema.landing import Landing
from tests.derive.dms_breaks import (
    BARE,
    BREAKS,
    BY_SEQUENCE,
    FAULTS,
    IN_ORDER,
    Case,
    endpoint,
    sound,
)
from tests.derive.dms_pair_breaks import PAIR_BREAKS, PAIR_FAULTS


def rules_of(case: Case) -> list[str]:
    found = lint_dms(case.documents, case.landing, model=BORROWER_MODEL)
    for each in found:
        assert (each.severity, each.why) == (
            DMS_RULES[each.rule].severity,
            DMS_RULES[each.rule].why,
        )
        assert each.where
        assert each.found != each.wanted
    return sorted({each.rule for each in found})


@pytest.mark.parametrize("rule", BREAKS)
def test_documents_that_break_a_rule_break_no_other(rule: str) -> None:
    assert [rules_of(make()) for make in BREAKS[rule]] == [[rule]] * len(BREAKS[rule])


def test_every_rule_is_broken_by_some_documents() -> None:
    assert {*BREAKS, *PAIR_BREAKS} == set(DMS_RULES)


LANDINGS = st.one_of(
    st.builds(
        replace,
        st.just(BY_SEQUENCE),
        url=st.sampled_from(["s3://acme-raw", "s3://acme-raw/", "s3://acme-raw/a/b"]),
        tables=st.sampled_from([BY_SEQUENCE.tables, BARE]),
        sequence=st.sampled_from(["dms_seq", "Seq No"]),
        before=st.sampled_from(["BI_", "old."]),
        compression=st.sampled_from(["none", "gzip"]),
        partitions=st.sampled_from([None, "YYYYMMDDHH"]),
        heartbeat=st.sampled_from([None, "dbo.heart_beat"]),
    ),
    st.builds(replace, st.just(BY_SEQUENCE), format=st.just("parquet")),
    st.just(IN_ORDER),
)


@given(LANDINGS)
def test_what_the_library_makes_breaks_no_rule(landing: Landing) -> None:
    assert rules_of(sound(landing)) == []
    documents = read_documents([("template", dms_template(BORROWER_MODEL, landing))])
    assert documents.missing == ()
    assert lint_dms(documents, landing, model=BORROWER_MODEL) == ()
    # That the landing declares headers is not known without it.
    is_bare = landing.tables == BARE and landing.order == "sequence"
    assert {each.rule for each in lint_dms(documents)} == ({"header"} if is_bare else set())


def test_what_the_library_makes_for_a_time_is_told_to_be_ambiguous() -> None:
    documents = sound(replace(BY_SEQUENCE, order="time")).documents
    assert {each.rule for each in lint_dms(documents)} == {"sequence"}


def test_tasks_on_folders_of_their_own_do_not_meet() -> None:
    case = BREAKS["shared_folder"][0]()
    (target,) = case.documents["endpoints"]["Endpoints"]
    for place, expected in (
        ({"BucketName": "acme-other"}, False),
        ({"BucketFolder": "dms2"}, False),
        ({"BucketFolder": "dms/below"}, True),
        ({"BucketFolder": ""}, True),
    ):
        other = {**target, "EndpointArn": "arn:o", "S3Settings": {**target["S3Settings"], **place}}
        case.documents["endpoints"]["Endpoints"] = [target, other]
        case.documents["tasks"]["ReplicationTasks"][1]["TargetEndpointArn"] = "arn:o"
        found = {each.rule for each in lint_dms(case.documents)}
        assert ("shared_folder" in found) is expected


@given(st.text("ab_%[]^-\\.", min_size=1), st.text("ab_%[]^-\\.", min_size=1))
def test_a_name_that_is_written_as_a_pattern_matches_itself_alone(name: str, other: str) -> None:
    assert matches(as_pattern(name), name)
    assert matches(as_pattern(name), other) is (name == other)


def test_rules_about_a_table_are_about_no_other() -> None:
    rules = dms_mappings(BORROWER_MODEL, BY_SEQUENCE)["rules"]
    assert rules[-1]["object-locator"] == {"schema-name": "dbo", "table-name": "role[_]profile"}
    assert matches("role_profile", "role-profile")
    assert matches("%[a-c]d[^e]", "xxbdf")


def test_without_a_landing_what_needs_none_is_looked_at() -> None:
    for rule in ("op_in_full_load", "sequence", "before_image", "null_token", "files_deleted"):
        documents = BREAKS[rule][0]().documents
        assert {each.rule for each in lint_dms(documents)} == {rule}


def test_attributes_of_an_endpoint_are_its_settings_too() -> None:
    case = endpoint(AddColumnName=None, Rfc4180=None)
    case.documents["target"]["ExtraConnectionAttributes"] = "addColumnName=true; rfc4180=false;"
    assert rules_of(case) == ["quotes"]


def test_describe_calls_are_read_as_they_are_printed() -> None:
    case = sound()
    task = {
        "ReplicationTaskIdentifier": "land",
        "MigrationType": "cdc",
        "SourceEndpointArn": "arn:s",
        "TargetEndpointArn": "arn:t",
        "TableMappings": json.dumps(case.documents["mappings"]),
        "ReplicationTaskSettings": json.dumps({"TargetMetadata": {"BatchApplyEnabled": True}}),
    }
    ends = [
        {**case.documents["source"], "EndpointType": "SOURCE", "EndpointArn": "arn:s"},
        {**case.documents["target"], "EndpointType": "TARGET", "EndpointArn": "arn:t"},
    ]
    documents = read_documents(
        [("tasks", {"ReplicationTasks": [task]}), ("ends", {"Endpoints": ends})]
    )
    assert documents.missing == ("bucket",)
    found = lint_dms(documents, case.landing, model=BORROWER_MODEL)
    assert {each.rule for each in found} == {
        *("migration_type", "batch_apply", "files_deleted", "skipped_rows", "suspended_table"),
    }
    assert {each.where.partition(":")[0] for each in found} == {"land"}


@pytest.mark.parametrize(
    ("documents", "told"),
    [
        ({"x.json": {"a": 1}}, "x.json is no document"),
        ({"x.json": ["rules"]}, "x.json is no document"),
        ({"a": {"rules": []}, "b": {"rules": []}}, "two documents are the mappings"),
        ({"t": {"ReplicationTask": {"TableMappings": "{"}}}, "TableMappings is no JSON"),
        ({"t": {"ReplicationTask": {"TableMappings": "[]"}}}, "TableMappings is no JSON object"),
        ({"m": {"rules": 5}}, "rules is no list"),
        ({"m": {"rules": [None]}}, "a part of task: rules is no JSON object"),
    ],
)
def test_what_is_no_document_is_refused(documents: dict[str, Any], told: str) -> None:
    with pytest.raises(ArgumentError, match=told) as caught:
        lint_dms(documents)
    assert caught.value.details["problem"] == "document"


def test_a_document_of_odd_parts_is_judged_all_the_same() -> None:
    odd = {"rules": [{"rule-type": "transformation", "object-locator": 5}, {}]}
    found = lint_dms({"m": odd}, BY_SEQUENCE)
    assert {each.rule for each in found} >= {"table_left_out", "sequence"}
    assert lint_dms({"s": {"TargetMetadata": 5}})


def test_parts_follow_from_the_model_and_the_landing() -> None:
    rules = dms_mappings(BORROWER_MODEL, replace(BY_SEQUENCE, heartbeat="dbo.beat"))["rules"]
    assert [rule["rule-id"] for rule in rules] == [str(number) for number in range(1, 10)]
    taken = [rule["object-locator"]["table-name"] for rule in rules[:3]]
    assert taken == ["borrower", "role_profile", "beat"]
    assert dms_endpoint(IN_ORDER)["S3Settings"]["CdcPath"] == "transactions"
    assert dms_task_settings()["TargetMetadata"]["LobMaxSize"] == 32


def test_a_landing_that_no_endpoint_can_write_is_refused() -> None:
    mixed = {**BY_SEQUENCE.tables, "borrower": BARE["borrower"]}
    for landing, told in (
        (replace(BY_SEQUENCE, url="/data"), "S3 alone"),
        (replace(BY_SEQUENCE, tables=mixed), "some tables declare headers"),
    ):
        with pytest.raises(ArgumentError, match=told):
            dms_endpoint(landing)


WORDS = st.sampled_from(
    [
        *("rules", "rule-type", "selection", "transformation", "rule-action", "add-column", "%"),
        *("include", "exclude", "explicit", "object-locator", "schema-name", "table-name", "dbo"),
        *("borrower", "filters", "data-type", "before-image-def", "add-before-image-columns"),
        *("TargetMetadata", "LobMaxSize", "ErrorBehavior", "S3Settings", "CsvNullValue", "Ref"),
        *("Endpoints", "EndpointType", "target", "Resources", "Type", "AWS::DMS::Endpoint"),
        *("AWS::DMS::ReplicationTask", "AWS::S3::Bucket", "Properties", "TableMappings", "{}"),
        *("ReplicationTasks", "TargetEndpointArn", "EndpointArn", "Status", "Bucket", "Versioning"),
        *(
            "primary-key-def",
            "columns",
            "define-primary-key",
            "Parameters",
            "Default",
            "[",
            "remove-column",
        ),
    ]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | WORDS,
    lambda held: st.lists(held, max_size=3) | st.dictionaries(WORDS, held, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(WORDS, VALUES, max_size=4), st.booleans())
def test_whatever_a_document_holds_is_judged_or_refused(document: Any, known: bool) -> None:  # noqa: FBT001
    landing = BY_SEQUENCE if known else None
    with contextlib.suppress(ArgumentError):
        lint_dms({"document": document}, landing, model=BORROWER_MODEL)


@given(st.sampled_from(["mappings", "settings", "target", "source", "bucket"]), st.data())
def test_a_document_with_any_value_in_it_is_judged_or_refused(name: str, data: Any) -> None:
    case = sound()
    held = case.documents[name]
    while isinstance(held, (dict, list)) and held:
        key = data.draw(st.sampled_from(range(len(held)) if isinstance(held, list) else [*held]))
        if data.draw(st.booleans()):
            held[key] = data.draw(VALUES)
            break
        held = held[key]
    with contextlib.suppress(ArgumentError):
        lint_dms(case.documents, case.landing, model=BORROWER_MODEL)


def test_what_a_breach_does_to_the_files_is_told_for_every_rule() -> None:
    assert {rule.fault for rule in DMS_RULES.values()} == {*FAULTS, *PAIR_FAULTS}


def test_dated_folders_are_those_of_the_landing() -> None:
    landing = replace(BY_SEQUENCE, partitions="YYYYMMDDHH")
    assert rules_of(sound(landing)) == []
    assert rules_of(endpoint(landing, DatePartitionSequence="yyyymmddhh")) == []
    assert rules_of(endpoint(landing, DatePartitionSequence="YYYYMM")) == ["other_layout"]


def test_what_is_known_on_the_day_of_deployment_is_no_finding() -> None:
    later: Any = {"Fn::ImportValue": "name"}
    names = (
        *("BucketName", "BucketFolder", "TimestampColumnName", "CsvNullValue", "AddColumnName"),
        *("CsvNoSupValue", "CsvDelimiter", "DatePartitionTimezone", "IncludeOpForFullLoad"),
    )
    assert rules_of(endpoint(BY_SEQUENCE, **dict.fromkeys(names, later))) == []


def test_other_sources_trim_nothing() -> None:
    case = sound()
    case.documents["source"] = {"EndpointType": "source", "EngineName": "postgres"}
    assert rules_of(case) == []


class Note(schema.Table):
    """A note of any length."""

    note_id: schema.Series[str] = schema.column(primary_key=True, length=9, source="notes.id")
    text: schema.Series[str] = schema.column(source="notes.text")


def test_a_text_without_a_limit_has_no_size() -> None:
    model = schema.Model.of(tables=[Note])
    assert lob_size(model) is None
    assert dms_task_settings(model=model)["TargetMetadata"]["LobMaxSize"] == 32
    (found,) = [
        each
        for each in lint_dms({"s": {"TargetMetadata": {"LobMaxSize": 31}}}, model=model)
        if each.rule == "lob_size"
    ]
    assert (found.found, found.wanted) == ("31", "32 or more (KB)")
