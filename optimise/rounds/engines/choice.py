"""The engines by name."""

from __future__ import annotations

from optimise.rounds.engines import Engine
from storage.errors import InputError

ENGINES = ("best", "ortools", "pyvrp")


def engine_named(name: str, *, threads: int) -> Engine:
    """Return the engine of that name on so many threads (`ortools` uses one). Raises InputError for another name."""
    # Each engine loads libraries that the others do without.
    if name == "best":
        from optimise.rounds.engines.best_engine import BestEngine  # noqa: PLC0415 - see above

        return BestEngine(threads=threads)
    if name == "ortools":
        from optimise.rounds.engines.ortools_engine import ORToolsEngine  # noqa: PLC0415 - see above

        return ORToolsEngine()
    if name == "pyvrp":
        from optimise.rounds.engines.pyvrp_engine import PyvrpEngine  # noqa: PLC0415 - see above

        return PyvrpEngine(threads=threads)
    raise InputError(f"expected an engine of {', '.join(ENGINES)}, got {name!r}")
