"""The template of the Lambda functions: no findings, no cycle, no right that is not needed."""

from __future__ import annotations

import copy
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import aspen_etl as ae
from aspen_etl.aws import lambda_handler
from aspen_etl.aws.events import find_source
from aspen_etl.aws.running import landing_metrics
from aspen_etl.aws.settings import OPTIONS, PREFIX, Settings, from_environment
from aspen_etl.io.reading import Reading
from aspen_etl.synchronization.intake import LandingReport
from tests.aws.events import created
from tests.support.cloudformation import Stack, as_list, find_cycle, read_template, translate
from tests.support.services import require_service

pytestmark = pytest.mark.slow

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "deploy" / "lambda"
TEMPLATE = FOLDER / "template.yaml"

GIVEN = {
    "SourceBucket": "landing",
    "SourceKey": "extract/borrowers.xlsx",
    "StoreBucket": "curated",
    "StorePrefix": "aspen/store",
}
EVERYTHING = {
    **GIVEN,
    "EventPrefix": "inbox",
    "RejectsBucket": "faults",
    "KmsKeyArns": "arn:aws:kms:us-east-1:123456789012:key/one,arn:aws:kms:us-east-1:1:key/two",
    "Format": "csv",
    "Actor": "nightly",
    "NaValues": '["-", "n/a"]',
    "IgnoreColumns": '["note"]',
    "Sheets": '{"borrower": "Sheet1"}',
    "Columns": '{"ID": "id"}',
    "HeaderRow": "2",
    "StorageOptions": '{"s3": {"s3_additional_kwargs": {"ServerSideEncryption": "aws:kms"}}}',
    "ModelVersion": "7",
    "Parts": "125000",
    "MaxMemory": "512",
    "CatalogDatabase": "aspen",
    "CreateDatabase": "true",
    "AthenaWorkgroup": "primary",
    "AthenaOutputBucket": "answers",
    "LandingBucket": "landed",
    "OnGap": "report",
    "SuppressSecret": "vault/secret",
    "AlarmTopicArn": "arn:aws:sns:us-east-1:123456789012:alarms",
    "ReservedConcurrency": "1",
}
CASES = {
    "schedule": GIVEN,
    "parts": {**GIVEN, "MaxMemory": "512"},
    "events": {"SourceBucket": "landing", "EventPrefix": "inbox", "StoreBucket": "curated"},
    "everything": EVERYTHING,
}


