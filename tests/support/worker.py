"""A process that works on a store until a file tells it to stop, or until it is killed.

Run as ``python -m tests.support.worker JSON``; it says ``ready`` when it begins, and at its end
one line of JSON: how often it did what, and which errors it met.
"""

from __future__ import annotations

import datetime as dt
import json
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import aspen_etl as ae
from aspen_etl.errors import AspenETLError
from tests.support.borrowers import LENIENT, write_borrowers

CHECKOUT = Path(__file__).resolve().parents[2]


#: When a process ends by itself, since whoever started it must be gone.
LOST_SECONDS = 1_800


def start(job: dict[str, Any]) -> subprocess.Popen[str]:
    """Start a process that works on a store."""
    command = [sys.executable, "-m", "tests.support.worker", json.dumps(job)]
    return subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True)


def run_now() -> ae.Run:
    """Give a run of this moment."""
    return ae.Run(time=dt.datetime.now(dt.timezone.utc), actor="worker")


#: How many syncs a process waits for between two commits of its own. Without it, who is quick
#: comes first each time, and those who sync never, or the other way round.
_SYNCS_BETWEEN = {"vacuum": 3, "restore": 1}


def _maintain(does: str, store: ae.SnapshotStore, after: int) -> str:
    readable = store.history()
    synced = [commit for commit in readable if commit.kind == "sync" and commit.version > after]
    if len(synced) < _SYNCS_BETWEEN[does] or store.find().kind in {"restore", "resume"}:
        time.sleep(0.1)
        return "waiting"
    if does == "vacuum":
        store.vacuum(run=run_now(), keep_for=dt.timedelta())
    else:
        store.restore(min(commit.version for commit in readable), run=run_now())
        time.sleep(0.1)
        store.resume(run=run_now())
    return does


def _work(job: dict[str, Any], store: ae.SnapshotStore, turn: int) -> str:
    if job["does"] == "move and sync":
        write_borrowers(Path(job["source"]), [f"Ann {job['letters'][turn % 20]}", "Bob Burns"])
    return ae.sync(job["source"], store, run=run_now(), thresholds=LENIENT).outcome


def main() -> None:
    """Work."""
    job = json.loads(sys.argv[1])
    print("ready", flush=True)
    done: Counter[str] = Counter()
    end, turn, own = time.monotonic() + LOST_SECONDS, 0, 0
    stop = Path(job["stop"])
    while not stop.exists() and time.monotonic() < end:
        turn += 1
        limit = dt.timedelta(seconds=job["attempt_limit"])
        store = ae.SnapshotStore(
            job["url"], storage_options=job.get("options"), attempt_limit=limit
        )
        try:
            if job["does"] in _SYNCS_BETWEEN:
                outcome = _maintain(job["does"], store, own)
                own = own if outcome == "waiting" else store.find().version
            else:
                outcome = _work(job, store, turn)
            done[outcome] += 1
        except AspenETLError as error:
            cause = error.details.get("cause")
            done[f"{type(error).__name__}: {cause}" if cause else type(error).__name__] += 1
            time.sleep(0.02)  # what is in the way needs the processor
    print(json.dumps(done), flush=True)


if __name__ == "__main__":
    main()
