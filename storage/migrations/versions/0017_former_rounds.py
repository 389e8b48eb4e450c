"""What a town drove before rounds were planned."""

from storage.schema import run_sql_file

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    run_sql_file("0017_former_rounds.sql")
