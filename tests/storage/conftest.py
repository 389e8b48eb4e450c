"""A provisioned commune on each kind of database."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from storage.database import connect
from tests.storage.town import Town, provision


@pytest.fixture
def town(any_database_url: str) -> Iterator[Town]:
    """A small commune on a database of the test's own, on each kind of server in turn."""
    with connect(any_database_url) as connection:
        yield provision(connection)
