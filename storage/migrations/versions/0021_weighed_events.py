"""What repairs of rounds have weighed."""

from storage.schema import run_sql_file

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    run_sql_file("0021_weighed_events.sql")
