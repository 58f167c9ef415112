"""How long each step of a run took, and when its time is over."""

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

    def begin(self, name: str) -> None:
        """End a step and begin another, which nobody is told of, and which nothing ends."""
        now = time.monotonic()
        self._add(now)
        self._step, self._since = name, now

    def step(self, name: str) -> None:
        """End a step and begin another, unless the time is over."""
        self.begin(name)
        self.check(name)
        if self.on_step is not None:
            self.on_step(name)

    def tell_parts(self, done: int, count: int) -> None:
        """Tell how many parts of a step are done, unless the time is over."""
        self.check(self._step)
        if self.on_step is not None and done < count:
            self.on_step(f"{self._step} ({done} of {count} parts done)")

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
