"""The bag of resources that a running API holds, opened in one place (`app.lifespan`) and typed here."""

from __future__ import annotations

from typing import Any, TypedDict, cast

from fastapi import Request

from api.bounds import Rates
from api.gazetteer.kept import Gazetteers
from api.live import LiveHub
from api.metrics import Metrics
from api.oidc import OidcClient
from api.options import ApiOptions
from api.ports import Ports
from api.streets import StreetsCache
from storage.isolation import CommunePool


class AppState(TypedDict):
    """Every resource of the API; request handlers reach it through `state_of`."""

    options: ApiOptions
    ports: Ports
    pool: CommunePool
    live: LiveHub
    metrics: Metrics
    rates: Rates
    streets: StreetsCache
    provider: OidcClient | None
    gazetteers: Gazetteers


def state_of(request: Request[Any]) -> AppState:
    """Return the state of the application that serves `request`."""
    return cast("AppState", request.scope["state"])
