"""What a Python of an executor does first."""

from __future__ import annotations

import os

if "SPARK_EXECUTOR_DIRS" in os.environ:  # a Python that Spark started
    from tests.support.spark import losing

    losing.install()
