"""A collector that hears nothing asks for its subscriptions again: a reconnection may have lost them, in silence."""

from __future__ import annotations

import time
from collections.abc import Callable

import structlog

log = structlog.get_logger()


class SilenceWatch:
    """Watches for messages of any network. `after_s`: so long without any, `ask_again` is called, and so on."""

    def __init__(self, *, after_s: float, ask_again: Callable[[], None]) -> None:
        self._after_s = after_s
        self._ask_again = ask_again
        self._heard_s = self._asked_s = time.monotonic()
        self._silent = False

    def heard(self) -> None:
        """Note that messages came."""
        self._heard_s = self._asked_s = time.monotonic()
        if self._silent:
            self._silent = False
            log.info("messages_come_again")

    def check(self) -> float:
        """Return the seconds since the last message (or the start), and act when they are too many."""
        now_s = time.monotonic()
        silent_s = now_s - self._heard_s
        if now_s - self._asked_s >= self._after_s:
            self._asked_s = now_s
            self._silent = True
            log.warning("nothing_heard", seconds=round(silent_s))
            self._ask_again()
        return silent_s
