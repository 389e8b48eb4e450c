"""Declarations at bins that were taken back."""

from storage.schema import run_sql_file

revision = "0032"
down_revision = "0031"


def upgrade() -> None:
    run_sql_file("0032_service_withdrawals.sql")
