"""Places at the kerb and the rules of by-laws."""

from storage.schema import run_sql_file

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    run_sql_file("0008_kerb.sql")
