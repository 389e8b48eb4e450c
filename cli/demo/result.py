"""The result of a demo, computed against what only the simulator knows: its ledger and the true fill."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import numpy as np

from cli.demo.judge import count_lost, judge_forecast, read_truth
from cli.demo.stage import Stage
from simulators.ledger import read_ledger
from storage import communes, plans, readings
from storage.database import connect
from storage.errors import UnavailableError
from storage.model import StopKind


def demo_result(stage: Stage, *, ledger: Path, truth: Path) -> dict[str, Any]:
    """Return the document that `voirie demo --once --json` prints, but for the seconds."""
    insee = stage.settings.commune.insee_code
    with connect(stage.database_url, application="voirie demo") as connection:
        simulation = communes.simulation(connection, insee)
        plan = plans.latest(connection, insee)
        if simulation is None or plan is None:
            raise UnavailableError("the demo has no commune or no plan to report on")
        tally = readings.tally(connection, insee)
        entries = list(read_ledger(ledger))
        known = read_truth(truth)
        served = sum(stop.kind is StopKind.BIN for route in plan.routes for stop in route.stops)
        result = {
            "published": len(entries),
            "stored": tally.stored,
            "rejected": tally.refused,
            "duplicates": tally.duplicates,
            "lost": count_lost(connection, insee, entries),
            "bins": len(known.place_id),
            "bins_with_sensor": int(np.count_nonzero(known.has_sensor)),
            "forecast": judge_forecast(connection, insee, known),
            "plan": {
                "routes": len(plan.routes),
                "stops": served,
                "left_out": len(plan.left_out),
                "distance_m": round(plan.distance_m),
                "duration_s": round(plan.duration_s),
                "checker": "accepted" if plan.checker["accepted"] else "refused",
            },
        }
    result["delivery_bays"] = _bays(stage.api_url, insee)
    result["parking"] = _parking(stage.api_url, insee)
    result["streets"] = {"source": simulation.streets_source, "edges": simulation.options["edges"]}
    return result


def _bays(api_url: str, insee: str) -> dict[str, int]:
    """Ask the web server, as the police municipale's page does."""
    bays = _get(f"{api_url}/api/v1/communes/{insee}/delivery-bays")["delivery_bays"]
    return {
        "bays": len(bays),
        "occupied": sum(bay["occupied"] is True for bay in bays),
        "overstays": sum(bay["state"] == "over_limit" for bay in bays),
    }


def _parking(api_url: str, insee: str) -> dict[str, int]:
    """Ask the web server, as a driver's page does."""
    document = _get(f"{api_url}/api/v1/communes/{insee}/parking")
    return {"spaces": document["total"], "free": document["free"]}


def _get(url: str) -> Any:
    try:
        return httpx.get(url, timeout=30.0).raise_for_status().json()
    except httpx.HTTPError as error:
        raise UnavailableError(f"the web server did not answer {url}: {error}") from error
