"""How forecasts of bays held, day by day."""

from storage.schema import run_sql_file

revision = "0037"
down_revision = "0036"


def upgrade() -> None:
    run_sql_file("0037_bay_scores.sql")
