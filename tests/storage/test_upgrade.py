"""What a database of the first release holds is still there after the upgrade, and keeps the new rules."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import psycopg
import pytest
from alembic import command
from psycopg.conninfo import conninfo_to_dict

from storage import readings, schema, schema_version
from storage.database import connect
from storage.model import RefusalReason, RefusedMessage
from tests.conftest import Server
from tests.storage.town import INSEE, NOON, batch


@pytest.fixture
def first_release(any_server: Server) -> Iterator[str]:
    """A database with the schema of the first release, on each kind of server in turn."""
    url = any_server.create_database()
    name = conninfo_to_dict(url)["dbname"]
    with psycopg.connect(any_server.url, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
        connection.execute(f"CREATE DATABASE {name}")
    config = schema._alembic_config()
    with schema._sqlalchemy_engine(url).begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
    yield url
    any_server.drop_database(url)


def test_mountings_that_overlapped_end_where_the_next_began(first_release: str):
    with connect(first_release) as connection:
        connection.execute(
            f"""
            INSERT INTO commune (commune_insee, name) VALUES ('{INSEE}', 'Essai');
            INSERT INTO place SELECT '{INSEE}', 'P' || n, 'bin', 2, 48 FROM generate_series(1, 3) AS n;
            INSERT INTO device (commune_insee, eui, model)
            SELECT '{INSEE}', 'd' || n, 'any' FROM generate_series(1, 4) AS n;
            INSERT INTO mounting (commune_insee, device_id, place_id, mounted_at, unmounted_at)
            SELECT '{INSEE}', device_id, place_id, mounted_at::timestamptz, unmounted_at::timestamptz
            FROM (VALUES
                ('d1', 'P1', '2026-01-01Z', '2026-03-01Z'),  -- was moved before it was taken down
                ('d1', 'P2', '2026-02-01Z', NULL),
                ('d2', 'P1', '2026-01-15Z', NULL),           -- came while d1 hung there
                ('d3', 'P3', '2026-01-01Z', NULL),           -- entered on one place with the next
                ('d4', 'P3', '2026-01-01Z', NULL)
            ) AS told (eui, place_id, mounted_at, unmounted_at)
            JOIN device USING (eui)
            """
        )
    assert schema.migrate(first_release) == schema_version.head_version()
    with connect(first_release) as connection:
        rows = connection.execute(
            "SELECT eui, place_id, to_char(mounted_at, 'MM-DD'), to_char(unmounted_at, 'MM-DD'), status"
            " FROM device LEFT JOIN mounting USING (device_id) ORDER BY eui, mounted_at"
        ).fetchall()
    assert rows == [
        ("d1", "P1", "01-01", "01-15", "mounted"),
        ("d1", "P2", "02-01", None, "mounted"),
        ("d2", "P1", "01-15", None, "mounted"),
        ("d3", None, None, None, "in_stock"),
        ("d4", "P3", "01-01", None, "mounted"),
    ]


def test_equal_refused_messages_become_one_row_that_new_ones_are_counted_in(first_release: str):
    payload = b"\x00\xff"
    with connect(first_release) as connection:
        for hours in range(3):
            connection.execute(
                "INSERT INTO refused_message (commune_insee, received_at, network, topic, payload, reason, detail)"
                " VALUES (%s, %s + make_interval(hours => %s), 'n', 'é/t', %s, 'malformed_envelope', 'x')",
                [INSEE, NOON, hours, payload],
            )
    schema.migrate(first_release)
    refused = RefusedMessage(
        commune_insee=INSEE, received_at=NOON, network="n", topic="é/t", payload=payload,
        reason=RefusalReason.MALFORMED_ENVELOPE, detail="x",
    )  # fmt: skip
    with connect(first_release) as connection:
        assert readings.take_in(connection, batch(refused=(refused,))).refused == 0
        digest = hashlib.sha256("é/t".encode() + payload).hexdigest()
        assert readings.refused_digests(connection, INSEE) == {digest: 4}
        spans = connection.execute("SELECT received_at, last_received_at - received_at FROM refused_message").fetchall()
    assert [(received_at, span.total_seconds()) for received_at, span in spans] == [(NOON, 7200)]
