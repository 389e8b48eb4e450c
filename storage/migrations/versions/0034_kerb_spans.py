"""Longer spans of the kerb's figures."""

from storage.schema import run_sql_file

revision = "0034"
down_revision = "0033"


def upgrade() -> None:
    run_sql_file("0034_kerb_spans.sql")
