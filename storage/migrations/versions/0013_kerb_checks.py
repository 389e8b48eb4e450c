"""Checks of the kerb by officers."""

from storage.schema import run_sql_file

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    run_sql_file("0013_kerb_checks.sql")
