"""Files of rounds that other people state: each reader one module, all of them one `Task`."""

from __future__ import annotations

from collections.abc import Callable

from optimise.rounds.formats.task import Task, Unit
from storage.errors import InputError

__all__ = ["BYTES_AT_MOST", "Task", "Unit", "read_task"]

BYTES_AT_MOST = 256 * 1024 * 1024


def read_task(text: str, source: str) -> Task:
    """Return the task of a text, whichever format it is in. Raises InputError with the line and the reason."""
    # The readers are imported where they are needed: each brings what only it needs.
    from optimise.rounds.formats import rounds_json, solomon, vrplib_file, waste_collection  # noqa: PLC0415

    text = text.removeprefix("\ufeff")
    readers: tuple[tuple[Callable[[str], bool], Callable[[str, str], Task]], ...] = tuple(
        (module.looks_like, module.read) for module in (rounds_json, waste_collection, solomon, vrplib_file)
    )
    for looks_like, read in readers:
        if looks_like(text):
            return read(text, source)
    raise InputError(
        f"{source}: line 1: expected a VRPLIB file, Solomon's text format, a waste-collection file of Kim, Kim & Sahoo "
        "or JSON (docs/rounds-problem.md), got something else"
    )
