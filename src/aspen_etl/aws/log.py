"""What a run says while it works: one line of JSON a step, and metrics in CloudWatch's form."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping
from typing import Any, Optional, TextIO

__all__ = ["NAMESPACE", "Log"]

#: The namespace of the metrics.
NAMESPACE = "aspen_etl"

#: The unit of each metric; what is not named here is a count.
_UNITS = {"Seconds": "Seconds", "BytesWritten": "Bytes", "Version": "None"}


class Log:
    """Write lines of JSON, each with the same context.

    Args:
        context: What stands in every line, such as the id of the request.
        stream: Where to; by default what is standard output by then.
    """

    def __init__(self, context: Mapping[str, Any], stream: Optional[TextIO] = None) -> None:
        self.context, self.stream = dict(context), stream
        self._step, self._since = "", 0.0

    def write(self, level: str, message: str, **values: Any) -> None:
        """Write one line."""
        self._print({"level": level, "message": message, **self.context, **values})

    def step(self, name: str) -> None:
        """End a step, which writes its line, and begin another; '' begins none."""
        now = time.monotonic()
        if self._step:
            seconds = round(now - self._since, 3)
            self.write("INFO", "step", step=self._step, seconds=seconds)
        self._step, self._since = name, now

    def fail(self, error: Exception) -> None:
        """Write which step failed and why; of a refused run, also what it left and where."""
        details = getattr(error, "details", {})
        told = {name: details[name] for name in ("refusals", "rejects", "place") if name in details}
        self.write("ERROR", str(error), step=self._step, error=type(error).__name__, **told)
        self._step = ""

    def measure(self, dimension: str, name: str, metrics: Mapping[str, float]) -> None:
        """Write metrics in the embedded form: CloudWatch reads them out of the log by itself.

        Source: the CloudWatch user guide, "embedded metric format specification".
        """
        units = [{"Name": each, "Unit": _UNITS.get(each, "Count")} for each in metrics]
        told = {"Namespace": NAMESPACE, "Dimensions": [[dimension]], "Metrics": units}
        stamp = int(time.time() * 1000)
        meta = {"Timestamp": stamp, "CloudWatchMetrics": [told]}
        self._print({"_aws": meta, dimension: name, **self.context, **metrics})

    def _print(self, values: Mapping[str, Any]) -> None:
        print(json.dumps(values, ensure_ascii=True), file=self.stream or sys.stdout, flush=True)
