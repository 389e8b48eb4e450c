"""The first schema: communes, places, devices, readings, refusals, forecasts and plans."""

from storage.schema import run_sql_file

revision = "0001"
down_revision = None


def upgrade() -> None:
    run_sql_file("0001_first_schema.sql")
