"""Territories, and who may read their communes' figures."""

from storage.schema import run_sql_file

revision = "0033"
down_revision = "0032"


def upgrade() -> None:
    run_sql_file("0033_territory.sql")
