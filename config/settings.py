"""The settings: typed, from `voirie.toml` and from environment variables, which win.

`VOIRIE_MQTT__URL` overrides `url` in the table `[mqtt]`, and so on. A wrong value, an unknown name or an impossible
combination is refused at start in one sentence. `config/voirie.toml` documents every option; a test compares them.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Callable, Mapping
from datetime import time
from ipaddress import ip_network
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from config.loopback import is_loopback
from storage.errors import SettingsError
from storage.model import Role

ENVIRONMENT_PREFIX = "VOIRIE_"
# These steer the program before or beside its settings.
_OTHER_VARIABLES = {
    "VOIRIE_CI_CACHE",
    "VOIRIE_CONFIG",
    "VOIRIE_PYTHON",
    "VOIRIE_REFERENCE_DATA",
    "VOIRIE_WRITE_SCREENS",
}
_TEST_PREFIX = "VOIRIE_TEST_"


def _known_time_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError(f"expected the name of a time zone such as Europe/Paris, got {name!r}") from error
    return name


def _known_placeholders(client_id: str) -> str:
    if not set(re.sub(r"\{(hostname|instance)\}", "", client_id)).isdisjoint("{}"):
        raise ValueError(f"expected no placeholder but {{hostname}} and {{instance}}, got {client_id!r}")
    return client_id


def refuse_plaintext(url: str, *, allowed: bool) -> None:
    """Raise ValueError when passwords would cross a network in the clear, and nobody said that they may."""
    host = urlsplit(url).hostname or ""
    if url.startswith("mqtt://") and not allowed and not is_loopback(host):
        raise ValueError(
            f"mqtt://{host} is another machine, and without TLS its network reads passwords and readings: "
            "use mqtts://, or set mqtt.allow_plaintext = true where that network is yours alone"
        )


TimeZoneName = Annotated[str, AfterValidator(_known_time_zone)]
InseeCode = Annotated[str, Field(pattern=r"^[0-9][0-9AB][0-9]{3}$")]
Port = Annotated[int, Field(ge=1, le=65535)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)


class DatabaseSettings(_Table):
    """Where the readings are kept."""

    url: str = ""
    password_file: Path | None = None
    pool_size: int = Field(default=8, ge=1, le=200)
    tools_folder: Path | None = None


class MqttSettings(_Table):
    """The broker that devices and network servers publish to."""

    url: str = Field(default="mqtt://127.0.0.1:1883", pattern=r"^mqtts?://")
    username: str = ""
    password_file: Path | None = None
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    allow_plaintext: bool = False
    client_id: Annotated[str, AfterValidator(_known_placeholders)] = Field(
        default="voirie-collector", min_length=1, max_length=64
    )
    shared_group: str = Field(default="", pattern=r"^[A-Za-z0-9_-]*$")
    keepalive_s: int = Field(default=30, ge=1, le=65_535)

    @model_validator(mode="after")
    def _refuse_half_of_tls(self) -> Self:
        for name in ("ca_file", "cert_file"):
            if getattr(self, name) is not None and not self.url.startswith("mqtts://"):
                raise ValueError(f"mqtt.{name} is set but mqtt.url is not mqtts://: without TLS nothing is checked")
        if (self.cert_file is None) != (self.key_file is None):
            raise ValueError("mqtt.cert_file and mqtt.key_file go together, and only one of them is set")
        refuse_plaintext(self.url, allowed=self.allow_plaintext)
        return self


class NetworkSettings(_Table):
    """One stream of messages: whose it is and how it is wrapped."""

    name: str = Field(min_length=1)
    envelope: Literal["native", "chirpstack", "ttn", "actility", "live_objects"]
    topic_filter: str = Field(min_length=1)
    commune: InseeCode


class IngestSettings(_Table):
    """How collectors batch, and which messages they refuse."""

    batch_messages: int = Field(default=2000, ge=1, le=20_000)
    batch_wait_ms: int = Field(default=200, ge=1, le=10_000)
    max_payload_bytes: int = Field(default=65_536, ge=256)
    max_future_s: float = Field(default=600, ge=0)
    max_age_days: float = Field(default=90, gt=0)
    device_messages_at_once: int = Field(default=10_000, ge=1)
    device_messages_per_hour: int = Field(default=3600, ge=0)
    metrics_port: Port | None = None
    summary_s: float = Field(default=60, gt=0)
    silence_s: float = Field(default=900, gt=0)
    commit_patience_s: float = Field(default=60, gt=0)


class CommuneSettings(_Table):
    """The commune that commands work for when they name none."""

    insee_code: InseeCode = "93051"
    name: str = Field(default="Noisy-le-Grand", min_length=1)
    time_zone: TimeZoneName = "Europe/Paris"
    school_zone: Literal["A", "B", "C"] | None = "C"


class StreetsSettings(_Table):
    """The street network."""

    extract: Path | None = None
    cache_folder: Path = Path(".voirie/cache")
    detour_factor: float = Field(default=1.4, ge=1.0, le=3.0)


class ForecastSettings(_Table):
    """How full every bin will be: the model is trained each night, and forecasts several times a day."""

    horizon_h: int = Field(default=168, ge=1, le=168)
    every_h: float = Field(default=6, gt=0, le=24)
    train_at: time = time(3, 0)
    rounds_at: time = time(9, 0)
    bays_every_min: float = Field(default=3, gt=0, le=30)
    coverage_band: float = Field(default=0.1, gt=0, lt=0.8)
    seed: int = 0


class RoundPriceSettings(_Table):
    """What driving costs the town, in euros."""

    km_eur: float = Field(default=1.5, ge=0)
    hour_eur: float = Field(default=45, ge=0)
    vehicle_eur: float = Field(default=30, ge=0)
    overtime_hour_eur: float = Field(default=11.25, ge=0)


class RoundWishSettings(_Table):
    """What a good day has besides being cheap, in euros that no invoice shows."""

    longest_hour_eur: float = Field(default=0, ge=0)
    split_eur: float = Field(default=0, ge=0)
    unfamiliar_eur: float = Field(default=0.5, ge=0)


class TrafficSettings(_Table):
    """From a local time on, driving takes so many percent of what it takes on free streets."""

    begins: time
    percent: int = Field(ge=10, le=1000)


class RoundsSettings(_Table):
    """The daily plan."""

    plan_at: time = time(18, 0)
    solve_s: float = Field(default=25, gt=0, le=3600)
    overflow_eur: float = Field(default=20, ge=0)
    co2_kg_per_km: float = Field(default=0.8, ge=0)
    edit_s: float = Field(default=3.5, gt=0, le=60)
    edit_change_eur: float = Field(default=0.2, ge=0)
    repair: bool = True
    repair_change_eur: float = Field(default=2, ge=0)
    repair_late_min: float = Field(default=20, gt=0)
    seed: int = 0
    prices: RoundPriceSettings = RoundPriceSettings()
    wishes: RoundWishSettings = RoundWishSettings()
    traffic: tuple[TrafficSettings, ...] = ()

    @field_validator("traffic")
    @classmethod
    def _grows(cls, traffic: tuple[TrafficSettings, ...]) -> tuple[TrafficSettings, ...]:
        for earlier, later in pairwise(traffic):
            if not earlier.begins < later.begins:
                raise ValueError(
                    f"expected traffic to begin later and later, got {later.begins} after {earlier.begins}"
                )
        return traffic


class ChecksSettings(_Table):
    """What a justified check is worth, minutes of an officer's walk by what the kerb is for, and how officers walk."""

    no_stopping_min: float = Field(default=15, gt=0, le=240)
    reserved_min: float = Field(default=12, gt=0, le=240)
    delivery_min: float = Field(default=10, gt=0, le=240)
    short_stay_min: float = Field(default=8, gt=0, le=240)
    parking_min: float = Field(default=6, gt=0, le=240)
    twice_after_min: float = Field(default=60, gt=0, le=24 * 60)
    walking_kmh: float = Field(default=4.5, ge=1, le=30)
    detour_factor: float = Field(default=1.3, ge=1.0, le=3.0)


