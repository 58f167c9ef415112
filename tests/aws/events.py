"""Events as EventBridge sends them, and what Lambda hands over with them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

SCHEDULE = {
    "version": "0",
    "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa",
    "detail-type": "Scheduled Event",
    "source": "aws.events",
    "account": "123456789012",
    "time": "2026-01-31T12:00:00Z",
    "region": "us-east-1",
    "resources": ["arn:aws:events:us-east-1:123456789012:rule/aspen"],
    "detail": {},
}


def created(bucket: str, key: str) -> dict[str, Any]:
    """Make the event of a new object."""
    return {
        **SCHEDULE,
        "detail-type": "Object Created",
        "source": "aws.s3",
        "resources": [f"arn:aws:s3:::{bucket}"],
        "detail": {
            "version": "0",
            "bucket": {"name": bucket},
            "object": {"key": key, "size": 5, "etag": "b1946ac92492d2347c6235b4d2611184"},
            "request-id": "N4N7GDK58NMKJ12R",
            "requester": "123456789012",
            "reason": "PutObject",
        },
    }


@dataclass(frozen=True)
class Context:
    """The parts of Lambda's context that the handler reads."""

    milliseconds: int = 300_000
    aws_request_id: str = "r-1"
    function_name: str = "aspen-sync"

    def get_remaining_time_in_millis(self) -> int:
        """Tell how long the invocation may go on."""
        return self.milliseconds


def logged(text: str) -> list[dict[str, Any]]:
    """Read what was printed: every line is one JSON object."""
    return [json.loads(line) for line in text.splitlines()]
