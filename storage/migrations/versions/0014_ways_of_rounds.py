"""What a driver is told between stops."""

from storage.schema import run_sql_file

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    run_sql_file("0014_ways_of_rounds.sql")
