"""Sessions that a device proves by a key of its own."""

from storage.schema import run_sql_file

revision = "0035"
down_revision = "0034"


def upgrade() -> None:
    run_sql_file("0035_device_keys.sql")
