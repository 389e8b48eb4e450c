"""The schema's promises: the same on each kind of server, migrated once, and every table says whose its rows are."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from alembic.script import ScriptDirectory
from psycopg.conninfo import make_conninfo

from storage import schema, schema_version
from storage.database import connect, has_timescaledb
from storage.errors import SchemaError, UnavailableError
from storage.model import BinNow, SpaceNow
from tests.conftest import Server
from tests.storage.town import Town

OURS = (
    "table_schema = 'public' AND table_name NOT LIKE 'procrastinate\\_%' AND table_name <> 'voirie_schema_version'"
)  # fmt: skip


@pytest.fixture
def empty_url(any_server: Server) -> Iterator[str]:
    """A database without a schema, on each kind of server in turn."""
    url = any_server.create_database()
    name = psycopg.conninfo.conninfo_to_dict(url)["dbname"]
    with psycopg.connect(any_server.url, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
        connection.execute(f"CREATE DATABASE {name}")
    yield url
    any_server.drop_database(url)


def tables(url: str) -> set[str]:
    with connect(url) as connection:
        rows = connection.execute(f"SELECT table_name FROM information_schema.tables WHERE {OURS}")  # type: ignore[arg-type]
        return {name for (name,) in rows}


def test_every_table_and_view_carries_its_commune(any_database_url: str):
    with connect(any_database_url) as connection:
        rows = connection.execute(
            "SELECT table_name FROM information_schema.columns "  # type: ignore[arg-type] # constants of this file
            f"WHERE {OURS} AND column_name = 'commune_insee' AND is_nullable = 'NO' "
            "OR table_name IN (SELECT table_name FROM information_schema.views) AND column_name = 'commune_insee' "
            "AND table_schema = 'public'"
        )
        carrying = {name for (name,) in rows}
    every = tables(any_database_url)
    assert {"commune", "fill_reading", "plan", "bin_state"} <= every
    # What is kept from the role that reads whatever carries a commune: the proofs of secrets, and people, who may be of
    # several communes.
    assert every - carrying == {
        "broker_secret",
        "account",
        "login_session",
        "login_failure",
        "login_half",
        "account_identity",
        "territory",
        "territory_grant",
        "second_factor",
    }


def test_hypertables_where_timescaledb_is_and_plain_tables_elsewhere(any_server: Server, any_database_url: str):
    with connect(any_database_url) as connection:
        assert has_timescaledb(connection) == (any_server.name == "timescaledb")
        rows = connection.execute(
            "SELECT hypertable_name FROM timescaledb_information.hypertables WHERE hypertable_schema = 'public'"
            if has_timescaledb(connection)
            else "SELECT relname FROM pg_class WHERE relname LIKE '%_reading' AND relkind <> 'r' "
            "AND relnamespace = 'public'::regnamespace"
        )
        time_series = {"fill_reading", "occupancy_reading", "reviewed_level"}
        time_series |= {"fill_hourly_kept", "occupancy_hourly_kept", "occupancy_session"}
        assert {name for (name,) in rows} == (time_series if has_timescaledb(connection) else set())


def test_migrating_again_is_harmless(town: Town, any_database_url: str):
    before = tables(any_database_url)
    town.connection.commit()
    assert schema.migrate(any_database_url) == schema_version.head_version()
    assert tables(any_database_url) == before
    assert town.connection.execute("SELECT count(*) FROM bin").fetchone() == (3,)
    schema_version.require_schema(town.connection)


def test_processes_that_migrate_at_once_wait_for_each_other(empty_url: str):
    with ThreadPoolExecutor(max_workers=4) as pool:
        versions = list(pool.map(schema.migrate, [empty_url] * 4))
    assert versions == [schema_version.head_version()] * 4
    assert schema_version.current_version(empty_url) == schema_version.head_version()


def test_the_version_of_the_code_is_the_last_revision_s():
    script = ScriptDirectory.from_config(schema._alembic_config())
    assert schema_version.head_version() == script.get_current_head()


def test_database_without_schema_is_refused_with_the_remedy(empty_url: str):
    assert schema_version.current_version(empty_url) is None
    with connect(empty_url) as connection, pytest.raises(SchemaError, match=r"no schema.*run `voirie migrate`"):
        schema_version.require_schema(connection)


@pytest.mark.parametrize("found", ["0000", None], ids=["of another version", "with an empty version table"])
def test_other_schema_is_refused_by_name(town: Town, found: str | None):
    town.connection.execute("DELETE FROM voirie_schema_version")
    if found:
        town.connection.execute("INSERT INTO voirie_schema_version VALUES (%s)", [found])
    sentence = f"has schema {found or 'none'}, .* needs {schema_version.head_version()}: run `voirie migrate`"
    with pytest.raises(SchemaError, match=sentence):
        schema_version.require_schema(town.connection)


def test_failed_migration_leaves_nothing(empty_url: str, monkeypatch: pytest.MonkeyPatch):
    def fail(_connection: object) -> None:
        raise RuntimeError("the last step fails")

    monkeypatch.setattr(schema, "_create_job_tables", fail)
    with pytest.raises(RuntimeError, match="the last step fails"):
        schema.migrate(empty_url)
    assert tables(empty_url) == set()
    assert schema_version.current_version(empty_url) is None


def test_job_tables_are_there(town: Town):
    assert town.connection.execute("SELECT count(*) FROM procrastinate_jobs").fetchone() == (0,)


@pytest.mark.parametrize(
    ("view", "kinds"), [("bin_state", [BinNow]), ("occupancy_state", [SpaceNow])], ids=["bins", "occupancy"]
)
def test_views_have_what_the_present_states_take_from_them(town: Town, view: str, kinds: list[type]):
    rows = town.connection.execute(
        "SELECT column_name FROM information_schema.columns WHERE table_schema = 'public' AND table_name = %s "
        "ORDER BY ordinal_position",
        [view],
    )
    columns = [name for (name,) in rows]
    assert columns[:2] == ["commune_insee", "place_id"]
    measured = {"measured_at", "measured_fill_fraction", "last_emptied_at", "heard_at", "occupied", "occupied_since"}
    for kind in kinds:
        assert measured & set(kind.__dataclass_fields__) <= set(columns)


def test_database_that_does_not_answer_is_unavailable(any_database_url: str):
    nowhere = make_conninfo(any_database_url, host="127.0.0.1", hostaddr="127.0.0.1", port=1, connect_timeout=2)
    with pytest.raises(UnavailableError, match="the database does not answer"):
        connect(nowhere)
