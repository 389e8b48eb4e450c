"""Who may speak to the broker, and what each may publish."""

from storage.schema import run_sql_file

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    run_sql_file("0024_broker_credentials.sql")
