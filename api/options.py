"""What the API is told when it starts."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from api.oidc.options import OidcOptions
from api.rhythm import Rhythm
from storage.errors import SettingsError
from storage.kerb.worth import WorthOptions
from storage.model import Catalogue, Role
from storage.retention_kinds import RetentionOptions

IGN_PLAN_URL = (
    "https://data.geopf.fr/wmts?SERVICE=WMTS&REQUEST=GetTile&VERSION=1.0.0&LAYER=GEOGRAPHICALGRIDSYSTEMS.PLANIGNV2"
    "&STYLE=normal&FORMAT=image/png&TILEMATRIXSET=PM&TILEMATRIX={z}&TILEROW={y}&TILECOL={x}"
)
"""IGN's Plan from the Géoplateforme's public WMTS; no key. Web Mercator ("PM"), zoom 0 to 19."""

SITE = re.compile(r"https?://(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)*(:[0-9]{1,5})?", re.IGNORECASE)
"""An origin that may embed: a scheme, a host (`*.`: all below it), perhaps a port, and nothing that could end it."""
_INSEE = re.compile(r"[0-9][0-9AB][0-9]{3}")


@dataclass(frozen=True, kw_only=True)
class ApiOptions:
    """Options of the API; refuses nonsense with SettingsError.

    `commune_insee` is the commune that the page shows; the routes serve every commune of the database. Without
    `tiles_url` no request leaves the server's own origin, and the page draws the streets of `streets_extract` (an
    OpenStreetMap extract of that commune), if there is one. `co2_kg_per_km` is what a collection vehicle
    emits. `catalogue` are the models that devices may be of. With `log_requests` each request is a
    line of the log. With `open_to_all` whoever asks may do everything: a demo on one's own machine. A session
    ends after `session_s`, or `session_idle_s` without a request; a driver's or an officer's lasts `shift_s`, and its
    device proves every `proof_s` that it is still there (0: never asked). With `oidc` people may log in at that
    provider, which pages call `oidc_title`.
    Who has one of the roles `second_factor` may do nothing before they have set one up.
    `address_requests_per_minute` and `account_requests_per_minute`: so many at once, and so many a minute later on;
    0 is without end. `retention` is what the privacy notice promises, `privacy_contact` whom it names.
    `rhythm` is what the worker follows, to be shown. `worth` is what officers' checks are worth, and how they walk.
    `embedding_sites` are origins whose pages may show the page of free places in a frame.
    """

    database_url: str
    commune_insee: str
    streets_extract: Path | None = None
    tiles_url: str | None = None
    tiles_attribution: str = "© IGN, Géoplateforme"
    pool_size: int = 8
    pool_wait_s: float = 5.0
    heartbeat_s: float = 15.0
    most_live_streams: int = 500
    max_body_bytes: int = 1_048_576
    address_requests_per_minute: int = 3000
    account_requests_per_minute: int = 1200
    co2_kg_per_km: float = 0.8
    log_requests: bool = False
    catalogue: Catalogue = field(default_factory=dict)
    open_to_all: bool = False
    session_idle_s: float = 3600
    session_s: float = 12 * 3600
    shift_s: float = 16 * 3600
    proof_s: float = 600
    second_factor: frozenset[Role] = frozenset()
    retention: RetentionOptions = field(default_factory=RetentionOptions)
    privacy_contact: str = ""
    oidc: OidcOptions | None = None
    oidc_title: str = ""
    rhythm: Rhythm = field(default_factory=Rhythm)
    worth: WorthOptions = field(default_factory=WorthOptions)
    embedding_sites: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what cannot work."""
        if not self.database_url:
            raise SettingsError("expected a database_url, got an empty one")
        if not _INSEE.fullmatch(self.commune_insee):
            raise SettingsError(f"expected commune_insee of 5 characters like '93051', got {self.commune_insee!r}")
        if self.streets_extract is not None and not self.streets_extract.is_file():
            raise SettingsError(f"expected streets_extract to be a file, got {self.streets_extract}")
        self._refuse_bad_addresses()
        self._check_numbers()

    def _check_numbers(self) -> None:
        if not self.co2_kg_per_km >= 0:
            raise SettingsError(f"expected co2_kg_per_km >= 0, got {self.co2_kg_per_km}")
        for name in (
            "pool_size",
            "pool_wait_s",
            "heartbeat_s",
            "most_live_streams",
            "max_body_bytes",
            "session_idle_s",
            "session_s",
            "shift_s",
        ):
            if getattr(self, name) <= 0:
                raise SettingsError(f"expected {name} > 0, got {getattr(self, name)}")
        for name in ("address_requests_per_minute", "account_requests_per_minute", "proof_s"):
            if getattr(self, name) < 0:
                raise SettingsError(f"expected {name} >= 0, got {getattr(self, name)}")

    def _refuse_bad_addresses(self) -> None:
        if self.tiles_url is not None:
            parts = urlsplit(self.tiles_url)
            if parts.scheme not in {"https", "http"} or not parts.netloc:
                raise SettingsError(f"expected tiles_url to be an http(s) URL, got {self.tiles_url!r}")
            missing = [name for name in ("{z}", "{x}", "{y}") if name not in self.tiles_url]
            if missing:
                raise SettingsError(f"expected tiles_url to contain {', '.join(missing)}, got {self.tiles_url!r}")
        for site in self.embedding_sites:
            if not SITE.fullmatch(site):
                raise SettingsError(
                    f"expected embedding_sites to be origins like 'https://www.ville.example', got {site!r}"
                )

    @property
    def tiles_origin(self) -> str | None:
        """The origin that pages may load images from besides their own: scheme, host and port of `tiles_url`."""
        if self.tiles_url is None:
            return None
        parts = urlsplit(self.tiles_url)
        return f"{parts.scheme}://{parts.netloc}"
