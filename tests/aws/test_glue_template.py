"""The templates of the Glue jobs: they are valid, give no right too many, pass all settings on."""

from __future__ import annotations

import importlib.util
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from aspen_etl.aws.running import landing_metrics
from aspen_etl.aws.settings import OPTIONS, Settings, from_arguments
from aspen_etl.io.reading import Reading
from aspen_etl.synchronization.intake import LandingReport
from tests.support.cloudformation import Stack, as_list, find_cycle, read_template
from tests.support.environments import CHECKOUT, read_pins
from tests.support.services import require_service

pytestmark = pytest.mark.slow

FOLDER = CHECKOUT / "docs" / "deploy" / "glue"
PAGES = CHECKOUT / "docs" / "how-to"
REQUIRED = {
    "ArtifactBucket": "code",
    "StoreBucket": "out",
    "SourceBucket": "in",
    "SourceKey": "b.xlsx",
}
EVERYTHING = {
    "RejectsBucket": "bad",
    "LandingBucket": "landed",
    "CatalogDatabase": "aspen",
    "Format": "csv",
    "AthenaWorkgroup": "main",
    "AthenaOutputBucket": "answers",
    "KmsKeyArns": "arn:aws:kms:us-east-1:1:key/k",
    "Parts": "1000",
}
#: The settings that a job has no use for.
NOT_FOR_JOBS = {"event_prefix", "keep_days"}


@dataclass(frozen=True)
class Job:
    """A template, and what is its own.

    Attributes:
        path: Where it is.
        template: What is written in it.
        pins: The constraints file that it follows.
        glue: The arguments that are Glue's.
    """

    path: Path
    template: dict[str, Any]
    pins: str
    glue: frozenset[str]

    def resolve(self, value: Any, **given: str) -> Any:
        """Give what a value comes to."""
        return Stack(self.template, REQUIRED | given).resolve(value)

    def properties(self, resource: str, **given: str) -> dict[str, Any]:
        """Give the properties of a resource."""
        properties = self.template["Resources"][resource]["Properties"]
        found: dict[str, Any] = self.resolve(properties, **given)
        return found

    def arguments(self, **given: str) -> dict[str, str]:
        """Give the arguments that the job gets."""
        found: dict[str, str] = self.properties("Job", **given)["DefaultArguments"]
        return found

    def settings(self, **given: str) -> Settings:
        """Give what the library makes of the arguments, in the order in which it gets them."""
        pairs = self.arguments(**given).items()
        return from_arguments([word for pair in pairs for word in pair])

    def statements(self, **given: str) -> dict[str, dict[str, Any]]:
        """Give what the role may do."""
        (policy,) = self.properties("JobRole", **given)["Policies"]
        return {each["Sid"]: each for each in policy["PolicyDocument"]["Statement"]}

    def allowed(self, **given: str) -> set[tuple[str, str]]:
        """Give what the role may do with what, beside its log."""
        return {
            (action, resource)
            for each in self.statements(**given).values()
            for action in as_list(each["Action"])
            for resource in as_list(each["Resource"])
            if not action.startswith("logs:")
        }


def read(file: str, pins: str, *glue: str) -> Job:
    require_service("SAM", importlib.util.find_spec("samcli"), "uv pip install --group aws")
    path = FOLDER / file
    return Job(path, read_template(path), pins, frozenset(glue))


@pytest.fixture(scope="module")
def shell() -> Job:
    glue = ("extra-py-files", "additional-python-modules")
    return read("template.yaml", "glue-python-shell-3.9.txt", *glue)


@pytest.fixture(scope="module")
def spark() -> Job:
    glue = ("custom-logGroup-prefix", "additional-python-modules")
    return read("spark.yaml", "glue-5.0-spark.txt", *glue)


@pytest.fixture(params=["shell", "spark"])
def job(request: pytest.FixtureRequest) -> Job:
    found: Job = request.getfixturevalue(request.param)
    return found


# ------------------------------------------------------------------------------------ both jobs