class TimeSeriesSettings(_Table):
    """How readings lie on the disk, where the database has TimescaleDB; `voirie migrate` applies it."""

    fill_chunk_days: int = Field(default=7, ge=1, le=366)
    occupancy_chunk_days: int = Field(default=1, ge=1, le=366)
    columnstore_after_days: int = Field(default=14, ge=1, le=3660)


class RetentionSettings(_Table):
    """How many days each kind of data is kept, today included."""

    fill_readings_days: int = Field(default=400, ge=92, le=36_600)
    occupancy_readings_days: int = Field(default=31, ge=7, le=36_600)
    sessions_days: int = Field(default=31, ge=1, le=36_600)
    device_events_days: int = Field(default=400, ge=1, le=36_600)
    refused_messages_days: int = Field(default=90, ge=1, le=36_600)
    intake_ledger_days: int = Field(default=7, ge=1, le=36_600)
    forecasts_days: int = Field(default=14, ge=2, le=36_600)
    alerts_days: int = Field(default=400, ge=1, le=36_600)
    checks_days: int = Field(default=400, ge=367, le=36_600)
    audit_days: int = Field(default=1096, ge=181, le=36_600)
    names_days: int = Field(default=1096, ge=31, le=36_600)
    statistics_days: int = Field(default=1826, ge=92, le=36_600)

    @model_validator(mode="after")
    def _refuse_figures_that_go_first(self) -> Self:
        for name in ("fill_readings_days", "occupancy_readings_days", "sessions_days"):
            if getattr(self, name) > self.statistics_days:
                raise ValueError(
                    f"{name} is {getattr(self, name)} but statistics_days is {self.statistics_days}: hourly figures "
                    "must outlive their readings"
                )
        return self


