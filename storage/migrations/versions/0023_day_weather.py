"""The weather of days, where the town has a feed of it."""

from storage.schema import run_sql_file

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    run_sql_file("0023_day_weather.sql")
