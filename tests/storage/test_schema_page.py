"""The schema is a promise: docs/schema.md and a real database name the same tables and columns."""

from __future__ import annotations

import re

import psycopg

from tests.tools import REPOSITORY

SHORT = {
    "timestamp with time zone": "timestamptz",
    "double precision": "float8",
    "time without time zone": "time",
    "_int2": "smallint[]",
    "_int4": "integer[]",
    "_int8": "bigint[]",
    "_float4": "real[]",
    "_bool": "boolean[]",
    "_bytea": "bytea[]",
    "_text": "text[]",
    "_timestamptz": "timestamptz[]",
}


def test_page_names_the_real_tables_and_columns(any_database_url: str):
    documented: dict[str, list[tuple[str, str]]] = {}
    table = ""
    for line in (REPOSITORY / "docs" / "schema.md").read_text(encoding="utf-8").splitlines():
        if heading := re.fullmatch(r"## `(\w+)`", line):
            table = heading[1]
            documented[table] = []
        elif column := re.fullmatch(r"- `(\w+)` (\S.*)", line):
            documented[table].append((column[1], column[2]))
    real: dict[str, list[tuple[str, str]]] = {}
    with psycopg.connect(any_database_url) as connection:
        for name, column_name, kind in connection.execute(
            "SELECT table_name, column_name, CASE data_type WHEN 'ARRAY' THEN udt_name ELSE data_type END "
            "FROM information_schema.columns WHERE table_schema = 'public' AND table_name NOT LIKE 'procrastinate%' "
            "AND table_name <> 'voirie_schema_version' ORDER BY ordinal_position"
        ):
            real.setdefault(name, []).append((column_name, SHORT.get(kind, kind)))
    assert documented == real
