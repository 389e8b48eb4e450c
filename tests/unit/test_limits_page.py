"""docs/limits.md tells the limits that the code has."""

from __future__ import annotations

import importlib
import re

import pytest

from config.settings import Settings
from tests.tools import REPOSITORY

PAGE = (REPOSITORY / "docs" / "limits.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| (.+?) \| ([\d.]+) \| `([\w.]+)` \| (.+) \|$", PAGE, re.MULTILINE)


def limit_of(name: str) -> object:
    """The value of an option of the settings, or of a constant in a module."""
    table, _, option = name.rpartition(".")
    found = getattr(getattr(Settings(), table, None), option, None)
    return found if found is not None else getattr(importlib.import_module(table), option)


def test_every_row_of_a_table_is_read():
    rows = [line for line in PAGE.splitlines() if line.startswith("| ") and not line.startswith(("| what", "| ---"))]
    assert len(ROWS) == len(rows) > 5


@pytest.mark.parametrize(("what", "most", "name", "beyond"), ROWS, ids=[row[2] for row in ROWS])
def test_figures_are_those_of_the_code(what: str, most: str, name: str, beyond: str):
    assert float(most) == limit_of(name)
    assert beyond
