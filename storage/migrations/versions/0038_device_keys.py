"""Sessions that a device proves by a key of its own."""

from storage.schema import run_sql_file

revision = "0038"
down_revision = "0037"


def upgrade() -> None:
    run_sql_file("0038_device_keys.sql")
