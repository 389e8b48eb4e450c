"""The observatory of the kerb: days, months and hours of the day."""

from storage.schema import run_sql_file

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    run_sql_file("0016_observatory.sql")
