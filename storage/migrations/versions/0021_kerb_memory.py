"""Laws of stays, and what tells servers whether the kerb that they keep in memory is still so."""

from storage.schema import run_sql_file

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    run_sql_file("0021_kerb_memory.sql")
