"""Accounts, what they were granted, sessions and keys."""

from storage.schema import run_sql_file

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    run_sql_file("0025_accounts.sql")
