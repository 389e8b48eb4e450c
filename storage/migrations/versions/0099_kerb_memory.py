"""Laws of stays, and what tells servers whether the kerb that they keep in memory is still so."""

from storage.schema import run_sql_file

revision = "0099"
down_revision = "0098"


def upgrade() -> None:
    run_sql_file("0099_kerb_memory.sql")