def _network(text: str) -> str:
    """Return the address or network in one spelling. Raises ValueError when it is none."""
    return str(ip_network(text))


class ApiSettings(_Table):
    """The web server."""

    host: str = "127.0.0.1"
    port: Port = 8000
    trusted_proxies: tuple[Annotated[str, AfterValidator(_network)], ...] = ("127.0.0.1/32",)
    live_streams: int = Field(default=500, ge=1, le=100_000)
    max_body_bytes: int = Field(default=1_048_576, ge=65_536, le=67_108_864)
    address_requests_per_minute: int = Field(default=3000, ge=0, le=1_000_000)
    account_requests_per_minute: int = Field(default=1200, ge=0, le=1_000_000)
    privacy_contact: str = Field(default="", max_length=300)
    tiles_url: str = (
        "https://data.geopf.fr/wmts?SERVICE=WMTS&REQUEST=GetTile&VERSION=1.0.0&LAYER=GEOGRAPHICALGRIDSYSTEMS.PLANIGNV2"
        "&STYLE=normal&FORMAT=image/png&TILEMATRIXSET=PM&TILEMATRIX={z}&TILEROW={y}&TILECOL={x}"
    )
    embedding_sites: tuple[str, ...] = ()


class AccountSettings(_Table):
    """Who may ask the web server for what."""

    mode: Literal["required", "open"] = "required"
    session_idle_minutes: int = Field(default=60, ge=1, le=7 * 24 * 60)
    session_hours: float = Field(default=12, gt=0, le=7 * 24)
    shift_hours: float = Field(default=16, gt=0, le=48)
    device_proof_minutes: float = Field(default=10, ge=0, le=24 * 60)
    second_factor: tuple[Role, ...] = ()


class ClaimSettings(_Table):
    """What somebody has who has `value` in the claim `claim`."""

    claim: str = Field(min_length=1)
    value: str = Field(min_length=1)
    roles: tuple[Role, ...] = Field(min_length=1)
    communes: tuple[InseeCode, ...] = Field(min_length=1)


