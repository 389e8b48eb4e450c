"""A commune for each role, each with what the others must never read, and a key for it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from unittest.mock import patch
from uuid import UUID

import psycopg

from storage.database import Connection, connect
from storage.model import PlaceKind, Role
from tests.api import rows
from tests.api.accounts import make_key

COMMUNES: Mapping[Role, str] = MappingProxyType(
    {role: f"93{number:03}" for number, role in enumerate(sorted(Role), start=1)}
)


def mark_of(insee: str) -> str:
    """The word that stands in every text of a commune that is its own alone."""
    return f"secret-of-{insee}"


def plan_of(insee: str) -> UUID:
    """The plan of a commune."""
    return UUID(f"00000000-0000-4000-8000-0000000{insee}")


def make_towns(url: str) -> dict[Role, str]:
    """Make the communes; return for each role its key, good for its own commune alone."""
    keys = {}
    with connect(url) as connection:
        for number, (role, insee) in enumerate(COMMUNES.items()):
            _make_town(connection, insee, number)
            keys[role] = make_key(connection, insee, role)["Authorization"]
    return keys


def _make_town(connection: Connection, insee: str, number: int) -> None:
    run_id = UUID(int=1000 + number)
    with patch.multiple(rows, INSEE=insee, RUN_ID=run_id, PLAN_ID=plan_of(insee)):
        rows.save_commune(connection)
        rows.save_places(connection)
        device_id = rows.mount(connection, "COR-0001", eui=f"24e124713b{number:06x}")
        bay = rows.mount(connection, "ADL-01", eui=f"24e124713c{number:06x}", kind=PlaceKind.DELIVERY_BAY)
        space = rows.mount(connection, "STA-0001", eui=f"24e124713d{number:06x}", kind=PlaceKind.PARKING_SPACE)
        rows.take_in(
            connection,
            *(
                rows.fill("COR-0001", 0.1 * hour, at=rows.ago(hours=10 - hour), device_id=device_id)
                for hour in range(9)
            ),
            rows.occupancy("ADL-01", occupied=True, at=rows.ago(hours=2), device_id=bay),
            rows.occupancy("STA-0001", occupied=False, at=rows.ago(hours=1), device_id=space),
            refused=2,
        )
        rows.save_forecast(connection, ["COR-0001", "COR-0002", "COR-0003"])
        rows.save_plan(connection)
    _mark(connection, insee)
    connection.commit()


def _mark(connection: Connection, insee: str) -> None:
    """Put the commune's word into every text that stands for nothing but itself."""
    mark = mark_of(insee)
    for table, column in connection.execute(
        "SELECT c.table_name, c.column_name FROM information_schema.columns AS c JOIN information_schema.tables AS t "
        "USING (table_schema, table_name) WHERE c.table_schema = 'public' AND t.table_type = 'BASE TABLE' "
        "AND c.data_type = 'text' "
        "AND c.column_name IN ('street', 'comment', 'text', 'detail', 'engine', 'model_version') "
        "AND EXISTS (SELECT FROM information_schema.columns AS k WHERE k.table_name = c.table_name "
        "AND k.table_schema = 'public' AND k.column_name = 'commune_insee')"
    ).fetchall():
        try:
            with connection.transaction():
                connection.execute(
                    f"UPDATE {table} SET {column} = %s WHERE commune_insee = %s AND {column} IS NOT NULL", [mark, insee]
                )
        except psycopg.errors.CheckViolation:
            continue  # a word of a list
