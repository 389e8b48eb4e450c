"""Markets and events that the town tells of."""

from storage.schema import run_sql_file

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    run_sql_file("0010_town_events.sql")
