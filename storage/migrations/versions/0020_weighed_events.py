"""What repairs of rounds have weighed."""

from storage.schema import run_sql_file

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    run_sql_file("0020_weighed_events.sql")
