"""What repairs of rounds have weighed."""

from storage.schema import run_sql_file

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    run_sql_file("0022_weighed_events.sql")