class OidcSettings(_Table):
    """The town's own identity provider; off without an issuer."""

    issuer: str = ""
    title: str = Field(default="", max_length=60)
    client_id: str = ""
    client_secret_file: Path | None = None
    public_url: str = ""
    client_authentication: Literal["client_secret_basic", "client_secret_post"] = "client_secret_basic"
    scopes: tuple[str, ...] = ("openid", "profile", "email")
    acr_values: tuple[str, ...] = ()
    name_claims: tuple[str, ...] = ("name",)
    grants: tuple[ClaimSettings, ...] = ()

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        missing = [name for name in ("client_id", "client_secret_file", "public_url") if not getattr(self, name)]
        if self.issuer and missing:
            raise ValueError(f"oidc.issuer is set but {', '.join(f'oidc.{name}' for name in missing)} is not")
        return self


class LogSettings(_Table):
    """What is logged, to standard error."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["text", "json"] = "text"
    requests: bool = False


class TracingSettings(_Table):
    """Traces for OpenTelemetry; off without an endpoint."""

    otlp_endpoint: str = Field(default="", pattern=r"^(https?://[^/?#]+(/[^?#]*)?)?$")
    sample_share: float = Field(default=1.0, gt=0, le=1)


class SimulatorSettings(_Table):
    """The simulated commune of the demo; real communes ignore it."""

    seed: int = Field(default=1, ge=0)
    bins: int = Field(default=1000, ge=20, le=20_000)
    sensor_share: float = Field(default=0.3, ge=0.0, le=1.0)
    bays: int = Field(default=60, ge=0, le=5_000)
    spaces: int = Field(default=400, ge=0, le=50_000)
    days: int = Field(default=28, ge=2, le=90)
    speed: float = Field(default=180, ge=1, le=3600)
    api_url: str = ""
    scenario: Path | None = None


class Settings(BaseSettings):
    """All settings. Build them with `read_settings`, once, in an entry point."""

    model_config = SettingsConfigDict(
        extra="forbid", frozen=True, env_prefix=ENVIRONMENT_PREFIX, env_nested_delimiter="__", validate_default=True
    )

    database: DatabaseSettings = DatabaseSettings()
    mqtt: MqttSettings = MqttSettings()
    networks: tuple[NetworkSettings, ...] = ()
    ingest: IngestSettings = IngestSettings()
    commune: CommuneSettings = CommuneSettings()
    streets: StreetsSettings = StreetsSettings()
    forecast: ForecastSettings = ForecastSettings()
    rounds: RoundsSettings = RoundsSettings()
    checks: ChecksSettings = ChecksSettings()
    time_series: TimeSeriesSettings = TimeSeriesSettings()
    retention: RetentionSettings = RetentionSettings()
    api: ApiSettings = ApiSettings()
    accounts: AccountSettings = AccountSettings()
    oidc: OidcSettings = OidcSettings()
    log: LogSettings = LogSettings()
    tracing: TracingSettings = TracingSettings()
    simulator: SimulatorSettings = SimulatorSettings()

    @model_validator(mode="after")
    def _refuse_to_forget_too_early(self) -> Self:
        if self.retention.fill_readings_days < self.ingest.max_age_days:
            raise ValueError(
                f"retention.fill_readings_days is {self.retention.fill_readings_days} but ingest.max_age_days is "
                f"{self.ingest.max_age_days:g}: readings would be taken in only to be forgotten at once"
            )
        return self

    @model_validator(mode="after")
    def _refuse_contradictions(self) -> Self:
        names = [network.name for network in self.networks]
        if len(names) != len(set(names)):
            raise ValueError("networks: two networks have the same name; refused messages are told apart by it")
        filters = [network.topic_filter for network in self.networks]
        if len(filters) != len(set(filters)):
            raise ValueError("networks: two networks have the same topic_filter; the first would take all its messages")
        if self.mqtt.password_file is not None and not self.mqtt.username:
            raise ValueError("mqtt.password_file is set but mqtt.username is empty: the broker needs both")
        if "{instance}" in self.mqtt.client_id and not self.mqtt.shared_group:
            raise ValueError(
                "mqtt.client_id has {instance} but mqtt.shared_group is empty: each instance would take every message"
            )
        if self.ingest.max_age_days < self.simulator.days:
            raise ValueError(
                f"ingest.max_age_days is {self.ingest.max_age_days:g} but simulator.days is {self.simulator.days}: "
                "the collector would refuse the simulated history as too old"
            )
        if self.ingest.metrics_port is not None and self.ingest.metrics_port == self.api.port:
            raise ValueError(f"ingest.metrics_port and api.port are both {self.api.port}: give each its own")
        # Tomorrow's rounds end up to a day and a shift after the plan is made; the forecast has to reach that far.
        if self.forecast.horizon_h < _HOURS_PLAN_NEEDS:
            raise ValueError(
                f"forecast.horizon_h is {self.forecast.horizon_h} but planning tomorrow's rounds needs a forecast "
                f"of at least {_HOURS_PLAN_NEEDS} h"
            )
        if self.accounts.mode == "open" and not is_loopback(self.api.host):
            raise ValueError(
                f'accounts.mode is "open", so that whoever asks may do everything, and api.host is {self.api.host}: '
                "open accounts are for a demo on this machine alone (api.host 127.0.0.1)"
            )
        if self.api.tiles_url and not all(mark in self.api.tiles_url for mark in ("{z}", "{x}", "{y}")):
            raise ValueError("api.tiles_url must contain {z}, {x} and {y}, or be empty to draw the extract's streets")
        return self


_HOURS_PLAN_NEEDS = 36


def read_settings(
    file: Path | None = None,
    *,
    environment: Mapping[str, str] | None = None,
    overrides: Mapping[str, Mapping[str, Any]] | None = None,
) -> Settings:
    """Read the settings from `file` (or VOIRIE_CONFIG, or ./voirie.toml if it exists) and the environment.

    `overrides` are options of the command line by table; they win over both. Raises SettingsError with one sentence
    that names the option and the rule it breaks.
    """
    environment = os.environ if environment is None else environment
    _refuse_unknown_variables(environment)
    if file is None and environment.get("VOIRIE_CONFIG"):
        file = Path(environment["VOIRIE_CONFIG"])
    if file is None and Path("voirie.toml").is_file():
        file = Path("voirie.toml")
    try:
        return _sourced(_read_file(file))(**(overrides or {}))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        sentence = first["msg"].removeprefix("Value error, ")
        raise SettingsError(f"setting {where}: {sentence}" if where else sentence) from error
    except ValueError as error:  # pydantic-settings: a variable that should hold JSON does not
        raise SettingsError(f"a setting in the environment cannot be read: {error}") from error


def _sourced(from_file: dict[str, Any]) -> Callable[..., Settings]:
    """Return Settings with its sources in order: the call's own arguments, the environment, the file."""

    class Sourced(Settings):
        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the base class names it
            file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - same
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            return init_settings, env_settings, InitSettingsSource(settings_cls, init_kwargs=from_file)

    return Sourced


def _read_file(file: Path | None) -> dict[str, Any]:
    if file is None:
        return {}
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"the settings file {file} cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"the settings file {file} is not TOML: {error}") from error


def _refuse_unknown_variables(environment: Mapping[str, str]) -> None:
    """Refuse a misspelt variable: a setting that silently does nothing is worse than an error."""
    for name in environment:
        if not name.startswith(ENVIRONMENT_PREFIX) or name in _OTHER_VARIABLES or name.startswith(_TEST_PREFIX):
            continue
        table, _, option = name.removeprefix(ENVIRONMENT_PREFIX).lower().partition("__")
        field = Settings.model_fields.get(table)
        if field is None:
            raise SettingsError(f"environment variable {name}: there is no table {table!r} in the settings")
        options = getattr(field.annotation, "model_fields", None)
        while option and options is not None:
            first, _, option = option.partition("__")
            if first not in options:
                raise SettingsError(f"environment variable {name}: the table {table!r} has no option {first!r}")
            table, options = first, getattr(options[first].annotation, "model_fields", None)
