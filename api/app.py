"""The application: opens every resource in one place and puts routers, errors and guards together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import cache
from typing import Any

from fastapi import APIRouter, Depends, FastAPI
from fastapi.staticfiles import StaticFiles
from starlette.middleware.gzip import GZipMiddleware

from api import errors
from api.admission import admit
from api.bounds import Rates
from api.gazetteer.kept import Gazetteers
from api.live import LiveHub
from api.metrics import Metrics
from api.oidc import OidcClient
from api.options import IGN_PLAN_URL, ApiOptions
from api.pages.installable import leaflet_folder
from api.pages.rendering import WEB_FOLDER
from api.ports import Ports
from api.routes import (
    administration,
    advice,
    alerts,
    bins,
    check_patrol,
    checks,
    communes,
    delivery_bays,
    desk_page,
    destinations,
    device_health,
    device_proof,
    devices,
    driver_page,
    driver_rounds,
    fill_models,
    first_steps,
    forecasts,
    guidance,
    health,
    intake,
    kerb,
    kpi,
    levels,
    live,
    metrics,
    observatory,
    officer_page,
    operation,
    operator_page,
    pages,
    parking,
    parking_pages,
    places,
    plan_edits,
    plans,
    provider_sign_in,
    round_exports,
    round_rules,
    second_factor,
    service_events,
    sign_in,
    streets,
    team,
    town_events,
    vehicle_events,
    vehicles,
)
from api.security import Guard
from api.state import AppState
from api.streets import StreetsCache
from storage.database import open_pool
from storage.isolation import CommunePool

__all__ = ["IGN_PLAN_URL", "PAGES", "ApiOptions", "create_app"]

PAGES = (
    pages,
    driver_page,
    desk_page,
    first_steps,
    officer_page,
    operator_page,
    parking_pages,
    sign_in,
    second_factor,
    provider_sign_in,
    device_proof,
    team,
    administration,
)
"""The modules whose routes are pages, or what pages send their forms to; the OpenAPI document has none of them."""

_NO_PORTS = Ports()
_DESCRIPTION = """\
From the sensors on a commune's streets to what its teams do next. Times are UTC, units are in the names (`_m` metres,
`_s` seconds, `_l` litres, `_fraction` 0 to 1, `_deg` degrees WGS 84). Measured, predicted and declared values are
separate fields; unknown is said, never guessed. Every error is `application/problem+json` (RFC 9457).
"""


def create_app(options: ApiOptions, ports: Ports = _NO_PORTS) -> FastAPI:
    """Return the application, with what decides for it in `ports`. Nothing is opened before its lifespan starts."""
    counted = Metrics()
    app = _with_routes(_lifespan(options, ports, counted))
    app.add_middleware(GZipMiddleware, minimum_size=1024, compresslevel=5)
    app.add_middleware(Guard, options=options, metrics=counted)
    app.openapi = _document  # type: ignore[method-assign] # FastAPI's own way
    _document()  # now, and not while somebody waits
    return app


@cache
def _document() -> dict[str, Any]:
    """Return the OpenAPI document, made once a process: no option changes it, and it takes the longest."""
    document = _with_routes(None).openapi()
    errors.add_schemas(document)
    return document


def _with_routes(lifespan: Callable[[FastAPI], AbstractAsyncContextManager[dict[str, Any]]] | None) -> FastAPI:
    app = FastAPI(
        title="Voirie",
        version="1",
        summary="Street bins, delivery areas and parking of French communes",
        description=_DESCRIPTION,
        openapi_url="/api/v1/openapi.json",
        docs_url=None,  # FastAPI's pages load scripts from elsewhere
        redoc_url=None,
        lifespan=lifespan,
        generate_unique_id_function=lambda route: route.name,
        dependencies=[Depends(admit)],
        responses=errors.documented(400, 401, 403, 414, 429, 431),
        # Requests become traces when the entry point has set a tracer, and never because of a stray variable.
        telemetry={"auto_configure": False, "metrics": False, "logs": False},
    )
    errors.install(app)
    version_1 = APIRouter(prefix="/api/v1")
    for module in (
        communes,
        bins,
        forecasts,
        fill_models,
        town_events,
        levels,
        alerts,
        device_health,
        devices,
        plans,
        plan_edits,
        driver_rounds,
        round_exports,
        kpi,
        round_rules,
        service_events,
        vehicle_events,
        vehicles,
        delivery_bays,
        parking,
        guidance,
        destinations,
        kerb,
        observatory,
        operation,
        check_patrol,
        advice,
        checks,
        places,
        intake,
        streets,
        live,
    ):
        version_1.include_router(module.router)
    app.include_router(version_1)
    for module in (health, metrics, *PAGES):
        app.include_router(module.router)
    app.mount("/static/leaflet", StaticFiles(directory=leaflet_folder()), name="leaflet")
    app.mount("/static", StaticFiles(directory=str(WEB_FOLDER / "static")), name="static")
    return app


def _lifespan(
    options: ApiOptions, ports: Ports, counted: Metrics
) -> Callable[[FastAPI], AbstractAsyncContextManager[dict[str, Any]]]:
    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[dict[str, Any]]:
        opened = await asyncio.to_thread(
            open_pool, options.database_url, application="voirie api", max_size=options.pool_size
        )
        pool = CommunePool(opened, wait_s=options.pool_wait_s)
        hub = LiveHub(options.database_url, heartbeat_s=options.heartbeat_s, most_streams=options.most_live_streams)
        hub.start()
        provider = None if options.oidc is None else OidcClient(options.oidc)
        state = AppState(
            options=options,
            ports=ports,
            pool=pool,
            live=hub,
            metrics=counted,
            rates=Rates(options),
            streets=StreetsCache(options.streets_extract),
            provider=provider,
            gazetteers=Gazetteers(options.streets_extract, commune_insee=options.commune_insee),
        )
        try:
            yield dict(state)
        finally:
            await hub.stop()
            await asyncio.to_thread(pool.close)
            if provider is not None:
                provider.close()

    return lifespan
