"""The schema's life: migrations run once and never change after they ship; views are replaced every time."""

from __future__ import annotations

from importlib.resources import files

import sqlalchemy
from alembic import command, op
from alembic.config import Config
from procrastinate.schema import SchemaManager

from storage import isolation, time_series
from storage.database import SQL_FOLDER, Connection, connect
from storage.errors import SchemaError, UnavailableError
from storage.schema_version import current_version, head_version, say_oldest_code
from storage.time_series import TimeSeriesOptions

# Two processes that migrate at once would race; the second waits here. The number is arbitrary and only has to be ours.
_MIGRATION_LOCK = 0x766F69726965


def _alembic_config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(files("storage") / "migrations"))
    config.set_main_option("path_separator", "os")
    return config


def _sqlalchemy_engine(url: str) -> sqlalchemy.Engine:
    # libpq's own URL goes through a creator, since SQLAlchemy reads socket directories and options differently.
    return sqlalchemy.create_engine(
        "postgresql+psycopg://",
        creator=lambda: connect(url, application="voirie migrate"),
        poolclass=sqlalchemy.NullPool,
    )


def run_sql_file(name: str) -> None:
    """Run one file of `sql/migrations` inside the revision that calls it."""
    text = (SQL_FOLDER / "migrations" / name).read_text(encoding="utf-8")
    # The driver's cursor, without parameters: a file holds many statements, and SQLAlchemy would read its colons.
    _driver_connection(op.get_bind()).execute(text)


def _driver_connection(connection: sqlalchemy.Connection) -> Connection:
    driver_connection: Connection | None = connection.connection.driver_connection
    if driver_connection is None:
        raise UnavailableError("the migration's connection was lost")
    return driver_connection


def migrate(url: str, options: TimeSeriesOptions | None = None) -> str:
    """Bring the database at `url` to this version's schema; return the schema's version. Harmless when repeated.

    Repeated with other `options`, or after the server's edition changed, it applies those. Raises SchemaError when the
    database is of a newer version: its views are not ours to replace.
    """
    found = current_version(url)
    if found is not None and found > head_version():
        raise SchemaError(
            f"the database has schema {found}, newer than this version of Voirie, whose is {head_version()}"
        )
    engine = _sqlalchemy_engine(url)
    config = _alembic_config()
    with engine.begin() as connection:
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_MIGRATION_LOCK})")
        # Views stand on tables: they go first and come back last, so that a revision may alter any column.
        isolation.withdraw(_driver_connection(connection))
        _drop_views(connection)
        time_series.drop_plain_views(_driver_connection(connection))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        time_series.apply(_driver_connection(connection), options or TimeSeriesOptions())
        _create_views(connection)
        _create_job_tables(connection)
        say_oldest_code(_driver_connection(connection))
        isolation.apply(_driver_connection(connection))
    return head_version()


def _view_files() -> list[str]:
    return sorted(item.name for item in (SQL_FOLDER / "views").iterdir() if item.name.endswith(".sql"))


def _drop_views(connection: sqlalchemy.Connection) -> None:
    for name in reversed(_view_files()):
        connection.exec_driver_sql(f"DROP VIEW IF EXISTS {name.removesuffix('.sql')}")


def _create_views(connection: sqlalchemy.Connection) -> None:
    for name in _view_files():
        text = (SQL_FOLDER / "views" / name).read_text(encoding="utf-8")
        connection.exec_driver_sql(text.replace("%", "%%"))


def _create_job_tables(connection: sqlalchemy.Connection) -> None:
    """Create Procrastinate's tables once; its own upgrades come as revisions of ours."""
    exists = connection.exec_driver_sql("SELECT to_regclass('procrastinate_jobs') IS NOT NULL").scalar()
    if not exists:
        _driver_connection(connection).execute(SchemaManager.get_schema())
