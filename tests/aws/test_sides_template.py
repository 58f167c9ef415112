"""The template of two sides: no findings, no right that is not needed, every setting, alarms."""

from __future__ import annotations

import copy
import importlib.util
import json
import re
from collections.abc import Mapping
from typing import Any

import pytest

from aspen_etl.aws import sides_handler
from aspen_etl.aws.settings import OPTIONS, PREFIX, sides_from_arguments, sides_from_environment
from aspen_etl.aws.sides import works_of
from aspen_etl.synchronization.settings import Settings
from aspen_etl.synchronization.side_settings import SIDE_OPTIONS, SideSettings
from tests.support.cloudformation import Stack, as_list, find_cycle, read_template, translate
from tests.support.environments import CHECKOUT
from tests.support.services import require_service

pytestmark = pytest.mark.slow

TEMPLATE = CHECKOUT / "docs" / "deploy" / "sides" / "template.yaml"
ARN = "arn:aws:secretsmanager:us-east-1:123456789012:secret:"
OLD = {"OldUrl": "postgresql+psycopg://old/loans?sslmode=require", "OldSecretArn": f"{ARN}old-1"}
NEW = {"NewUrl": "mysql+pymysql://new/loans", "NewSecretArn": f"{ARN}new-1"}
NETWORK = {
    "VpcId": "vpc-1",
    "SubnetIds": "subnet-1,subnet-2",
    "SecurityGroupIds": "sg-1,sg-2",
    "StoreBucket": "curated",
}
BOTH = {**NETWORK, **OLD, **NEW}
LANDED = {
    **NETWORK,
    **NEW,
    "OldFileBucket": "landing",
    "OldFileKey": "landing.json",
    "LandingBucket": "landed",
}
EVERYTHING = {
    **BOTH,
    "StorePrefix": "aspen/store",
    "RejectsBucket": "faults",
    "KmsKeyArns": "arn:aws:kms:us-east-1:123456789012:key/one",
    "OldSchema": "dbo",
    "OldTables": '{"borrower": "dbo.borrowers"}',
    "NewSchema": "lender",
    "SuppressSecret": "vault/secret",
    "PolicyFor": '{"borrower.email": "new"}',
    "Deletes": "hold",
    "Defaults": '{"borrower.note": "ours"}',
    "Columns": '{"Name": "full_name"}',
    "Actor": "nightly",
    "StorageOptions": '{"s3": {"s3_additional_kwargs": {"ServerSideEncryption": "aws:kms"}}}',
    "ArtifactBucket": "code",
    "Wheel": "aspen_etl-1-py3-none-any.whl",
    "JobModules": "pandas==2.3.2",
    "JobZone": "us-east-1a",
    "OldFileBucket": "landing",
    "OldFileKey": "landing.json",
    "LandingBucket": "landed",
    "MaxMemory": "700",
    "CreateJobLogs": "true",
    "AlarmTopicArn": "arn:aws:sns:us-east-1:123456789012:alarms",
}
LOAD = {**NETWORK, **NEW, "SyncWork": "load"}
TASK = {**LANDED, **OLD}
CASES: Mapping[str, Mapping[str, str]] = {
    "both": BOTH,
    "landed": LANDED,
    "task": TASK,
    "load": LOAD,
    "everything": EVERYTHING,
}
ROLES = ("SidesRole", "SchedulerRole")


@pytest.fixture(scope="module")
def template() -> dict[str, Any]:
    """Give the template as it is written."""
    require_service("SAM", importlib.util.find_spec("samcli"), "uv pip install --group aws")
    return read_template(TEMPLATE)


def resolved(template: dict[str, Any], resource: str, case: str) -> Any:
    """Give the properties of a resource as they are in a stack."""
    return Stack(template, dict(CASES[case])).resolve(template["Resources"][resource]["Properties"])


def statements(template: dict[str, Any], role: str, case: str) -> dict[str, dict[str, Any]]:
    """Give the statements of a role as they are in a stack."""
    properties = resolved(template, role, case)
    assert "ManagedPolicyArns" not in properties
    (policy,) = properties["Policies"]
    return {each["Sid"]: each for each in policy["PolicyDocument"]["Statement"]}


def settings_of_job(template: dict[str, Any], case: str) -> tuple[Settings, SideSettings]:
    pairs = resolved(template, "Job", case)["DefaultArguments"].items()
    return sides_from_arguments([word for pair in pairs for word in pair])


# ---------------------------------------------------------------------------------- the tools


def test_cfn_lint_finds_nothing() -> None:
    cfnlint = pytest.importorskip("cfnlint.api", reason="cfn-lint is not installed")
    config = cfnlint.ManualArgs(regions=["us-east-1", "eu-central-1"])
    assert cfnlint.lint(TEMPLATE.read_text("utf-8"), config=config) == []


def test_no_resource_waits_for_itself_and_no_role_is_made_beside(template: dict[str, Any]) -> None:
    translated = translate(copy.deepcopy(template))
    assert find_cycle(translated) == []
    resources = translated["Resources"]
    roles = [name for name, each in resources.items() if each["Type"] == "AWS::IAM::Role"]
    assert sorted(roles) == sorted(ROLES)


