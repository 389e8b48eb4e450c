"""The matrix's own databases on a server: one template with the town, and a copy for each row."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from cli.fault_matrix.servers import Server
from cli.fault_matrix.town import Town
from cli.scratch_databases import scratch_database, scratch_template


@dataclass(frozen=True, kw_only=True, slots=True)
class Databases:
    """Copies of a template on one server."""

    server: Server
    prefix: str
    template: str

    @contextmanager
    def copy(self, row: str) -> Iterator[str]:
        """Make a database with the town in it for a row, yield its name, and drop it."""
        name = f"{self.prefix}_{row}"
        with scratch_database(self.server.url(), name, template=self.template):
            yield name


@contextmanager
def town_databases(server: Server, town: Town) -> Iterator[Databases]:
    """Make the template, and drop it at the end."""
    prefix = f"voirie_faults_{town.run}"
    template = f"{prefix}_town"
    with scratch_template(server.url(), template, url=server.url(template), prepare=town.provision):
        yield Databases(server=server, prefix=prefix, template=template)
