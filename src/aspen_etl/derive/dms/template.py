"""A CloudFormation template of all that lands files: bucket, roles, endpoints, task, alarms.

Sources: the schemas of CloudFormation; the DMS user guide, "S3 as a target" (the rights that its
role needs; no versions in the bucket), "Using secrets", "Monitoring".
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from aspen_etl.derive.dms.endpoint import bucket_and_folder, dms_endpoint
from aspen_etl.derive.dms.mappings import dms_mappings
from aspen_etl.derive.dms.task_settings import dms_task_settings
from aspen_etl.derive.dms.template_parts import (
    PARAMETERS,
    alarm,
    assumed_by,
    given,
    instance,
    ref,
    secret_role,
    statement,
    sub,
)
from aspen_etl.schema.landing import Landing
from aspen_etl.schema.model import Model

__all__ = ["dms_template", "dms_template_text"]


def dms_template(model: Model, landing: Landing, /) -> dict[str, Any]:
    """Make a CloudFormation template of what lands a model's sources as a landing says.

    It makes the bucket, the roles, the subnet group, the replication instance, both endpoints, the
    task and an alarm on each latency. The database's login is a secret that exists; the template
    knows its ARN alone. No policy has a wildcard but for what lies below the landing's folder.
    CloudFormation starts no task: that is a command, which the page on the migration has.

    Raises:
        ArgumentError: The landing does not feed the model's sources, or is not on S3.

    Examples:
        >>> from aspen_etl import BORROWER_MODEL
        >>> from aspen_etl.schema.landing import LandedTable, Landing
        >>> tables = {name: LandedTable(f"dbo.{name}") for name in BORROWER_MODEL.sources}
        >>> made = dms_template(BORROWER_MODEL, Landing("s3://raw/dms", tables))
        >>> made["Resources"]["Task"]["Type"]
        'AWS::DMS::ReplicationTask'
    """
    bucket, folder = bucket_and_folder(landing)
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "Files of AWS DMS land in S3, made by aspen-etl dms template",
        "Parameters": PARAMETERS,
        "Conditions": {
            "HasTopic": given("AlarmTopicArn"),
            "HasKey": given("SecretKeyArn"),
        },
        "Resources": {
            "Bucket": _bucket(bucket),
            "LandingRole": _landing_role(bucket, folder),
            "SecretRole": secret_role(("SecretArn", "HasKey", "SecretKeyArn")),
            **instance(),
            "Source": _source(),
            "Target": _target(landing),
            "Task": _task(model, landing),
            "SourceLatency": alarm("CDCLatencySource", "behind the database"),
            "TargetLatency": alarm("CDCLatencyTarget", "behind what it has read"),
        },
        "Outputs": {
            "TaskArn": {"Value": ref("Task"), "Description": "To start, watch and lint the task"},
            "Landing": {"Value": landing.url, "Description": "Where the files land"},
        },
    }


def dms_template_text(model: Model, landing: Landing, /) -> str:
    """Give ``dms_template`` as the text of a file.

    Raises:
        ArgumentError: As for ``dms_template``.
    """
    return json.dumps(dms_template(model, landing), indent=2) + "\n"


def _bucket(name: str) -> dict[str, Any]:
    blocked = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")
    rule = {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    cleaning = {"DaysAfterInitiation": 7}
    return {
        "Type": "AWS::S3::Bucket",
        "DeletionPolicy": "Retain",
        "UpdateReplacePolicy": "Retain",
        "Properties": {
            "BucketName": name,
            "BucketEncryption": {"ServerSideEncryptionConfiguration": [rule]},
            "PublicAccessBlockConfiguration": dict.fromkeys(blocked, True),
            "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
            "LifecycleConfiguration": {
                "Rules": [
                    {
                        "Id": "unfinished-uploads",
                        "Status": "Enabled",
                        "AbortIncompleteMultipartUpload": cleaning,
                    }
                ]
            },
        },
    }


def _landing_role(bucket: str, folder: str) -> dict[str, Any]:
    place = f"{bucket}/{folder}/" if folder else f"{bucket}/"
    writing = ("s3:PutObject", "s3:DeleteObject", "s3:PutObjectTagging")
    statements = [
        statement("WriteFiles", writing, sub("arn:${AWS::Partition}:s3:::" + f"{place}*")),
        statement("ListFiles", ("s3:ListBucket",), sub("arn:${AWS::Partition}:s3:::" + bucket)),
    ]
    return assumed_by("dms.amazonaws.com", "land-files", statements)


def _source() -> dict[str, Any]:
    return {
        "Type": "AWS::DMS::Endpoint",
        "Properties": {
            "EndpointType": "source",
            "EngineName": "sqlserver",
            "SslMode": ref("SslMode"),
            "MicrosoftSqlServerSettings": {
                "DatabaseName": ref("DatabaseName"),
                "SecretsManagerSecretId": ref("SecretArn"),
                "SecretsManagerAccessRoleArn": {"Fn::GetAtt": ["SecretRole", "Arn"]},
                "TrimSpaceInChar": False,
            },
        },
    }


def _target(landing: Landing) -> dict[str, Any]:
    made = dms_endpoint(landing)
    role: Mapping[str, Any] = {"ServiceAccessRoleArn": {"Fn::GetAtt": ["LandingRole", "Arn"]}}
    return {
        "Type": "AWS::DMS::Endpoint",
        "DependsOn": "Bucket",
        "Properties": {**made, "S3Settings": {**made["S3Settings"], **role}},
    }


def _task(model: Model, landing: Landing) -> dict[str, Any]:
    settings = dms_task_settings("landing", model=model)
    return {
        "Type": "AWS::DMS::ReplicationTask",
        "Properties": {
            "MigrationType": "full-load-and-cdc",
            "ReplicationTaskIdentifier": ref("Name"),
            "ReplicationInstanceArn": ref("Instance"),
            "SourceEndpointArn": ref("Source"),
            "TargetEndpointArn": ref("Target"),
            "TableMappings": json.dumps(dms_mappings(model, landing)),
            "ReplicationTaskSettings": json.dumps(settings),
        },
    }
