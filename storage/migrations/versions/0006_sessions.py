"""Stays of vehicles."""

from storage.schema import run_sql_file

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    run_sql_file("0006_sessions.sql")
