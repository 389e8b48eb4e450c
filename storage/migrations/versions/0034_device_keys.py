"""Sessions that a device proves by a key of its own."""

from storage.schema import run_sql_file

revision = "0034"
down_revision = "0033"


def upgrade() -> None:
    run_sql_file("0034_device_keys.sql")
