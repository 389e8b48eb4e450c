"""Places at the kerb and the rules of by-laws."""

from storage.schema import run_sql_file

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    run_sql_file("0007_kerb.sql")
