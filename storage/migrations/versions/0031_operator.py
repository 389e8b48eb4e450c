"""What an operator sees of queue, processes and disk, as functions: nobody gets a right to read them."""

from storage.schema import run_sql_file

revision = "0031"
down_revision = "0030"


def upgrade() -> None:
    run_sql_file("0031_operator.sql")
