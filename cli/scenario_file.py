"""A scenario from its file, bounded before it is read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from simulators.scenario import Scenario


def read_scenario(path: Path) -> Scenario:
    """Return the scenario of a file. Raises InputError that says where and what is wrong with it."""
    from cli.registry import content_of
    from simulators.scenario import MOST_BYTES, Scenario
    from storage.errors import InputError

    content = content_of(str(path), most=MOST_BYTES)
    try:
        return Scenario.read(content.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise InputError(f"the scenario cannot be read: {error}") from error
