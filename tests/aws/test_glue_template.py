"""The template of the Glue job: it is valid, gives no right too many, passes all settings on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aspen_etl.aws.settings import OPTIONS, Settings, from_arguments
from aspen_etl.io.reading import Reading
from tests.support.environments import CHECKOUT, read_pins

pytestmark = pytest.mark.slow

TEMPLATE = CHECKOUT / "docs" / "deploy" / "glue" / "template.yaml"
REQUIRED = {
    "ArtifactBucket": "code",
    "StoreBucket": "out",
    "SourceBucket": "in",
    "SourceKey": "b.xlsx",
}
NOTHING = object()


@pytest.fixture(scope="module")
def template() -> dict[str, Any]:
    """Read the template; its short forms (`!Ref`) become the long ones."""
    cfnlint = pytest.importorskip("cfnlint.decode", reason="cfn-lint is not installed")
    read, findings = cfnlint.decode(str(TEMPLATE))
    assert findings == []
    assert read is not None
    return dict(read)


# ------------------------------------------------------------------------ what it comes out as


class Resolver:
    """Resolve what a template says for parameters, as CloudFormation does."""

    def __init__(self, template: dict[str, Any], given: dict[str, str]) -> None:
        self.template = template
        self.names = {
            name: str(each["Default"])
            for name, each in template["Parameters"].items()
            if "Default" in each
        }
        self.names |= {"AWS::StackName": "stack", "AWS::Partition": "aws", "AWS::Region": "r"}
        self.names |= {"AWS::AccountId": "1", **given}

    def resolve(self, value: Any) -> Any:
        """Resolve a value; what is left out is left out of what holds it."""
        if isinstance(value, list):
            held = [self.resolve(each) for each in value]
            return [each for each in held if each is not NOTHING]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            ((function, argument),) = value.items()
            known = getattr(self, f"_{function.replace('Fn::', '').lower()}", None)
            if known is not None:
                return known(argument)
        pairs = {name: self.resolve(each) for name, each in value.items()}
        return {name: each for name, each in pairs.items() if each is not NOTHING}

    def _ref(self, name: str) -> Any:
        return NOTHING if name == "AWS::NoValue" else self.names.get(name, name)

    def _getatt(self, path: list[str]) -> str:
        return ".".join(path)

    def _sub(self, text: str) -> str:
        return re.sub(r"\$\{([^}]+)\}", lambda name: str(self._ref(name[1])), text)

    def _join(self, argument: list[Any]) -> str:
        glue, parts = argument
        resolved = self.resolve(parts)
        return str(glue.join(resolved) if isinstance(resolved, list) else resolved)

    def _if(self, argument: list[Any]) -> Any:
        name, yes, no = argument
        return self.resolve(yes if self.resolve(self.template["Conditions"][name]) else no)

    def _condition(self, name: Any) -> Any:
        return self.resolve(self.template["Conditions"][name])

    def _equals(self, argument: list[Any]) -> bool:
        one, other = self.resolve(argument)
        return bool(one == other)

    def _not(self, argument: list[Any]) -> bool:
        return not self.resolve(argument[0])

    def _and(self, argument: list[Any]) -> bool:
        return all(self.resolve(each) for each in argument)


def arguments(template: dict[str, Any], **given: str) -> dict[str, str]:
    """Give the arguments that the job gets."""
    job = template["Resources"]["Job"]["Properties"]["DefaultArguments"]
    resolved: dict[str, str] = Resolver(template, REQUIRED | given).resolve(job)
    return resolved


def settings(template: dict[str, Any], **given: str) -> Settings:
    """Give what the library makes of the arguments, in the order in which it gets them."""
    pairs = arguments(template, **given).items()
    return from_arguments([word for pair in pairs for word in pair])


def statements(template: dict[str, Any], **given: str) -> list[dict[str, Any]]:
    """Give what the role may do."""
    policies = template["Resources"]["JobRole"]["Properties"]["Policies"]
    (policy,) = Resolver(template, REQUIRED | given).resolve(policies)
    listed: list[dict[str, Any]] = policy["PolicyDocument"]["Statement"]
    return listed


EVERYTHING = {
    "RejectsBucket": "bad",
    "CatalogDatabase": "aspen",
    "Format": "csv",
    "AthenaWorkgroup": "main",
    "AthenaOutputBucket": "answers",
    "KmsKeyArns": "arn:aws:kms:r:1:key/k",
}

# ------------------------------------------------------------------------------------ the tests


def test_cfn_lint_has_no_finding() -> None:
    cfnlint = pytest.importorskip("cfnlint.api", reason="cfn-lint is not installed")
    # The lowest of its severities is included.
    config = cfnlint.ManualArgs(regions=["us-east-1", "eu-central-1"], include_checks=["I"])
    assert cfnlint.lint(TEMPLATE.read_text("utf-8"), config=config) == []


def test_it_installs_what_the_constraints_file_pins(template: dict[str, Any]) -> None:
    modules = arguments(template)["--additional-python-modules"].split(",")
    pins = read_pins("glue-python-shell-3.9.txt")
    assert modules == [f"{name}=={version}" for name, version in pins.items()]


def test_the_job_is_what_fits_a_schedule(template: dict[str, Any]) -> None:
    job = Resolver(template, REQUIRED).resolve(template["Resources"]["Job"]["Properties"])
    assert job["Command"] == {
        "Name": "pythonshell",
        "PythonVersion": "3.9",
        "ScriptLocation": "s3://code/aspen-etl/glue/job.py",
    }
    assert (job["MaxCapacity"], job["Timeout"], job["MaxRetries"]) == ("0.0625", "14", 0)
    assert job["ExecutionProperty"] == {"MaxConcurrentRuns": 1}
    assert job["DefaultArguments"]["library-set"] == "none"
    trigger = Resolver(template, REQUIRED).resolve(template["Resources"]["Trigger"]["Properties"])
    assert (trigger["Type"], trigger["Schedule"]) == ("SCHEDULED", "cron(0/15 * * * ? *)")


def test_the_library_takes_every_argument(template: dict[str, Any]) -> None:
    given = template["Resources"]["Job"]["Properties"]["DefaultArguments"]
    ours = {name[2:] for name in given if name.startswith("--")}
    glue = {"extra-py-files", "additional-python-modules"}
    assert ours - glue == set(OPTIONS) - {"event_prefix", "keep_days"}


def test_defaults_become_settings(template: dict[str, Any]) -> None:
    made = settings(template)
    assert (made.source, made.store) == ("s3://in/b.xlsx", "s3://out/aspen")
    assert (made.format, made.missing, made.actor) == ("parquet", "delete", "stack")
    assert made.thresholds == type(made.thresholds)()
    assert (made.rejects_url, made.catalog_database, made.athena_output) == (None, None, None)
    assert made.reading == Reading()


def test_every_parameter_becomes_a_setting(template: dict[str, Any]) -> None:
    made = settings(
        template,
        **EVERYTHING,
        Missing="keep",
        Actor="me",
        MaxRejectedRows="0.5",
        MinDeletedRows="7",
        AllowEmpty="true",
        NaValues='["-"]',
        Sheets='{"borrower": "Sheet1"}',
        HeaderRow="2",
        StorageOptions='{"s3": {"anon": false}}',
        ModelVersion="3",
    )
    assert (made.rejects_url, made.format, made.missing) == ("s3://bad/rejects", "csv", "keep")
    assert (made.actor, made.model_version) == ("me", "3")
    assert (made.thresholds.max_rejected_rows, made.thresholds.min_deleted_rows) == (0.5, 7)
    assert made.thresholds.allow_empty
    assert made.reading == Reading(na_values=["-"], sheets={"borrower": "Sheet1"}, header_row=2)
    assert made.storage_options == {"s3": {"anon": False}}
    assert (made.catalog_database, made.athena_workgroup) == ("aspen", "main")
    assert made.athena_output == "s3://answers/athena/"


def test_the_role_may_do_what_is_needed_and_delete_nothing(template: dict[str, Any]) -> None:
    allowed = {
        (action, resource)
        for each in statements(template)
        for action in as_list(each["Action"])
        for resource in as_list(each["Resource"])
        if not action.startswith("logs:")
    }
    assert allowed == {
        ("s3:GetObject", "arn:aws:s3:::code/aspen-etl/glue/*"),
        ("s3:GetObject", "arn:aws:s3:::in/b.xlsx"),
        ("s3:GetObject", "arn:aws:s3:::in/b.xlsx/*"),
        ("s3:ListBucket", "arn:aws:s3:::in"),
        ("s3:GetObject", "arn:aws:s3:::out/aspen/*"),
        ("s3:PutObject", "arn:aws:s3:::out/aspen/*"),
        ("s3:AbortMultipartUpload", "arn:aws:s3:::out/aspen/*"),
        ("s3:ListBucket", "arn:aws:s3:::out"),
    }
    for each in statements(template, **EVERYTHING):
        assert each["Effect"] == "Allow"
        for action in as_list(each["Action"]):
            assert "*" not in action
            assert not re.search("Delete|PutBucket|PutLifecycle", action)
        for resource in as_list(each["Resource"]):
            assert re.fullmatch(r"arn:aws:[a-z0-9]+:r?:1?:[^*]+?[/:]?[*]?", resource), resource
        if "s3:ListBucket" in as_list(each["Action"]):
            assert each["Condition"]["StringLikeIfExists"]["s3:prefix"]


def test_rights_come_only_with_what_needs_them(template: dict[str, Any]) -> None:
    plain = {each["Sid"] for each in statements(template)}
    full = {each["Sid"] for each in statements(template, **EVERYTHING)}
    assert full - plain == {
        *("WriteRejects", "FindRejects", "UseKeys", "WriteCatalog", "MakeViews"),
        *("AthenaAsksForItsDefaultDatabase", "WriteAnswers", "FindAnswers"),
    }
    parquet = statements(template, **{**EVERYTHING, "Format": "parquet"})
    assert "MakeViews" not in {each["Sid"] for each in parquet}


def test_nothing_depends_on_itself(template: dict[str, Any]) -> None:
    needs = {
        name: set(references(body)) & template["Resources"].keys()
        for name, body in template["Resources"].items()
    }
    while needs:
        free = {name for name, others in needs.items() if not others & needs.keys()}
        assert free, f"a cycle among {sorted(needs)}"
        needs = {name: others for name, others in needs.items() if name not in free}


def test_a_run_that_fails_and_a_job_that_is_silent_are_alarms(template: dict[str, Any]) -> None:
    made = Resolver(template, REQUIRED | {"AlarmTopicArn": "topic"}).resolve(template["Resources"])
    counted = {
        name: made[name]["Properties"]["MetricTransformations"][0]["MetricName"]
        for name in ("CountFailures", "CountSuccesses")
    }
    failed, silent = made["RunFailed"]["Properties"], made["JobSilent"]["Properties"]
    assert (failed["MetricName"], silent["MetricName"]) == tuple(counted.values())
    assert (failed["TreatMissingData"], silent["TreatMissingData"]) == ("notBreaching", "breaching")
    assert failed["AlarmActions"] == silent["AlarmActions"] == ["topic"]
    told = made["RunEnded"]["Properties"]
    assert told["EventPattern"]["detail"] == {"jobName": ["Job"]}
    assert told["Targets"][0]["Arn"].endswith(":log-group:RunLog")
    assert made["RunLog"]["Properties"]["LogGroupName"].startswith("/aws/events/")


def as_list(value: Any) -> list[str]:
    """Give a list of what may be one text."""
    return [value] if isinstance(value, str) else list(value)


def references(value: Any) -> Iterator[str]:
    """Name what a part of a template refers to."""
    if isinstance(value, list):
        for each in value:
            yield from references(each)
    elif isinstance(value, dict):
        for name, each in value.items():
            if name == "Ref":
                yield each
            elif name == "DependsOn":
                yield from as_list(each)
            elif name == "Fn::GetAtt":
                yield each[0]
            elif name == "Fn::Sub":
                yield from re.findall(r"\$\{([A-Za-z0-9]+)", each)
            else:
                yield from references(each)


def test_the_page_names_every_argument() -> None:
    page = (CHECKOUT / "docs" / "how-to" / "glue-python-shell.md").read_text("utf-8")
    named = set(re.findall(r"`--([a-z_]+)`", page))
    assert named - {"arguments"} == set(OPTIONS) - {"event_prefix", "keep_days"}


def test_the_script_is_what_the_page_says() -> None:
    lines = Path(TEMPLATE.parent / "job.py").read_text("utf-8").splitlines()
    assert lines[-3:] == ["from aspen_etl.aws.glue_job import main", "", "main()"]