def test_cfn_lint_has_no_finding(job: Job) -> None:
    cfnlint = pytest.importorskip("cfnlint.api", reason="cfn-lint is not installed")
    # The lowest of its severities is included.
    config = cfnlint.ManualArgs(regions=["us-east-1", "eu-central-1"], include_checks=["I"])
    assert cfnlint.lint(job.path.read_text("utf-8"), config=config) == []


def test_it_installs_what_the_constraints_file_pins(job: Job) -> None:
    modules = job.arguments()["--additional-python-modules"].split(",")
    pinned = [f"{name}=={version}" for name, version in read_pins(job.pins).items()]
    assert modules[: len(pinned)] == pinned
    assert all(each.startswith("s3://code/") for each in modules[len(pinned) :])


def test_it_runs_on_a_schedule_and_never_twice(job: Job) -> None:
    made, trigger = job.properties("Job"), job.properties("Trigger")
    assert made["ExecutionProperty"] == {"MaxConcurrentRuns": 1}
    assert (made["MaxRetries"], trigger["Actions"]) == (0, [{"JobName": "Job"}])
    assert trigger["Type"] == "SCHEDULED"
    assert re.fullmatch(r"cron\(.+\)", trigger["Schedule"])


def test_the_library_takes_every_argument(job: Job) -> None:
    given = job.template["Resources"]["Job"]["Properties"]["DefaultArguments"]
    ours = {name[2:] for name in given if name.startswith("--")}
    assert job.glue <= ours
    assert ours - job.glue == set(OPTIONS) - NOT_FOR_JOBS


def test_defaults_become_settings(job: Job) -> None:
    made = job.settings()
    assert (made.source, made.store) == ("s3://in/b.xlsx", "s3://out/aspen")
    assert (made.format, made.missing, made.actor) == ("parquet", "delete", "stack")
    assert made.thresholds == type(made.thresholds)()
    assert (made.rejects_url, made.catalog_database, made.athena_output) == (None, None, None)
    assert made.reading == Reading()
    assert made.max_memory is None


def test_every_parameter_becomes_a_setting(job: Job) -> None:
    made = job.settings(
        **EVERYTHING,
        Missing="keep",
        OnGap="report",
        SuppressSecret="vault/secret",
        Actor="me",
        MaxRejectedRows="0.5",
        MinDeletedRows="7",
        AllowEmpty="true",
        NaValues='["-"]',
        Sheets='{"borrower": "Sheet1"}',
        HeaderRow="2",
        StorageOptions='{"s3": {"anon": false}}',
        ModelVersion="3",
        MaxMemory="512",
    )
    assert (made.rejects_url, made.format, made.missing) == ("s3://bad/rejects", "csv", "keep")
    assert (made.actor, made.model_version) == ("me", "3")
    assert (made.thresholds.max_rejected_rows, made.thresholds.min_deleted_rows) == (0.5, 7)
    assert made.thresholds.allow_empty
    assert made.reading == Reading(na_values=["-"], sheets={"borrower": "Sheet1"}, header_row=2)
    assert made.storage_options == {"s3": {"anon": False}}
    assert (made.catalog_database, made.athena_workgroup) == ("aspen", "main")
    assert made.athena_output == "s3://answers/athena/"
    assert (made.parts, made.max_memory, made.on_gap) == (1000, 512, "report")
    assert str(made.suppress_secret).endswith("vault/secret")


PIECES = ("s3:DeleteObject", "arn:aws:s3:::out/aspen/_aspen/exchange/*")


