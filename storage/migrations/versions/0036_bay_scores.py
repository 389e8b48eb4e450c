"""How forecasts of bays held, day by day."""

from storage.schema import run_sql_file

revision = "0036"
down_revision = "0035"


def upgrade() -> None:
    run_sql_file("0036_bay_scores.sql")
