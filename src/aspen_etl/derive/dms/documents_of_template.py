"""What a CloudFormation template says of DMS tasks: the same pieces that describe calls give."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from aspen_etl.derive.dms.shapes import need_object, part

__all__ = ["read_template"]

_TASK, _ENDPOINT = "AWS::DMS::ReplicationTask", "AWS::DMS::Endpoint"
_BUCKET, _DATABASE = "AWS::S3::Bucket", "AWS::RDS::DBInstance"


def read_template(template: Mapping[str, Any], /) -> Iterator[tuple[str, Any]]:
    """Yield the tasks, endpoints, buckets and engines of a template.

    What is only known when it is deployed (``Ref`` of a resource, ``Fn::GetAtt``) is told by the
    name of the resource; a parameter by its default.
    """
    defaults = {
        name: each["Default"]
        for name, each in part(template.get("Parameters")).items()
        if "Default" in part(each)
    }
    for name, resource in need_object(template["Resources"], "Resources").items():
        kind = part(resource).get("Type")
        held = part(_resolve(part(resource).get("Properties"), defaults))
        if kind == _TASK:
            yield "task", {**held, "ReplicationTaskIdentifier": name}
        elif kind == _ENDPOINT:
            is_target = str(held.get("EndpointType", "")).lower() == "target"
            yield "target" if is_target else "source", {**held, "EndpointArn": name}
        elif kind == _BUCKET:
            is_on = part(held.get("VersioningConfiguration")).get("Status") == "Enabled"
            bucket = held.get("BucketName")
            names = {name, bucket if isinstance(bucket, str) else name}
            yield "bucket", dict.fromkeys(sorted(names), is_on)
        elif kind == _DATABASE:
            yield "engines", {name: str(held.get("Engine", ""))}


def _resolve(value: Any, defaults: Mapping[str, Any]) -> Any:
    if isinstance(value, list):
        return [_resolve(each, defaults) for each in value]
    if not isinstance(value, Mapping):
        return value
    if set(value) == {"Ref"} and isinstance(value["Ref"], str):
        return defaults.get(value["Ref"], value["Ref"])
    return {name: _resolve(each, defaults) for name, each in value.items()}
