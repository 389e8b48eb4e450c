"""Checks of the kerb by officers."""

from storage.schema import run_sql_file

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    run_sql_file("0015_kerb_checks.sql")
