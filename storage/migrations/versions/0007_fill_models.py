"""Fill models apart from forecasts, the days' rounds, the date of full."""

from storage.schema import run_sql_file

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    run_sql_file("0007_fill_models.sql")
