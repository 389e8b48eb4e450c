"""The device that a session was opened on."""

from storage.schema import run_sql_file

revision = "0030"
down_revision = "0029"


def upgrade() -> None:
    run_sql_file("0030_session_device.sql")
