"""The template under docs/deploy is what the library makes; its roles may do what is needed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from aspen_etl import BORROWER_MODEL
from aspen_etl.derive.dms import (
    dms_pair_template_text,
    dms_template_text,
    lint_dms,
    read_documents,
)
from aspen_etl.schema.landing import Landing
from tests.support.environments import CHECKOUT

FOLDER = CHECKOUT / "docs" / "deploy" / "migration"
TEMPLATE, PAIR = FOLDER / "template.json", FOLDER / "pair.json"
LANDING = Landing.from_json((FOLDER / "landing.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def template() -> dict[str, Any]:
    return dict(json.loads(TEMPLATE.read_text("utf-8")))


def test_it_is_what_the_library_makes() -> None:
    assert TEMPLATE.read_text("utf-8") == dms_template_text(BORROWER_MODEL, LANDING)
    assert PAIR.read_text("utf-8") == dms_pair_template_text(BORROWER_MODEL, LANDING)


def test_its_own_linter_has_no_finding(template: dict[str, Any]) -> None:
    documents = read_documents([("template.json", template)])
    assert documents.missing == ()
    assert lint_dms(documents, LANDING, model=BORROWER_MODEL) == ()
    documents = read_documents([("pair.json", json.loads(PAIR.read_text("utf-8")))])
    assert documents.missing == ()
    assert lint_dms(documents, model=BORROWER_MODEL) == ()


@pytest.mark.slow
def test_cfn_lint_has_no_finding() -> None:
    cfnlint = pytest.importorskip("cfnlint.api", reason="cfn-lint is not installed")
    # The lowest of its severities is included.
    config = cfnlint.ManualArgs(regions=["us-east-1", "eu-central-1"], include_checks=["I"])
    for template in (TEMPLATE, PAIR):
        assert cfnlint.lint(template.read_text("utf-8"), config=config) == []


def policies(template: dict[str, Any]) -> list[dict[str, Any]]:
    """Give the statements of all roles, without what a condition leaves out."""
    return [
        each["Fn::If"][1] if "Fn::If" in each else each
        for resource in template["Resources"].values()
        for policy in resource["Properties"].get("Policies", ())
        for each in policy["PolicyDocument"]["Statement"]
    ]


def test_roles_may_do_what_is_needed_and_nothing_has_a_wildcard(template: dict[str, Any]) -> None:
    files = "arn:${AWS::Partition}:s3:::example-landing"
    allowed = {
        (action, json.dumps(each["Resource"]))
        for each in policies(template)
        for action in each["Action"]
    }
    below = json.dumps({"Fn::Sub": f"{files}/dms/*"})
    secret = json.dumps({"Ref": "SecretArn"})
    assert allowed == {
        ("s3:PutObject", below),
        ("s3:DeleteObject", below),
        ("s3:PutObjectTagging", below),
        ("s3:ListBucket", json.dumps({"Fn::Sub": files})),
        ("secretsmanager:GetSecretValue", secret),
        ("secretsmanager:DescribeSecret", secret),
        ("kms:Decrypt", json.dumps({"Ref": "SecretKeyArn"})),
    }
    assert {each["Effect"] for each in policies(template)} == {"Allow"}


def test_the_pair_has_rights_to_both_logins_alone_and_four_alarms() -> None:
    template = json.loads(PAIR.read_text("utf-8"))
    allowed = {
        (action, each["Resource"]["Ref"])
        for each in policies(template)
        for action in each["Action"]
    }
    assert allowed == {
        (action, f"{side}{name}")
        for side in ("Old", "New")
        for action, name in (
            ("secretsmanager:GetSecretValue", "SecretArn"),
            ("secretsmanager:DescribeSecret", "SecretArn"),
            ("kms:Decrypt", "SecretKeyArn"),
        )
    }
    kinds = [each["Type"].rpartition("::")[2] for each in template["Resources"].values()]
    counts = {kind: kinds.count(kind) for kind in ("Endpoint", "ReplicationTask", "Alarm")}
    assert counts == {"Endpoint": 4, "ReplicationTask": 2, "Alarm": 4}
    assert "Password" not in json.dumps(template)


def test_no_secret_stands_in_it(template: dict[str, Any]) -> None:
    text = json.dumps(template)
    assert '"Password"' not in text
    assert '"Username"' not in text
    source = template["Resources"]["Source"]["Properties"]["MicrosoftSqlServerSettings"]
    assert source["SecretsManagerSecretId"] == {"Ref": "SecretArn"}


def test_both_latencies_and_silence_are_alarms(template: dict[str, Any]) -> None:
    alarms = [
        each["Properties"]
        for each in template["Resources"].values()
        if each["Type"] == "AWS::CloudWatch::Alarm"
    ]
    assert [each["MetricName"] for each in alarms] == ["CDCLatencySource", "CDCLatencyTarget"]
    assert {each["TreatMissingData"] for each in alarms} == {"breaching"}


def test_the_bucket_keeps_no_versions_and_outlives_the_stack(template: dict[str, Any]) -> None:
    bucket = template["Resources"]["Bucket"]
    assert "VersioningConfiguration" not in bucket["Properties"]
    assert bucket["DeletionPolicy"] == bucket["UpdateReplacePolicy"] == "Retain"
    assert all(bucket["Properties"]["PublicAccessBlockConfiguration"].values())
