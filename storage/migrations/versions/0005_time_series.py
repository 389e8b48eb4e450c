"""TimescaleDB's features where the edition has them, plain views where it has not."""

from storage.schema import run_sql_file

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    run_sql_file("0005_time_series.sql")
