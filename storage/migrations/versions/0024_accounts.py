"""Accounts, what they were granted, sessions and keys."""

from storage.schema import run_sql_file

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    run_sql_file("0024_accounts.sql")
