"""What rounds have to know of bins, vehicles and disposal sites."""

from storage.schema import run_sql_file

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    run_sql_file("0011_round_rules.sql")
