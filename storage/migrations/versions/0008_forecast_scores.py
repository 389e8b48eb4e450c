"""How forecasts held against what was then said."""

from storage.schema import run_sql_file

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    run_sql_file("0008_forecast_scores.sql")
