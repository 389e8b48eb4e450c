"""The weather of days, where the town has a feed of it."""

from storage.schema import run_sql_file

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    run_sql_file("0019_day_weather.sql")