def test_the_role_may_do_what_is_needed_and_delete_pieces_alone(job: Job) -> None:
    assert job.allowed() - {PIECES} == {
        ("s3:GetObject", "arn:aws:s3:::code/aspen-etl/glue/*"),
        ("s3:GetObject", "arn:aws:s3:::in/b.xlsx"),
        ("s3:GetObject", "arn:aws:s3:::in/b.xlsx/*"),
        ("s3:ListBucket", "arn:aws:s3:::in"),
        ("s3:GetObject", "arn:aws:s3:::out/aspen/*"),
        ("s3:PutObject", "arn:aws:s3:::out/aspen/*"),
        ("s3:AbortMultipartUpload", "arn:aws:s3:::out/aspen/*"),
        ("s3:ListBucket", "arn:aws:s3:::out"),
    }
    assert {each for each in job.allowed(**EVERYTHING) if "Delete" in each[0]} == {PIECES}
    for each in job.statements(**EVERYTHING).values():
        assert each["Effect"] == "Allow"
        for action in as_list(each["Action"]):
            assert "*" not in action
            assert not re.search("PutBucket|PutLifecycle", action)
        for resource in as_list(each["Resource"]):
            assert re.fullmatch(r"arn:aws:[a-z0-9]+:[a-z0-9-]*:[0-9]*:[^*]+?[/:]?[*]?", resource)
        if "s3:ListBucket" in as_list(each["Action"]):
            assert each["Condition"]["StringLikeIfExists"]["s3:prefix"]


def test_rights_come_only_with_what_needs_them(job: Job) -> None:
    plain, full = set(job.statements()), set(job.statements(**EVERYTHING))
    assert full - plain - {"ClearExchange"} == {
        *("WriteRejects", "FindRejects", "UseKeys", "WriteCatalog", "MakeViews"),
        *("ReadLanding", "FindLanding"),
        *("AthenaAsksForItsDefaultDatabase", "WriteAnswers", "FindAnswers"),
    }
    assert "MakeViews" not in job.statements(**{**EVERYTHING, "Format": "parquet"})


def test_nothing_depends_on_itself(job: Job) -> None:
    assert find_cycle(job.template) == []


def test_a_run_that_fails_and_a_job_that_is_silent_are_alarms(job: Job) -> None:
    counted = {
        name: job.properties(name)["MetricTransformations"][0]["MetricName"]
        for name in ("CountFailures", "CountSuccesses")
    }
    failed, silent = (
        job.properties(name, AlarmTopicArn="topic") for name in ("RunFailed", "JobSilent")
    )
    assert (failed["MetricName"], silent["MetricName"]) == tuple(counted.values())
    assert (failed["TreatMissingData"], silent["TreatMissingData"]) == ("notBreaching", "breaching")
    assert failed["AlarmActions"] == silent["AlarmActions"] == ["topic"]
    told = job.properties("RunEnded")
    assert told["EventPattern"]["detail"] == {"jobName": ["Job"]}
    assert told["Targets"][0]["Arn"].endswith(":log-group:RunLog")
    assert job.properties("RunLog")["LogGroupName"].startswith("/aws/events/")


def test_a_landing_is_watched_by_what_the_log_says_of_it(job: Job) -> None:
    made = landing_metrics(LandingReport(1, "2026-01-31 12:00:00.000000", 1, 1, 0))
    for count, alarm, metric in (
        ("CountGaps", "LandingGaps", "LandingGaps"),
        ("TellLandingAge", "LandingLags", "LandingAgeSeconds"),
    ):
        for name in (count, alarm):
            condition = job.template["Resources"][name]["Condition"]
            stacks = [Stack(job.template, REQUIRED | given) for given in ({}, EVERYTHING)]
            assert [stack.holds(condition) for stack in stacks] == [False, True]
        told = job.properties(count, **EVERYTHING)
        assert told["FilterPattern"].startswith(f'{{($.JobName = "stack") && ($.{metric} >')
        (filtered,) = told["MetricTransformations"]
        assert filtered["MetricValue"] == f"$.{metric}"
        assert metric in made
        watched = job.properties(alarm, AlarmTopicArn="topic", **EVERYTHING)
        assert (watched["MetricName"], watched["Namespace"]) == (
            filtered["MetricName"],
            filtered["MetricNamespace"],
        )
        assert watched["AlarmActions"] == ["topic"]
    lags = job.properties("LandingLags", **EVERYTHING)
    assert lags["TreatMissingData"] == "breaching"
    groups = {job.properties(name)["LogGroupName"] for name in ("CountGaps", "TellLandingAge")}
    assert groups <= {"JobOutput", "/aws-glue/python-jobs/output"}


