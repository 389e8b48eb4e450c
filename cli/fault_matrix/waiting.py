"""Waiting on conditions."""

from __future__ import annotations

import time
from collections.abc import Callable


def wait(condition: Callable[[], bool], *, patience_s: float) -> bool:
    """Wait until the condition holds; False when it did not within `patience_s`."""
    deadline = time.monotonic() + patience_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
