"""What one commune's transaction sees of another's: nothing, in every table and view, whatever the query forgot."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo
from psycopg.types.json import Jsonb

from storage import communes, schema
from storage.database import Connection, connect, has_timescaledb, open_pool
from storage.errors import SchemaError
from storage.isolation import IDENTITY, ROLE, WRITABLE, CommunePool
from storage.time_series import TIME_TABLES, Edition, edition
from tests.conftest import Server

MINE, OTHERS = "93051", "75056"

VALUES = {
    "text": "'x'",
    "bool": "true",
    "int2": "1",
    "int4": "1",
    "int8": "1",
    "float4": "1",
    "float8": "1",
    "numeric": "1",
    "bytea": "''",
    "date": "date '2026-01-05'",
    "time": "time '08:00'",
    "timestamptz": "timestamptz '2026-01-05 08:00+00'",
    "interval": "interval '1 hour'",
    "uuid": "'00000000-0000-0000-0000-000000000001'",
    "jsonb": "'{}'",
}


def relations(connection: Connection) -> dict[str, bool]:
    """Every table (true) and view (false) that carries a commune, but those which no commune sees at all."""
    rows = connection.execute(
        "SELECT c.relname::text, c.relkind = 'r' FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid "
        "WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'v') AND a.attname = 'commune_insee'"
    )
    return {name: is_table for name, is_table in rows.fetchall() if name not in IDENTITY}


def put_a_row(connection: Connection, table: str, insee: str) -> None:
    """Put a row into `table` that holds as little as the table allows."""
    columns = connection.execute(
        "SELECT a.attname::text, t.typname::text, t.typcategory = 'A' FROM pg_attribute AS a "
        "JOIN pg_type AS t ON t.oid = a.atttypid WHERE a.attrelid = %s::regclass AND a.attnum > 0 "
        "AND NOT a.attisdropped AND a.attnotnull AND NOT a.atthasdef AND a.attidentity = '' AND a.attgenerated = '' "
        "AND a.attname <> 'commune_insee'",
        [f"public.{table}"],
    ).fetchall()
    names = [sql.Identifier("commune_insee"), *(sql.Identifier(name) for name, _, _ in columns)]
    # A device or a batch belongs to one commune: where a key has no commune in it, each needs its own.
    number = sql.Literal(int(insee[-1]))
    values = [sql.Literal(insee)]
    for _, kind, is_array in columns:
        is_number = kind in {"int4", "int8"}
        values.append(number if is_number else sql.SQL("'{}'" if is_array else VALUES[kind]))  # type: ignore[arg-type]
    connection.execute(
        sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
            sql.Identifier(table), sql.SQL(", ").join(names), sql.SQL(", ").join(values)
        )
    )


@pytest.fixture
def full_url(any_database_url: str) -> str:
    """A database in whose every table two communes have a row each."""
    with connect(any_database_url) as connection:
        connection.execute("SET session_replication_role = replica")  # keys to other tables and triggers stay out
        every = relations(connection)
        for table, name in connection.execute(
            "SELECT conrelid::regclass::text, conname::text FROM pg_constraint "
            "WHERE contype = 'c' AND connamespace = 'public'::regnamespace AND conrelid <> 0 AND conparentid = 0"
        ).fetchall():
            # What lies in columns keeps its constraints, and the least row obeys them.
            with suppress(psycopg.errors.FeatureNotSupported), connection.transaction():
                connection.execute(
                    sql.SQL("ALTER TABLE {} DROP CONSTRAINT {}").format(sql.Identifier(table), sql.Identifier(name))
                )
        for table, is_table in every.items():
            if is_table:
                put_a_row(connection, table, MINE)
                put_a_row(connection, table, OTHERS)
    return any_database_url


@contextmanager
def acting_for(url: str, *insee: str, read_only: bool = True) -> Iterator[Connection]:
    pool = CommunePool(open_pool(url, max_size=1), wait_s=10)
    try:
        with pool.transaction(insee, read_only=read_only) as connection:
            yield connection
    finally:
        pool.close()


def counts(connection: Connection, names: dict[str, bool]) -> dict[str, dict[str, int]]:
    return {
        name: dict(
            connection.execute(
                sql.SQL("SELECT commune_insee, count(*) FROM {} GROUP BY 1").format(sql.Identifier(name))
            ).fetchall()
        )
        for name in names
    }


def test_every_table_and_view_shows_a_commune_its_own_rows_alone(full_url: str):
    with connect(full_url) as connection:
        every = relations(connection)
        kept = counts(connection, {name: kind for name, kind in every.items() if kind})
    # Vacuous nowhere: the other commune has a row in each table.
    assert {name for name, found in kept.items() if not {MINE, OTHERS} <= set(found)} == set()
    with acting_for(full_url, MINE) as connection:
        seen = counts(connection, every)
    assert {name: found for name, found in seen.items() if set(found) - {MINE}} == {}
    assert {name: found.get(MINE) for name, found in seen.items() if every[name]} == {
        name: found[MINE] for name, found in kept.items()
    }


def test_who_names_no_commune_sees_none(full_url: str):
    with acting_for(full_url) as connection:
        seen = counts(connection, relations(connection))
        assert {name: found for name, found in seen.items() if found} == {}
        # But which communes are served is no secret.
        assert {item.commune_insee for item in communes.served(connection)} == {MINE, OTHERS}


def test_question_who_asks_leaves_nothing_to_the_next_one(full_url: str):
    acting = (
        "SELECT current_user::text AS role, coalesce(voirie_identity(), false) AS asks, voirie_communes() AS communes"
    )
    pool = CommunePool(open_pool(full_url, max_size=1), wait_s=10)
    try:
        assert pool.identified(acting, {}) == {"role": ROLE, "asks": True, "communes": []}
        with pytest.raises(psycopg.errors.DivisionByZero):
            pool.identified("SELECT 1 / 0", {})
        with pool.answered([MINE], acting, {}) as (_, row):
            assert row == {"role": ROLE, "asks": False, "communes": [MINE]}
        assert pool.identified(acting, {}) == {"role": ROLE, "asks": True, "communes": []}
    finally:
        pool.close()


def test_who_acts_for_several_sees_those(full_url: str):
    with acting_for(full_url, MINE, OTHERS) as connection:
        assert set(counts(connection, {"bin": True, "fill_reading": True})["fill_reading"]) == {MINE, OTHERS}


def test_what_is_written_for_another_commune_is_refused(full_url: str):
    written = {name: rights for name, rights in WRITABLE.items() if "INSERT" in rights}
    for table in written:
        with (
            acting_for(full_url, MINE, read_only=False) as connection,
            pytest.raises((psycopg.errors.InsufficientPrivilege, psycopg.errors.WithCheckOptionViolation)),
            connection.transaction(),
        ):
            put_a_row(connection, table, "01003")


def test_nothing_of_another_commune_is_changed_or_deleted(full_url: str):
    changing = [name for name, rights in WRITABLE.items() if "DELETE" in rights]
    with connect(full_url) as connection:
        before = counts(connection, dict.fromkeys(changing, True))
    with acting_for(full_url, MINE, read_only=False) as connection:
        connection.execute("DELETE FROM mounting")
        for name in changing:
            with connection.transaction(force_rollback=True):
                connection.execute("SET CONSTRAINTS ALL DEFERRED")
                try:
                    with connection.transaction():
                        deleted = connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(name))).rowcount
                except psycopg.errors.ForeignKeyViolation:
                    continue
            assert deleted <= before[name][MINE], name
        connection.rollback()


def test_readings_are_moved_taken_away_and_put_back_through_the_view(full_url: str):
    with connect(full_url, autocommit=True) as owner:
        if edition(owner) is Edition.COMMUNITY:  # those in columns too
            owner.execute("SELECT compress_chunk(c) FROM show_chunks('fill_reading') AS c")
    with acting_for(full_url, MINE, read_only=False) as connection:
        assert connection.execute("UPDATE fill_reading SET place_id = 'y'").rowcount == 1
        taken = connection.execute("DELETE FROM fill_reading RETURNING to_jsonb(fill_reading)").fetchall()
        assert [row["place_id"] for (row,) in taken] == ["y"]
        for stored in (1, 0):
            put_back = connection.execute(
                "INSERT INTO fill_reading SELECT * FROM jsonb_populate_record(NULL::fill_reading, %s) "
                "ON CONFLICT (device_id, measured_at, record_index) DO NOTHING",
                [Jsonb(taken[0][0])],
            )
            assert put_back.rowcount == stored
    with connect(full_url) as owner:
        assert counts(owner, {"fill_reading": True}) == {"fill_reading": {MINE: 1, OTHERS: 1}}


@pytest.mark.parametrize("name", sorted(TIME_TABLES))
def test_the_role_has_no_way_around_its_views(full_url: str, name: str):
    with acting_for(full_url, MINE) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(sql.SQL("SELECT FROM public.{}").format(sql.Identifier(name)))


def test_the_role_owns_nothing_and_may_make_nothing(full_url: str):
    with connect(full_url) as connection:
        assert connection.execute(
            "SELECT count(*) FROM pg_class AS c JOIN pg_roles AS r ON r.oid = c.relowner WHERE rolname = %s", [ROLE]
        ).fetchone() == (0,)
        assert (
            connection.execute(
                "SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolcanlogin FROM pg_roles "
                "WHERE rolname = %s",
                [ROLE],
            ).fetchone()
            == (False,) * 5
        )
    for forbidden in ("CREATE TABLE mine (x int)", "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'"):
        with (
            acting_for(full_url, MINE, read_only=False) as connection,
            pytest.raises(psycopg.errors.InsufficientPrivilege),
            connection.transaction(),
        ):
            connection.execute(forbidden)


def test_a_connection_forgets_whom_it_acted_for(full_url: str):
    opened = open_pool(full_url, max_size=1)
    pool = CommunePool(opened, wait_s=10)
    try:
        with pool.transaction([MINE]) as connection:
            assert connection.execute("SELECT current_user, voirie_communes()").fetchone() == (ROLE, [MINE])
        with opened.connection() as connection:
            assert connection.execute(
                "SELECT current_user = session_user, coalesce(current_setting('voirie.communes', true), '')"
            ).fetchone() == (True, "")
    finally:
        pool.close()


def test_every_hypertable_is_known_as_one(any_database_url: str):
    with connect(any_database_url) as connection:
        if has_timescaledb(connection):
            rows = connection.execute(
                "SELECT hypertable_name FROM timescaledb_information.hypertables WHERE hypertable_schema = 'public'"
            )
            assert {name for (name,) in rows} == TIME_TABLES


def test_who_may_not_create_the_role_is_told_what_to_run(any_server: Server):
    with psycopg.connect(any_server.url, autocommit=True) as connection:
        connection.execute("CREATE ROLE weak_owner LOGIN")
        connection.execute("CREATE DATABASE weakly_owned OWNER weak_owner")
    url = make_conninfo(any_server.url, dbname="weakly_owned")
    try:
        with connect(make_conninfo(url, user="weak_owner")) as connection:
            connection.execute("SELECT 1")
        with pytest.raises(SchemaError, match=rf"`GRANT {ROLE} TO weak_owner;`"):
            schema.migrate(make_conninfo(url, user="weak_owner"))
    finally:
        with psycopg.connect(any_server.url, autocommit=True) as connection:
            connection.execute("DROP DATABASE weakly_owned WITH (FORCE)")
            connection.execute("DROP ROLE weak_owner")
