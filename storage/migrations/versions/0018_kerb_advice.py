"""Advice on delivery areas."""

from storage.schema import run_sql_file

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    run_sql_file("0018_kerb_advice.sql")
