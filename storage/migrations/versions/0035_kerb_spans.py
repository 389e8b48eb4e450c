"""Longer spans of the kerb's figures."""

from storage.schema import run_sql_file

revision = "0035"
down_revision = "0034"


def upgrade() -> None:
    run_sql_file("0035_kerb_spans.sql")
