"""The devices' life: stock, mountings with geometry, assignments, replays."""

from storage.schema import run_sql_file

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    run_sql_file("0003_device_life.sql")
