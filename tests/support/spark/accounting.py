"""Run a command, and tell what it and all that it starts take: ``accounting.py OUT COMMAND...``.

All of them are looked at ten times a second, until the last one ends: one that loses its parent
comes to this process. (What the system adds up by itself leaves out those that nobody waits for.)
"""

from __future__ import annotations

import ctypes
import json
import os
import subprocess
import sys
import time
from pathlib import Path

__all__ = ["main"]

_SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER, linux/prctl.h
_PAUSE = 0.1
_TICKS = os.sysconf("SC_CLK_TCK")


class Watch:
    """What was seen of processes: by number, the name, the seconds and the most memory in MiB."""

    def __init__(self) -> None:
        self.seen: dict[int, tuple[str, float, float]] = {}

    def look(self) -> None:
        """Look at all that stem from this process."""
        found: dict[int, tuple[int, str, float]] = {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    words = (entry / "stat").read_text(encoding="utf-8", errors="replace")
                except OSError:
                    continue
                name, _, rest = words.partition("(")[2].rpartition(")")
                parts = rest.split()
                found[int(entry.name)] = (int(parts[1]), name, int(parts[11]) + int(parts[12]))
        mine = {os.getpid()}
        while more := {pid for pid, (parent, *_) in found.items() if parent in mine} - mine:
            mine |= more
        for pid in mine - {os.getpid()}:
            _, name, ticks = found[pid]
            before = self.seen[pid][2] if pid in self.seen else 0.0
            self.seen[pid] = (name, ticks / _TICKS, max(_peak(pid), before))


def _peak(pid: int) -> float:
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return 0.0
    line = next((each for each in status.splitlines() if each.startswith("VmHWM:")), "VmHWM: 0")
    return int(line.split()[1]) / 1024


def main(out: str, *command: str) -> int:
    """Run the command; give how it ended."""
    ctypes.CDLL(None).prctl(_SUBREAPER, 1, 0, 0, 0)
    begun, watch, status = time.monotonic(), Watch(), 0
    first = subprocess.Popen(command)
    while True:
        watch.look()
        try:
            pid, ended = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            break
        if pid == first.pid:
            status = os.waitstatus_to_exitcode(ended)
        if pid == 0:
            time.sleep(_PAUSE)
    seen = [*watch.seen.values()]
    told = {
        "wall": time.monotonic() - begun,
        "java": sum(seconds for name, seconds, _ in seen if name == "java"),
        "others": sum(seconds for name, seconds, _ in seen if name != "java"),
        "memory": sorted((memory for name, _, memory in seen if name != "java"), reverse=True),
        "processes": sorted(seen, key=lambda each: -each[1]),
    }
    Path(out).write_text(json.dumps(told), encoding="utf-8")
    return status


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
