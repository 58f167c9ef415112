"""Two-way sync: both sides change, the newest commit is what they agree on.

``standing`` finds where a side stands, ``pulling`` takes what changed there into a commit,
``pushing`` writes what the commit has to it, ``resolving`` decides conflicts that wait.
"""

from aspen_etl.synchronization.two_way.pulling import pull
from aspen_etl.synchronization.two_way.pushing import push
from aspen_etl.synchronization.two_way.reports import (
    ConflictCount,
    PullReport,
    PushReport,
    count_conflicts,
)
from aspen_etl.synchronization.two_way.resolving import read_conflicts, resolve, write_conflicts

__all__ = [
    "ConflictCount",
    "PullReport",
    "PushReport",
    "count_conflicts",
    "pull",
    "push",
    "read_conflicts",
    "resolve",
    "write_conflicts",
]
