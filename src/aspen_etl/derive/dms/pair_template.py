"""A CloudFormation template of two tasks that keep two databases of one shape alike, by DMS alone.

Sources: the DMS user guide, "Performing bidirectional replication" and "Using secrets"; the schemas
of CloudFormation.
"""

from __future__ import annotations

import json
from typing import Any

from aspen_etl.derive.dms.mappings import select_tables
from aspen_etl.derive.dms.task_settings import dms_task_settings
from aspen_etl.derive.dms.template_parts import (
    PARAMETERS,
    alarm,
    given,
    instance,
    ref,
    secret_role,
    sub,
)
from aspen_etl.errors import ArgumentError
from aspen_etl.schema.landing import Landing
from aspen_etl.schema.model import Model

__all__ = ["dms_pair_template", "dms_pair_template_text"]

_SIDES = ("Old", "New")

#: Parameters of the landing's template that there are twice here, and what is said of them.
_TWICE = ("SecretArn", "SecretKeyArn", "DatabaseName")
_TOLD = {
    "Name": "The name of the replication instance, and the beginning of those of the tasks.",
    "SubnetIds": "Subnets in two zones, with a way to both databases.",
    "SecurityGroupIds": "Security groups by which the instance may reach both databases.",
    "LatencySeconds": "How far a task may be behind before it alarms.",
}


def dms_pair_template(model: Model, landing: Landing, /) -> dict[str, Any]:
    """Make a CloudFormation template of a pair: two tasks, four endpoints, on one instance.

    Both databases are SQL Servers with the tables that a landing names, empty in the new one. One
    task loads the new side and goes on with changes, the other one brings changes back; each knows
    what the other wrote by a mark in its schema. Of definitions the first alone tells. DMS detects
    no conflict: the pair is right where no row is written on both sides.

    Args:
        model: The model whose sources the tables are.
        landing: Which tables; where its files would land does not matter.

    Raises:
        ArgumentError: The landing does not feed the model's sources, or its tables are in several
            schemas, so that it is not known where the marks go.
    """
    landing.check(model)
    schemas = sorted({table.schema for table in landing.tables.values()})
    if len(schemas) > 1:
        msg = "landing: a pair puts its marks into the schema of its tables; give one for all"
        raise ArgumentError(msg, problem="landing")
    mappings = {"rules": select_tables(model, landing)}
    schema = schemas[0]
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "Two databases kept alike by AWS DMS, made by aspen-etl dms template --pair",
        "Parameters": _parameters(),
        "Conditions": {
            "HasTopic": given("AlarmTopicArn"),
            **{f"Has{side}Key": given(f"{side}SecretKeyArn") for side in _SIDES},
        },
        "Resources": {
            "SecretRole": secret_role(
                *((f"{side}SecretArn", f"Has{side}Key", f"{side}SecretKeyArn") for side in _SIDES)
            ),
            **instance(),
            **{f"{side}Source": _endpoint(side, "source") for side in _SIDES},
            **{f"{side}Target": _endpoint(side, "target") for side in _SIDES},
            "OldToNew": _task("Old", "New", model, mappings, schema),
            "NewToOld": _task("New", "Old", model, mappings, schema),
            **_alarms(),
        },
        "Outputs": {
            f"{task}Arn": {"Value": ref(task), "Description": "To start, watch and lint the task"}
            for task in ("OldToNew", "NewToOld")
        },
    }


def dms_pair_template_text(model: Model, landing: Landing, /) -> str:
    """Give ``dms_pair_template`` as the text of a file.

    Raises:
        ArgumentError: As for ``dms_pair_template``.
    """
    return json.dumps(dms_pair_template(model, landing), indent=2) + "\n"


def _parameters() -> dict[str, Any]:
    out: dict[str, Any] = {}
    for name, facts in PARAMETERS.items():
        told = {**facts, "Description": _TOLD.get(name, facts["Description"])}
        if name in _TWICE:
            for side in _SIDES:
                description = f"{side} side. {facts['Description']}"
                out[f"{side}{name}"] = {**facts, "Description": description}
        else:
            out[name] = {**told, "Default": "aspen-pair"} if name == "Name" else told
    return out


def _endpoint(side: str, kind: str) -> dict[str, Any]:
    reading = {"TrimSpaceInChar": False} if kind == "source" else {}
    return {
        "Type": "AWS::DMS::Endpoint",
        "Properties": {
            "EndpointType": kind,
            "EngineName": "sqlserver",
            "SslMode": ref("SslMode"),
            "MicrosoftSqlServerSettings": {
                "DatabaseName": ref(f"{side}DatabaseName"),
                "SecretsManagerSecretId": ref(f"{side}SecretArn"),
                "SecretsManagerAccessRoleArn": {"Fn::GetAtt": ["SecretRole", "Arn"]},
                **reading,
            },
        },
    }


def _task(
    source: str, target: str, model: Model, mappings: dict[str, Any], schema: str
) -> dict[str, Any]:
    is_first = source == "Old"
    settings = dms_task_settings(
        "pair", model=model, schemas=(schema, schema), definitions=is_first
    )
    return {
        "Type": "AWS::DMS::ReplicationTask",
        "Properties": {
            "MigrationType": "full-load-and-cdc" if is_first else "cdc",
            "ReplicationTaskIdentifier": sub("${Name}-" + f"{source}-to-{target}".lower()),
            "ReplicationInstanceArn": ref("Instance"),
            "SourceEndpointArn": ref(f"{source}Source"),
            "TargetEndpointArn": ref(f"{target}Target"),
            "TableMappings": json.dumps(mappings),
            "ReplicationTaskSettings": json.dumps(settings),
        },
    }


def _alarms() -> dict[str, Any]:
    metrics = (
        ("SourceLatency", "CDCLatencySource", "behind the database that it reads"),
        ("TargetLatency", "CDCLatencyTarget", "behind what it has read"),
    )
    return {
        f"{task}{name}": alarm(metric, told, task)
        for task in ("OldToNew", "NewToOld")
        for name, metric, told in metrics
    }