def tool(name: str) -> str:
    """Give a program's path, from the environment of these tests or from PATH."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    found = shutil.which(name, path=path)
    require_service(name, found, "uv pip install --group aws")
    return str(found)


def run(*words: str, cwd: Path = FOLDER) -> tuple[int, str]:
    """Run a program without a network of AWS."""
    environment = {**os.environ, "SAM_CLI_TELEMETRY": "0", "AWS_DEFAULT_REGION": "us-east-1"}
    done = subprocess.run(
        words, check=False, capture_output=True, text=True, cwd=cwd, env=environment
    )
    return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module")
def template() -> dict[str, Any]:
    """Give the template as it is written."""
    require_service("SAM", importlib.util.find_spec("samcli"), "uv pip install --group aws")
    return read_template(TEMPLATE)


@pytest.fixture(scope="module")
def translated(template: dict[str, Any]) -> dict[str, Any]:
    """Give the template as CloudFormation gets it."""
    return translate(copy.deepcopy(template))


# ---------------------------------------------------------------------------------- the tools


def test_cfn_lint_finds_nothing() -> None:
    assert run(tool("cfn-lint"), TEMPLATE.name) == (0, "")


def test_sam_finds_nothing() -> None:
    status, printed = run(tool("sam"), "validate", "--lint", "--template", TEMPLATE.name)
    assert (status, "is a valid SAM Template" in printed) == (0, True), printed


def test_the_template_has_no_aliases_which_cloudformation_refuses() -> None:
    text = TEMPLATE.read_text("utf-8")
    assert re.findall(r"(?:^|[-:,\[{] )[&*]\w.*", text, flags=re.MULTILINE) == []


# ----------------------------------------------------------------------------------- the order


def test_no_resource_waits_for_itself(translated: dict[str, Any]) -> None:
    assert find_cycle(translated) == []


@pytest.mark.parametrize(
    "role",
    [
        {"Fn::GetAtt": ["Bucket", "Arn"]},
        {"Fn::GetAtt": "Bucket.Arn"},
        {"Fn::Sub": "${Bucket.Arn}/*"},
        {"Fn::Sub": ["${Where}/*", {"Where": {"Ref": "Bucket"}}]},
        {"Fn::If": ["Always", [{"Ref": "Bucket"}], {"Ref": "AWS::NoValue"}]},
    ],
)
def test_the_walk_finds_a_cycle_that_is_there(role: Any) -> None:
    resources: dict[str, Any] = {
        "Bucket": {"Properties": {"Notify": {"Fn::GetAtt": ["Function", "Arn"]}}},
        "Function": {"Properties": {"Role": {"Ref": "Role"}}},
        "Role": {"Properties": {"Resource": role}},
    }
    assert set(find_cycle({"Resources": resources})) == set(resources)
    resources["Role"] = {"DependsOn": "Bucket"}
    assert set(find_cycle({"Resources": resources})) == set(resources)
    resources["Role"] = {"Properties": {"Fn::Sub": "${!Bucket}"}, "DependsOn": []}
    assert find_cycle({"Resources": resources}) == []


def test_an_s3_event_of_sam_is_the_cycle_that_the_walk_is_for() -> None:
    require_service("SAM", importlib.util.find_spec("samcli"), "uv pip install --group aws")
    function: dict[str, Any] = {
        "Handler": "a.b",
        "Runtime": "python3.13",
        "Policies": [{"S3ReadPolicy": {"BucketName": {"Ref": "Bucket"}}}],
        "Events": {
            "New": {
                "Type": "S3",
                "Properties": {"Bucket": {"Ref": "Bucket"}, "Events": "s3:ObjectCreated:*"},
            }
        },
    }
    bad = {
        "Transform": "AWS::Serverless-2016-10-31",
        "Resources": {
            "Bucket": {"Type": "AWS::S3::Bucket", "Properties": {}},
            "Function": {"Type": "AWS::Serverless::Function", "Properties": function},
        },
    }
    assert {"Bucket", "Function"} <= set(find_cycle(translate(bad)))


# ----------------------------------------------------------------------------------- the rights


def statements(template: dict[str, Any], role: str, case: str) -> dict[str, dict[str, Any]]:
    """Give the statements of a role as they are in a stack."""
    properties = Stack(template, CASES[case]).resolve(template["Resources"][role]["Properties"])
    assert "ManagedPolicyArns" not in properties
    (policy,) = properties["Policies"]
    return {each["Sid"]: each for each in policy["PolicyDocument"]["Statement"]}


ROLES = ["SyncRole", "VacuumRole", "SchedulerRole"]


def test_nothing_has_a_role_that_is_not_written_here(translated: dict[str, Any]) -> None:
    resources = translated["Resources"]
    assert [n for n, each in resources.items() if each["Type"] == "AWS::IAM::Role"] == ROLES
    roles = {
        name: each["Properties"]["Role"]["Fn::GetAtt"][0]
        for name, each in resources.items()
        if each["Type"] == "AWS::Lambda::Function"
    }
    assert roles == {"SyncFunction": "SyncRole", "VacuumFunction": "VacuumRole"}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("role", ROLES)
def test_no_right_is_wide(template: dict[str, Any], role: str, case: str) -> None:
    parts = {
        "arn:aws:s3:::landing/extract/borrowers.xlsx/*",  # the source may be a folder
        "arn:aws:s3:::landing/inbox/*",
        "arn:aws:s3:::landed/dms/*",
        "arn:aws:s3:::curated/aspen/store/*",
        "arn:aws:s3:::curated/aspen/*",  # the default of StorePrefix
        "arn:aws:s3:::curated/aspen/store/_aspen/exchange/*",
        "arn:aws:s3:::faults/rejects/*",
        "arn:aws:s3:::answers/athena/*",
        "arn:aws:glue:us-east-1:123456789012:table/aspen/*",
    }
    for each in statements(template, role, case).values():
        assert each["Effect"] == "Allow"
        assert not [action for action in as_list(each["Action"]) if "*" in action]
        wide = {place for place in as_list(each["Resource"]) if "*" in place}
        assert wide <= parts
        if "s3:ListBucket" in as_list(each["Action"]):
            prefixes = as_list(each["Condition"]["StringLikeIfExists"]["s3:prefix"])
            assert not [prefix for prefix in prefixes if prefix.rstrip("/*") == ""]


@pytest.mark.parametrize("case", CASES)
def test_each_deletes_what_it_made_alone(template: dict[str, Any], case: str) -> None:
    found = {
        role: [
            (action, each["Resource"])
            for each in statements(template, role, case).values()
            for action in as_list(each["Action"])
            if "Delete" in action
        ]
        for role in ROLES
    }
    places = [f"curated/{CASES[case].get('StorePrefix', 'aspen')}"]
    if CASES[case].get("RejectsBucket"):
        places.append("faults/rejects")
    pieces = "arn:aws:s3:::curated/aspen/store/_aspen/exchange/*"
    in_parts = case in ("parts", "everything")
    assert found == {
        "SyncRole": [("s3:DeleteObject", pieces)] if in_parts else [],
        "VacuumRole": [("s3:DeleteObject", f"arn:aws:s3:::{place}/*") for place in places],
        "SchedulerRole": [],
    }


def test_what_is_not_asked_for_gives_no_right(template: dict[str, Any]) -> None:
    small = statements(template, "SyncRole", "schedule")
    assert list(small) == [
        *("WriteLog", "TellOfFailure", "ReadSource", "FindSource", "WriteStore", "FindStore"),
    ]
    assert small["WriteStore"]["Action"] == [
        *("s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload"),
    ]
    assert set(statements(template, "SyncRole", "parts")) - set(small) == {"ClearExchange"}
    asked = {"UseKeys", "WriteCatalog", "MakeViews", "WriteRejects", "ReadNewFiles"}
    asked |= {"ReadLanding", "FindLanding"}
    assert asked <= set(statements(template, "SyncRole", "everything"))
    keys = statements(template, "VacuumRole", "everything")["UseKeys"]
    assert keys["Action"] == ["kms:Decrypt", "kms:GenerateDataKey"]
    assert len(keys["Resource"]) == 2


def test_prefixes_take_no_wildcard(template: dict[str, Any]) -> None:
    for name, parameter in template["Parameters"].items():
        if not name.endswith(("Prefix", "Key", "Bucket")):
            continue
        pattern = parameter["AllowedPattern"]
        for bad in ("*", "a*", "a/*", "/a", "a/", "a?b", " ", "${A}"):
            assert re.search(pattern, bad) is None, (name, bad)
        for good in ("abc", "a-b", "a.b"):
            assert re.search(pattern, good), (name, good)
        assert parameter.get("Default", "") == "" or re.search(pattern, parameter["Default"])


# ------------------------------------------------------------------------------- the functions


def environment(template: dict[str, Any], function: str, case: str) -> dict[str, str]:
    """Give the variables of a function as they are in a stack."""
    properties = template["Resources"][function]["Properties"]
    variables: dict[str, str] = Stack(template, CASES[case]).resolve(properties["Environment"])[
        "Variables"
    ]
    return variables


def test_every_setting_is_there(template: dict[str, Any]) -> None:
    sync = environment(template, "SyncFunction", "schedule")
    vacuum = environment(template, "VacuumFunction", "schedule")
    names = {f"{PREFIX}{name.upper()}" for name in OPTIONS}
    assert set(sync) == names - {"ASPEN_ETL_KEEP_DAYS", "ASPEN_ETL_WORKERS"}
    assert set(vacuum) <= names
    assert "ASPEN_ETL_KEEP_DAYS" in vacuum


def test_the_library_reads_the_settings(template: dict[str, Any]) -> None:
    plain = from_environment(environment(template, "SyncFunction", "schedule"))
    assert plain == Settings(
        store="s3://curated/aspen/store", source="s3://landing/extract/borrowers.xlsx",
        format="parquet",
    )  # fmt: skip
    # ... so that the template's defaults are the library's.
    assert plain.thresholds == ae.Thresholds()
    everything = from_environment(environment(template, "SyncFunction", "everything"))
    assert everything == Settings(
        store="s3://curated/aspen/store",
        source="s3://landing/extract/borrowers.xlsx",
        event_prefix="s3://landing/inbox/",
        format="csv",
        rejects_url="s3://faults/rejects",
        actor="nightly",
        on_gap="report",
        suppress_secret="s3://vault/secret",  # noqa: S106 - a url
        reading=Reading(
            na_values=("-", "n/a"),
            sheets={"borrower": "Sheet1"},
            columns={"ID": "id"},
            ignore_columns=("note",),
            header_row=2,
        ),
        storage_options={"s3": {"s3_additional_kwargs": {"ServerSideEncryption": "aws:kms"}}},
        model_version="7",
        parts=125_000,
        max_memory=512,
        catalog_database="aspen",
        athena_workgroup="primary",
        athena_output="s3://answers/athena/",
    )
    vacuum = from_environment(environment(template, "VacuumFunction", "everything"))
    assert (vacuum.store, vacuum.keep_days) == (everything.store, Settings("").keep_days)
    assert vacuum.rejects_url == everything.rejects_url


@pytest.mark.parametrize("function", ["SyncFunction", "VacuumFunction"])
def test_the_handlers_exist_and_end_before_the_next_run(
    template: dict[str, Any], function: str
) -> None:
    stack = Stack(template, GIVEN)
    properties = stack.resolve(template["Resources"][function]["Properties"])
    module, _, name = properties["Handler"].rpartition(".")
    assert module == lambda_handler.__name__
    assert callable(getattr(lambda_handler, name))
    assert "ReservedConcurrentExecutions" not in properties
    assert int(properties["Timeout"]) < 900
    for timeout in ("SyncTimeout", "VacuumTimeout"):
        assert template["Parameters"][timeout]["MaxValue"] < 900


@pytest.mark.parametrize(
    ("case", "heard"),
    [
        ("schedule", {"extract/borrowers.xlsx": True, "inbox/new.xlsx": False}),
        ("events", {"extract/borrowers.xlsx": False, "inbox/new.xlsx": True, "inbox2": False}),
        ("everything", {"extract/borrowers.xlsx": True, "inbox/new.xlsx": True, "x": False}),
    ],
)
def test_the_rule_hears_of_what_the_handler_reads(
    template: dict[str, Any], case: str, heard: dict[str, bool]
) -> None:
    event = template["Resources"]["SyncFunction"]["Properties"]["Events"]["ObjectCreated"]
    pattern = Stack(template, CASES[case]).resolve(event["Properties"]["Pattern"])
    settings = from_environment(environment(template, "SyncFunction", case))
    for key, expected in heard.items():
        new = created("landing", key)
        told = (
            new["source"] in pattern["source"]
            and new["detail-type"] in pattern["detail-type"]
            and new["detail"]["bucket"]["name"] in pattern["detail"]["bucket"]["name"]
            and any(key.startswith(o["prefix"]) for o in pattern["detail"]["object"]["key"])
        )
        assert told is expected
        found = find_source(new, settings, ae.BORROWER_MODEL, exists=lambda _: True)
        assert (found is not None) is expected


@pytest.mark.parametrize(("case", "state"), [("schedule", "ENABLED"), ("events", "DISABLED")])
def test_without_a_source_nothing_is_scheduled(
    template: dict[str, Any], case: str, state: str
) -> None:
    stack = Stack(template, CASES[case])
    events = template["Resources"]["SyncFunction"]["Properties"]["Events"]
    assert stack.resolve(events["Schedule"]["Properties"])["State"] == state
    silent = template["Resources"]["SyncSilent"]
    assert stack.holds(silent["Condition"]) is (state == "ENABLED")
    assert silent["Properties"]["TreatMissingData"] == "breaching"


@pytest.mark.parametrize("alarm", ["LandingLags", "LandingGaps"])
def test_a_landing_is_watched_by_metrics_that_there_are(
    template: dict[str, Any], alarm: str
) -> None:
    made = template["Resources"][alarm]
    holds = {case: Stack(template, given).holds(made["Condition"]) for case, given in CASES.items()}
    assert holds == {"schedule": False, "parts": False, "events": False, "everything": True}
    report = LandingReport(1, "2026-01-31 12:00:00.000000", 1, 1, 0)
    assert made["Properties"]["MetricName"] in landing_metrics(report)
    missing = {"LandingLags": "breaching", "LandingGaps": "notBreaching"}[alarm]
    assert made["Properties"]["TreatMissingData"] == missing


def test_every_failure_reaches_the_queue(translated: dict[str, Any]) -> None:
    queue = {"Fn::GetAtt": ["DeadLetters", "Arn"]}
    found = []
    for name, each in translated["Resources"].items():
        properties = each.get("Properties", {})
        if each["Type"] == "AWS::Lambda::EventInvokeConfig":
            assert properties["DestinationConfig"]["OnFailure"]["Destination"] == queue
        elif each["Type"] == "AWS::Scheduler::Schedule":
            assert properties["Target"]["DeadLetterConfig"]["Arn"] == queue
        elif each["Type"] == "AWS::Events::Rule":
            assert [target["DeadLetterConfig"]["Arn"] for target in properties["Targets"]] == [
                queue
            ]
        else:
            continue
        found.append(name)
    assert sorted(found) == [
        *("SyncFunctionEventInvokeConfig", "SyncFunctionObjectCreated", "SyncFunctionSchedule"),
        *("VacuumFunctionDaily", "VacuumFunctionEventInvokeConfig"),
    ]
