"""What the demo shows: bars for people at a terminal, plain lines on standard error otherwise."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.text import Text


class Screen(Protocol):
    """Where the demo says what it is doing."""

    def step(self, title: str, *, total: float | None = None) -> None:
        """Begin a step; the one before is done. `total` is in the unit that `update` counts in."""

    def update(self, text: str, *, done: float | None = None, total: float | None = None) -> None:
        """Say how the present step is going."""

    def say(self, text: str) -> None:
        """Say something that stays."""


class TerminalScreen:
    """Bars on a terminal."""

    def __init__(self, console: Console, progress: Progress) -> None:
        self._console = console
        self._progress = progress
        self._task: TaskID | None = None

    def step(self, title: str, *, total: float | None = None) -> None:
        """Begin a step."""
        self.finish()
        self._task = self._progress.add_task(title, total=total, text="")

    def finish(self) -> None:
        """Show the present step as done."""
        if self._task is not None:
            task = self._progress.tasks[self._progress.task_ids.index(self._task)]
            total = task.total or 1.0
            self._progress.update(self._task, total=total, completed=total)
            self._task = None

    def update(self, text: str, *, done: float | None = None, total: float | None = None) -> None:
        """Move the bar."""
        if self._task is not None:
            self._progress.update(self._task, text=text)
            if total is not None:
                self._progress.update(self._task, total=total)
            if done is not None:
                self._progress.update(self._task, completed=done)

    def say(self, text: str) -> None:
        """Print above the bars."""
        self._console.print(text, highlight=False)


class PlainScreen:
    """Lines for logs and pipes; a step's progress at most every few seconds."""

    _EVERY_S = 5.0

    def __init__(self) -> None:
        self._title = ""
        self._last = 0.0
        self._began = time.monotonic()

    def step(self, title: str, *, total: float | None = None) -> None:
        """Say that a step begins."""
        del total
        self._title = title
        self._last = time.monotonic()
        self._write(title)

    def update(self, text: str, *, done: float | None = None, total: float | None = None) -> None:
        """Say how it goes, now and then."""
        del done, total
        if time.monotonic() - self._last >= self._EVERY_S:
            self._last = time.monotonic()
            self._write(f"{self._title}: {text}")

    def say(self, text: str) -> None:
        """Say something."""
        self._write(Text.from_markup(text).plain)

    def _write(self, text: str) -> None:
        sys.stderr.write(f"[{time.monotonic() - self._began:6.1f} s] {text}\n")
        sys.stderr.flush()


@contextmanager
def open_screen() -> Iterator[Screen]:
    """Return the screen that fits standard error."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield PlainScreen()
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(30), TextColumn("{task.fields[text]}"))
    with Progress(*columns, TimeElapsedColumn(), console=console) as progress:
        screen = TerminalScreen(console, progress)
        yield screen
        screen.finish()
