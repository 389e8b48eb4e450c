"""What the kerb's days and months come to by street."""

from storage.schema import run_sql_file

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    run_sql_file("0025_kerb_streets.sql")
