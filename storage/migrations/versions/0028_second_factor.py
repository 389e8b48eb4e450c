"""The second factor of accounts, and log-ins that still owe it."""

from storage.schema import run_sql_file

revision = "0028"
down_revision = "0027"


def upgrade() -> None:
    run_sql_file("0028_second_factor.sql")
