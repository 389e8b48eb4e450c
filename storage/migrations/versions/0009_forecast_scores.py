"""How forecasts held against what was then said."""

from storage.schema import run_sql_file

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    run_sql_file("0009_forecast_scores.sql")
