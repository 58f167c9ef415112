"""How long each step takes, and when a run must give up."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Optional

from aspen_etl.errors import DeadlineError
from aspen_etl.io.waiting import Deadline, Seconds, seconds_of

__all__ = ["Clock"]

#: How many seconds a run has to leave word of itself, when its time is over.
_GRACE = 2.0


class Clock:
    """Measure the steps of a run, and end it when its time is over."""

    def __init__(
        self, timeout: Optional[Seconds], on_step: Optional[Callable[[str], None]]
    ) -> None:
        self.begun = time.monotonic()
        self.timeout = seconds_of(timeout, "timeout")
        self.on_step = on_step
        self.seconds: dict[str, float] = {}
        self._step = ""
        self._since = self.begun

    @property
    def deadline(self) -> Optional[Deadline]:
        """Until when a storage is waited for, if the run has a limit."""
        return None if self.timeout is None else Deadline(self.begun, self.timeout)

    def grace(self) -> Optional[Deadline]:
        """Until when a run that is over may still leave word of itself."""
        return None if self.timeout is None else Deadline(time.monotonic(), _GRACE)

    def step(self, name: str) -> None:
        """End a step and begin another, unless the time is over."""
        now = time.monotonic()
        self._add(now)
        self._step, self._since = name, now
        self.check(name)
        if self.on_step is not None:
            self.on_step(name)

    def check(self, step: str) -> None:
        """Give up where the time is over.

        Raises:
            DeadlineError: It is.
        """
        passed = time.monotonic() - self.begun
        if self.timeout is not None and passed >= self.timeout:
            raise DeadlineError.after(passed, self.timeout, step)

    def stop(self) -> dict[str, float]:
        """End the last step, and give the seconds of all."""
        self._add(time.monotonic())
        self._step = ""
        return {name: round(seconds, 3) for name, seconds in self.seconds.items()}

    def _add(self, now: float) -> None:
        if self._step:
            self.seconds[self._step] = self.seconds.get(self._step, 0.0) + now - self._since