# ----------------------------------------------------------------------------------- the rights


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("role", ROLES)
def test_no_right_is_wide(template: dict[str, Any], role: str, case: str) -> None:
    store = CASES[case].get("StorePrefix", "aspen")
    parts = {
        f"arn:aws:s3:::curated/{store}/*",
        f"arn:aws:s3:::curated/{store}/_aspen/leases/*",
        "arn:aws:s3:::faults/rejects/*",
        "arn:aws:s3:::landing/landing.json/*",
        "arn:aws:s3:::landed/dms/*",
        "arn:aws:s3:::code/aspen-etl/*",
        "arn:aws:logs:us-east-1:123456789012:log-group:/aws-glue/python-jobs/*",
        "arn:aws:glue:us-east-1:123456789012:connection/*",
        "arn:aws:ec2:us-east-1:123456789012:network-interface/*",
    }
    for sid, each in statements(template, role, case).items():
        actions = as_list(each["Action"])
        assert not [action for action in actions if "*" in action]
        if each["Effect"] == "Deny" or as_list(each["Resource"]) == ["*"]:
            # A network interface: AWS lets no resource be named, and the code is denied it.
            assert sid in {"StandInTheNetwork", "TheCodeDoesNot", "StandAsAJob"}
            assert all(action.startswith("ec2:") for action in actions)
            continue
        assert {place for place in as_list(each["Resource"]) if "*" in place} <= parts
        if "s3:ListBucket" in actions:
            prefixes = as_list(each["Condition"]["StringLikeIfExists"]["s3:prefix"])
            assert not [prefix for prefix in prefixes if prefix.rstrip("/*") == ""]


@pytest.mark.parametrize("case", CASES)
def test_it_deletes_leases_alone_and_reads_two_secrets_alone(
    template: dict[str, Any], case: str
) -> None:
    given, store = CASES[case], CASES[case].get("StorePrefix", "aspen")
    rights = [
        (action, place)
        for each in statements(template, "SidesRole", case).values()
        for action in as_list(each["Action"])
        for place in as_list(each["Resource"])
    ]
    deletes = [(a, place) for a, place in rights if "Delete" in a and a.startswith("s3:")]
    assert deletes == [("s3:DeleteObject", f"arn:aws:s3:::curated/{store}/_aspen/leases/*")]
    secrets = [place for action, place in rights if action.startswith("secretsmanager:")]
    assert secrets == [given[n] for n in ("OldSecretArn", "NewSecretArn") if n in given]


def test_the_code_may_not_do_what_the_network_needs(template: dict[str, Any]) -> None:
    held = statements(template, "SidesRole", "both")
    assert held["TheCodeDoesNot"]["Action"] == held["StandInTheNetwork"]["Action"]
    assert "lambda:SourceFunctionArn" in held["TheCodeDoesNot"]["Condition"]["ArnLike"]


def test_what_is_not_asked_for_gives_no_right(template: dict[str, Any]) -> None:
    assert list(statements(template, "SidesRole", "load")) == [
        *("WriteLog", "TellOfFailure", "StandInTheNetwork", "TheCodeDoesNot", "ReadNewLogin"),
        *("WriteStore", "SweepLeases", "FindStore"),
    ]
    principals = {
        case: resolved(template, "SidesRole", case)["AssumeRolePolicyDocument"]["Statement"][0]
        for case in ("both", "everything")
    }
    assert principals["both"]["Principal"]["Service"] == ["lambda.amazonaws.com"]
    assert "glue.amazonaws.com" in principals["everything"]["Principal"]["Service"]


def test_prefixes_and_secrets_take_no_wildcard(template: dict[str, Any]) -> None:
    for name, parameter in template["Parameters"].items():
        if name.endswith(("Prefix", "Key", "Bucket", "SecretArn")):
            for bad in ("*", "a*", "/a", "a?b", " ", f"{ARN}*"):
                assert re.search(parameter["AllowedPattern"], bad) is None, (name, bad)
        if name.endswith("Url"):
            assert "NoEcho" not in parameter  # there is nothing secret in it


# --------------------------------------------------------------------------------- the settings


@pytest.mark.parametrize("case", CASES)
def test_the_library_reads_the_settings(template: dict[str, Any], case: str) -> None:
    told = resolved(template, "SidesFunction", case)["Environment"]["Variables"]
    settings, sides = sides_from_environment(told)
    given = CASES[case]
    assert sides.work == tuple(given.get("SyncWork", "pull push").split())
    assert sides.new == given["NewUrl"]
    assert (sides.policy, sides.lease, sides.confirm_after) == ("hold", 900, 60)
    assert sides.details is not None
    if case in ("landed", "task"):
        assert sides.landing == "s3://landing/landing.json"
        assert sides.old == (sides.landing if case == "landed" else OLD["OldUrl"])
    if case == "everything":
        assert sides.old == given["OldUrl"]
        assert sides.declared().units == {"borrower.email": "new"}
        assert sides.details.startswith("s3://faults/rejects/")
        assert settings.thresholds == Settings().thresholds
        assert settings.max_memory == 700
        job, at_job = settings_of_job(template, case)
        assert at_job.work == (*sides.work, "reconcile")
        assert (job.store, job.rejects_url) == (settings.store, settings.rejects_url)
        for name in SIDE_OPTIONS:
            if name not in {"work", "lease", "wait"}:
                assert getattr(at_job, name) == getattr(sides, name), name