def test_the_wheel_is_that_of_this_version(job: Job) -> None:
    declared = (CHECKOUT / "pyproject.toml").read_text("utf-8")
    version = re.search(r'^version = "(.+)"$', declared, re.MULTILINE)
    assert version is not None
    assert f"aspen_etl-{version[1]}-py3" in job.template["Parameters"]["Wheel"]["Default"]


# ------------------------------------------------------------------------------ each by itself


def test_the_shell_job_is_what_fits_a_schedule(shell: Job) -> None:
    made = shell.properties("Job")
    assert made["Command"] == {
        "Name": "pythonshell",
        "PythonVersion": "3.9",
        "ScriptLocation": "s3://code/aspen-etl/glue/job.py",
    }
    assert (made["MaxCapacity"], made["Timeout"]) == ("0.0625", "14")
    assert made["DefaultArguments"]["library-set"] == "none"
    wheel = made["DefaultArguments"]["--extra-py-files"]
    assert wheel.startswith("s3://code/aspen-etl/glue/aspen_etl-")
    assert shell.settings().workers is None
    assert shell.settings(Workers="4").workers == 4


@pytest.mark.parametrize("name", ["Parts", "MaxMemory", "Workers"])
def test_the_shell_job_deletes_only_where_it_runs_in_parts(shell: Job, name: str) -> None:
    assert PIECES not in shell.allowed()
    assert PIECES in shell.allowed(**{name: "512"})


def test_the_spark_job_is_one_of_glue_5_in_parts(spark: Job) -> None:
    made = spark.properties("Job")
    assert made["Command"] == {
        "Name": "glueetl",
        "PythonVersion": "3",
        "ScriptLocation": "s3://code/aspen-etl/glue/job.py",
    }
    assert (made["GlueVersion"], made["WorkerType"], made["NumberOfWorkers"]) == (
        *("5.0", "G.1X", "3"),
    )
    assert "MaxCapacity" not in made  # Glue refuses both
    assert (spark.settings().parts, spark.settings().workers) == (250_000, "spark")
    assert PIECES in spark.allowed()


def test_the_spark_job_installs_the_wheels_behind_all_others(spark: Job) -> None:
    more = "s3://code/aspen-etl/glue/acme.whl"
    modules = spark.arguments(ExtraWheels=more)["--additional-python-modules"].split(",")
    assert re.fullmatch(r"s3://code/aspen-etl/glue/aspen_etl-[0-9.]+-py3-none-any.whl", modules[-2])
    assert modules[-1] == more


def test_the_spark_job_has_log_groups_of_its_own(spark: Job) -> None:
    prefix = spark.arguments()["--custom-logGroup-prefix"]
    names = [spark.properties(each)["LogGroupName"] for each in ("JobOutput", "JobErrors")]
    assert names == [f"{prefix}/output", f"{prefix}/error"]
    (place,) = as_list(spark.statements()["WriteLog"]["Resource"])
    assert place.endswith(f":log-group:{prefix}/*")


# ------------------------------------------------------------------------------------ the pages


def test_the_page_names_every_argument() -> None:
    page = (PAGES / "glue-python-shell.md").read_text("utf-8")
    named = set(re.findall(r"`--([a-z_]+)`", page))
    assert named - {"arguments"} == set(OPTIONS) - NOT_FOR_JOBS


def test_the_page_of_spark_names_what_is_its_own(shell: Job, spark: Job) -> None:
    page = (PAGES / "glue-spark.md").read_text("utf-8")
    own = spark.template["Parameters"].keys() - shell.template["Parameters"].keys()
    assert {name for name in own if f"`{name}`" not in page} == set()


def test_the_script_is_what_the_page_says() -> None:
    lines = (FOLDER / "job.py").read_text("utf-8").splitlines()
    assert lines[-4:] == [
        "from aspen_etl.aws.glue_job import main",
        "",
        'if __name__ == "__main__":  # workers that are processes import this script',
        "    main()",
    ]
