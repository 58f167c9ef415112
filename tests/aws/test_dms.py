"""A task at AWS is described by calls that exist, and linted like its documents."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from aspen_etl import BORROWER_MODEL
from aspen_etl.aws.dms import describe_statistics, describe_status, describe_task
from aspen_etl.derive.dms import lint_dms, read_documents
from aspen_etl.errors import ArgumentError, CatalogError
from aspen_etl.transform.ledger import LandedCounts
from tests.derive.dms_breaks import sound

ARN = "arn:aws:dms:eu-west-1:123456789012:task:ABC123"


@pytest.fixture
def stubs() -> Iterator[dict[str, Any]]:
    """Give clients that answer what they are told to, and check what they are asked."""
    session = pytest.importorskip("botocore.session").get_session()
    stub = pytest.importorskip("botocore.stub")
    session.set_credentials("key", "secret")
    clients = {name: session.create_client(name, region_name="eu-west-1") for name in ("dms", "s3")}
    made = {name: stub.Stubber(client) for name, client in clients.items()}
    for each in made.values():
        each.activate()
    yield made
    for each in made.values():
        each.assert_no_pending_responses()


def client_of(stubs: dict[str, Any]) -> Any:
    def make(service: str, region: str) -> Any:
        assert region == "eu-west-1"
        return stubs[service].client

    return make


def task(arn: str = ARN, target: str = "arn:t", **more: Any) -> dict[str, Any]:
    case = sound().documents
    return {
        "ReplicationTaskIdentifier": f"task-{arn[-1]}",
        "ReplicationTaskArn": arn,
        "MigrationType": "full-load-and-cdc",
        "SourceEndpointArn": "arn:s",
        "TargetEndpointArn": target,
        "TableMappings": json.dumps(case["mappings"]),
        "ReplicationTaskSettings": json.dumps(case["settings"]),
        **more,
    }


def ends() -> list[dict[str, Any]]:
    case = sound().documents
    return [
        {**case["source"], "EndpointType": "SOURCE", "EndpointArn": "arn:s"},
        {**case["target"], "EndpointType": "TARGET", "EndpointArn": "arn:t"},
    ]


def answer(stubs: dict[str, Any], tasks: list[dict[str, Any]], status: dict[str, str]) -> None:
    dms = stubs["dms"]
    # The first call has two pages.
    dms.add_response("describe_replication_tasks", {"ReplicationTasks": [], "Marker": "m"}, {})
    dms.add_response("describe_replication_tasks", {"ReplicationTasks": tasks}, {"Marker": "m"})
    dms.add_response("describe_endpoints", {"Endpoints": ends()}, {})
    stubs["s3"].add_response("get_bucket_versioning", status, {"Bucket": "acme-raw"})


def rules(stubs: dict[str, Any]) -> list[str]:
    documents = read_documents(describe_task(ARN, client=client_of(stubs)).items())
    assert documents.missing == ()
    return [each.rule for each in lint_dms(documents, sound().landing, model=BORROWER_MODEL)]


def test_a_sound_task_is_found_sound(stubs: dict[str, Any]) -> None:
    answer(stubs, [task()], {})
    assert rules(stubs) == []


def test_versions_and_a_second_task_on_the_folder_are_found(stubs: dict[str, Any]) -> None:
    other = task(arn=ARN + "9", SourceEndpointArn="arn:elsewhere")
    answer(stubs, [task(), other], {"Status": "Enabled"})
    assert rules(stubs) == ["versioned_bucket", "shared_folder"]


def test_a_task_that_is_not_there_is_named(stubs: dict[str, Any]) -> None:
    stubs["dms"].add_response("describe_replication_tasks", {"ReplicationTasks": []}, {})
    with pytest.raises(CatalogError, match="no such task"):
        describe_task(ARN, client=client_of(stubs))


def test_a_service_that_refuses_is_named_by_its_code(stubs: dict[str, Any]) -> None:
    stubs["dms"].add_client_error("describe_replication_tasks", "AccessDeniedFault", "secret text")
    with pytest.raises(CatalogError, match=r"\(AccessDeniedFault\)") as caught:
        describe_task(ARN, client=client_of(stubs))
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "arn", ["", "arn:aws:s3:::bucket", ARN.replace(":task:", ":rep:"), "x" * 99]
)
def test_what_is_no_arn_is_asked_of_nobody(arn: str) -> None:
    with pytest.raises(ArgumentError, match="no ARN"):
        describe_task(arn, client=lambda *_: pytest.fail("a call"))


@pytest.mark.slow
def test_moto_knows_the_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    # moto proves the shapes of calls; it keeps settings of any kind.
    moto = pytest.importorskip("moto")
    boto3 = pytest.importorskip("boto3")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with moto.mock_aws():
        dms, s3 = (boto3.client(name, region_name="eu-west-1") for name in ("dms", "s3"))
        where = {"LocationConstraint": "eu-west-1"}
        s3.create_bucket(Bucket="acme-raw", CreateBucketConfiguration=where)
        arns = [
            dms.create_endpoint(
                EndpointIdentifier=f"end-{number}",
                **{name: held for name, held in end.items() if name != "EndpointArn"},
            )["Endpoint"]["EndpointArn"]
            for number, end in enumerate(
                {**each, "EndpointType": each["EndpointType"].lower()} for each in ends()
            )
        ]
        made = dms.create_replication_task(
            ReplicationTaskIdentifier="land",
            ReplicationInstanceArn="arn:aws:dms:eu-west-1:123456789012:rep:X",
            **{
                name: held
                for name, held in task().items()
                if name in {"MigrationType", "TableMappings", "ReplicationTaskSettings"}
            },
            SourceEndpointArn=arns[0],
            TargetEndpointArn=arns[1],
        )["ReplicationTask"]
        clients = {"dms": dms, "s3": s3}
        documents = describe_task(
            made["ReplicationTaskArn"], client=lambda service, _: clients[service]
        )
    assert lint_dms(documents, sound().landing, model=BORROWER_MODEL) == ()


# ------------------------------------------------------------------------------ status


def test_what_a_task_is_doing_is_told_by_its_own_word(stubs: dict[str, Any]) -> None:
    asked = {"Filters": [{"Name": "replication-task-arn", "Values": [ARN]}]}
    for tasks in ([task(Status="stopped")], [task(Status="running")], [task()]):
        answer = {"ReplicationTasks": tasks}
        stubs["dms"].add_response("describe_replication_tasks", answer, asked)
    found = [describe_status(ARN, client=client_of(stubs)) for _ in range(3)]
    assert found == ["stopped", "running", "unknown"]
    stubs["dms"].add_response("describe_replication_tasks", {"ReplicationTasks": []}, asked)
    with pytest.raises(CatalogError, match="no such task"):
        describe_status(ARN, client=client_of(stubs))
    with pytest.raises(ArgumentError):
        describe_status("arn:x", client=client_of(stubs))


# ------------------------------------------------------------------------------ statistics


def counted(name: str, *numbers: int) -> dict[str, Any]:
    names = ("FullLoadRows", "Inserts", "Updates", "Deletes")
    return {"SchemaName": "dbo", "TableName": name, **dict(zip(names, numbers))}


def test_rows_are_counted_by_table(stubs: dict[str, Any]) -> None:
    pages = [[counted("borrower", 9, 1, 2, 3), counted("role_profile")], [counted("beat", 0, 7)]]
    asked = {"ReplicationTaskArn": ARN}
    answers = [{"TableStatistics": pages[0], "Marker": "m"}, {"TableStatistics": pages[1]}]
    stubs["dms"].add_response("describe_table_statistics", answers[0], asked)
    stubs["dms"].add_response("describe_table_statistics", answers[1], {**asked, "Marker": "m"})
    assert describe_statistics(ARN, client=client_of(stubs)) == {
        "dbo.borrower": LandedCounts(loaded=9, inserted=1, updated=2, deleted=3),
        "dbo.role_profile": LandedCounts(),
        "dbo.beat": LandedCounts(inserted=7),
    }


def test_statistics_that_are_refused_say_so(stubs: dict[str, Any]) -> None:
    stubs["dms"].add_client_error("describe_table_statistics", "ResourceNotFoundFault", "hush")
    with pytest.raises(CatalogError, match=r"DescribeTableStatistics failed \(Resource") as caught:
        describe_statistics(ARN, client=client_of(stubs))
    assert "hush" not in str(caught.value)
    with pytest.raises(ArgumentError, match="no ARN"):
        describe_statistics("arn:x", client=client_of(stubs))
