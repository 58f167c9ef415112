"""The small parts of the template: its parameters, roles, statements, alarms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

__all__ = [
    "PARAMETERS",
    "alarm",
    "assumed_by",
    "given",
    "instance",
    "ref",
    "secret_role",
    "statement",
    "sub",
]


def ref(name: str) -> dict[str, str]:
    """Refer to a parameter or a resource."""
    return {"Ref": name}


def sub(text: str) -> dict[str, str]:
    """Write a text with names in it that are known on the day."""
    return {"Fn::Sub": text}


def given(name: str) -> dict[str, Any]:
    """Make the condition that a parameter is not empty."""
    return {"Fn::Not": [{"Fn::Equals": [ref(name), ""]}]}


#: What the template asks for.
PARAMETERS: dict[str, dict[str, Any]] = {
    "Name": {
        "Type": "String",
        "Default": "aspen-landing",
        "Description": "The name of the replication instance and of the task.",
        "AllowedPattern": "^[a-z][a-z0-9]*(-[a-z0-9]+)*$",
        "MaxLength": 60,
    },
    "SecretArn": {
        "Type": "String",
        "Description": "ARN of the secret with username, password, host and port. It exists.",
        "AllowedPattern": "^arn:[a-z-]+:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:[^*?\\s]+$",
    },
    "SecretKeyArn": {
        "Type": "String",
        "Default": "",
        "Description": "ARN of the key of that secret, where it is customer managed.",
        "AllowedPattern": "^$|^arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+$",
    },
    "DatabaseName": {
        "Type": "String",
        "Description": "The database in SQL Server.",
        "MinLength": 1,
        "MaxLength": 128,
    },
    "SslMode": {
        "Type": "String",
        "Default": "require",
        "AllowedValues": ["require", "verify-ca", "verify-full", "none"],
        "Description": "How the connection to SQL Server is protected.",
    },
    "SubnetIds": {
        "Type": "List<AWS::EC2::Subnet::Id>",
        "Description": "Subnets in two zones, with a way to SQL Server and to S3.",
    },
    "SecurityGroupIds": {
        "Type": "List<AWS::EC2::SecurityGroup::Id>",
        "Description": "Security groups by which the instance may reach SQL Server.",
    },
    "InstanceClass": {
        "Type": "String",
        "Default": "dms.t3.medium",
        "Description": "The class of the replication instance.",
    },
    "StorageGiB": {
        "Type": "Number",
        "Default": 50,
        "MinValue": 5,
        "MaxValue": 6144,
        "Description": "Storage of the instance, for changes that wait during the full load.",
    },
    "MultiAZ": {
        "Type": "String",
        "Default": "false",
        "AllowedValues": ["true", "false"],
        "Description": "Whether a second instance stands by in another zone, at twice the price.",
    },
    "LatencySeconds": {
        "Type": "Number",
        "Default": 900,
        "MinValue": 60,
        "Description": "How far the task may be behind before it alarms.",
    },
    "AlarmTopicArn": {
        "Type": "String",
        "Default": "",
        "Description": "The SNS topic of the alarms. Empty - they are seen in the console alone.",
        "AllowedPattern": "^$|^arn:[a-z-]+:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]+$",
    },
}


def statement(name: str, actions: Sequence[str], resource: Any) -> dict[str, Any]:
    """Allow actions on one resource."""
    return {"Sid": name, "Effect": "Allow", "Action": [*actions], "Resource": resource}


def assumed_by(service: Any, name: str, statements: list[Any]) -> dict[str, Any]:
    """Make a role that a service may take on."""
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": "sts:AssumeRole",
    }
    policy = {"Version": "2012-10-17", "Statement": statements}
    return {
        "Type": "AWS::IAM::Role",
        "Properties": {
            "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]},
            "Policies": [{"PolicyName": name, "PolicyDocument": policy}],
        },
    }


def alarm(metric: str, told: str, name: str = "Task") -> dict[str, Any]:
    """Alarm where a latency is too high, or is not told: then the task does not run."""
    # The metrics know a task by the last part of its ARN, and an instance by its name.
    task = {"Fn::Select": [6, {"Fn::Split": [":", ref(name)]}]}
    return {
        "Type": "AWS::CloudWatch::Alarm",
        "DependsOn": "Instance",
        "Properties": {
            "AlarmDescription": f"The DMS task does not run, or is {told}",
            "Namespace": "AWS/DMS",
            "MetricName": metric,
            "Dimensions": [
                {"Name": "ReplicationInstanceIdentifier", "Value": ref("Name")},
                {"Name": "ReplicationTaskIdentifier", "Value": task},
            ],
            "Statistic": "Maximum",
            "Period": 300,
            "EvaluationPeriods": 3,
            "Threshold": ref("LatencySeconds"),
            "ComparisonOperator": "GreaterThanThreshold",
            "TreatMissingData": "breaching",
            "AlarmActions": {"Fn::If": ["HasTopic", [ref("AlarmTopicArn")], ref("AWS::NoValue")]},
            "OKActions": {"Fn::If": ["HasTopic", [ref("AlarmTopicArn")], ref("AWS::NoValue")]},
        },
    }


def secret_role(*secrets: tuple[str, str, str]) -> dict[str, Any]:
    """Make the role by which logins are read.

    Args:
        secrets: Of each secret the parameter with its ARN, the condition that it has a key of its
            own, and the parameter with the ARN of that.
    """
    reading = ("secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret")
    statements: list[Any] = []
    for number, (secret, has_key, key) in enumerate(secrets):
        mark = "" if len(secrets) == 1 else str(number + 1)
        decrypting = statement(f"UseKey{mark}", ("kms:Decrypt",), ref(key))
        statements.append(statement(f"ReadSecret{mark}", reading, ref(secret)))
        statements.append({"Fn::If": [has_key, decrypting, ref("AWS::NoValue")]})
    return assumed_by(sub("dms.${AWS::Region}.amazonaws.com"), "read-the-login", statements)


def instance() -> dict[str, Any]:
    """Make the subnet group and the replication instance."""
    return {
        "SubnetGroup": {
            "Type": "AWS::DMS::ReplicationSubnetGroup",
            "Properties": {
                "ReplicationSubnetGroupDescription": "Subnets of the replication instance",
                "SubnetIds": ref("SubnetIds"),
            },
        },
        "Instance": {
            "Type": "AWS::DMS::ReplicationInstance",
            "Properties": {
                "ReplicationInstanceIdentifier": ref("Name"),
                "ReplicationInstanceClass": ref("InstanceClass"),
                "AllocatedStorage": ref("StorageGiB"),
                "ReplicationSubnetGroupIdentifier": ref("SubnetGroup"),
                "VpcSecurityGroupIds": ref("SecurityGroupIds"),
                "MultiAZ": ref("MultiAZ"),
                "PubliclyAccessible": False,
            },
        },
    }
