"""What tests of time series share: the editions' features where they are, and nothing where they are not."""

from __future__ import annotations

import contextlib

from psycopg.errors import DuplicateObject

from storage.database import Connection
from storage.time_series import LIVE_VIEWS, Edition, edition

READINGS = ("fill_reading", "occupancy_reading")


def to_columns(connection: Connection) -> bool:
    """Turn every chunk of readings and figures into columns, as policies do; False where the edition has none."""
    connection.commit()
    if edition(connection) < Edition.COMMUNITY:
        return False
    for table in (*READINGS, *LIVE_VIEWS):
        for (chunk,) in connection.execute("SELECT show_chunks(%s)", [table]).fetchall():
            # The database's own policy may be at the same chunk.
            with contextlib.suppress(DuplicateObject), connection.transaction():
                connection.execute("CALL convert_to_columnstore(%s, if_not_columnstore => true)", [chunk])
    connection.commit()
    assert in_columns(connection) > 0
    return True


def in_columns(connection: Connection) -> int:
    """Return how many chunks of readings are columns."""
    row = connection.execute(
        "SELECT count(*) FROM timescaledb_information.chunks WHERE is_compressed AND hypertable_name = ANY (%s)",
        [list(READINGS)],
    ).fetchone()
    assert row is not None
    return int(row[0])
