"""Longer spans of the kerb's figures."""

from storage.schema import run_sql_file

revision = "0036"
down_revision = "0035"


def upgrade() -> None:
    run_sql_file("0036_kerb_spans.sql")