def test_every_setting_of_sides_is_there(template: dict[str, Any]) -> None:
    told = resolved(template, "SidesFunction", "everything")["Environment"]["Variables"]
    assert {f"{PREFIX}{name.upper()}" for name in SIDE_OPTIONS} <= set(told)
    assert set(told) <= {f"{PREFIX}{name.upper()}" for name in {**SIDE_OPTIONS, **OPTIONS}}
    arguments = resolved(template, "Job", "everything")["DefaultArguments"]
    assert {f"--{name}" for name in SIDE_OPTIONS} <= set(arguments)


def test_the_function_is_one_at_a_time_in_the_network(template: dict[str, Any]) -> None:
    properties = resolved(template, "SidesFunction", "both")
    assert properties["ReservedConcurrentExecutions"] == "1"
    assert properties["VpcConfig"] == {
        "SubnetIds": ["subnet-1", "subnet-2"],
        "SecurityGroupIds": ["sg-1", "sg-2"],
    }
    module, _, name = properties["Handler"].rpartition(".")
    assert (module, callable(getattr(sides_handler, name))) == (sides_handler.__name__, True)
    lease, most = template["Parameters"]["LeaseSeconds"], template["Parameters"]["Timeout"]
    assert lease["Default"] > most["MaxValue"]


@pytest.mark.parametrize(
    ("case", "works"),
    [
        ("both", {"Sync": ("pull", "push"), "Reconcile": ("pull", "push", "reconcile")}),
        (
            "landed",
            {
                "Sync": ("pull", "push"),
                "Reconcile": ("pull", "push", "reconcile"),
                "Status": ("landing_status",),
            },
        ),
        ("load", {"Sync": ("load",), "Reconcile": ("load", "reconcile")}),
        (  # the job does the other
            "everything",
            {"Sync": ("pull", "push"), "Status": ("landing_status",)},
        ),
    ],
)
def test_each_work_has_its_schedule(
    template: dict[str, Any], case: str, works: dict[str, tuple[str, ...]]
) -> None:
    events = resolved(template, "SidesFunction", case)["Events"]
    found = {
        name: works_of(json.loads(each["Properties"]["Input"]), SideSettings())[0]
        for name, each in events.items()
        if each["Properties"]["State"] == "ENABLED"
    }
    assert found == works
    rates = {name: each["Properties"]["ScheduleExpression"] for name, each in events.items()}
    assert rates == {
        "Sync": "rate(15 minutes)",
        "Reconcile": "rate(1 day)",
        "Status": "rate(1 hour)",
    }


# ----------------------------------------------------------------------------------- the alarms


def test_every_alarm_is_of_a_metric_that_there_is(template: dict[str, Any]) -> None:
    import inspect

    from aspen_etl.aws import sides_work

    measured = set(re.findall(r"\b([A-Z]\w+)\"?\]?\s?[=:]", inspect.getsource(sides_work)))
    for case in CASES:
        stack = Stack(template, dict(CASES[case]))
        alarms = {
            name: stack.resolve(each["Properties"])
            for name, each in template["Resources"].items()
            if each["Type"] == "AWS::CloudWatch::Alarm"
            and ("Condition" not in each or stack.holds(each["Condition"]))
        }
        ours = {each["MetricName"] for each in alarms.values() if each["Namespace"] == "aspen_etl"}
        filters = {"stack-proofs", "stack-unexplained"} if case == "everything" else set()
        assert ours - filters <= measured
        assert filters <= ours
        asked = {"Refused", "Held", "Busy", "Overtaken"}
        asked |= {"Loads"} if case == "load" else {"Pulls", "Pushes"}
        assert asked <= ours
        assert (case not in ("both", "load")) == ("LandingAgeSeconds" in ours)
        for each in alarms.values():
            periods, period = int(each["EvaluationPeriods"]), int(each["Period"])
            # The most that CloudWatch takes: a day, and of whole hours a week.
            assert periods * period <= (86_400 if period < 3_600 else 604_800)
            assert ("Dimensions" in each) == (each["MetricName"] not in filters)


def test_what_is_silent_is_an_alarm_and_what_waits_stays_one(template: dict[str, Any]) -> None:
    missing = {
        name: each["Properties"]["TreatMissingData"]
        for name, each in template["Resources"].items()
        if each["Type"] == "AWS::CloudWatch::Alarm"
    }
    for name in ("PullLags", "PushLags", "LoadLags", "ProofOld", "LandingLags"):
        assert missing[name] == "breaching"
    for name in ("ConflictWaits", "DifferenceUnexplained"):
        assert missing[name] == "ignore"
