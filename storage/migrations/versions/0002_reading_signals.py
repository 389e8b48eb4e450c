"""What more kinds of devices and networks say with a reading."""

from storage.schema import run_sql_file

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    run_sql_file("0002_reading_signals.sql")
