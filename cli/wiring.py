"""From settings to what each room needs. Nothing is started here."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict
from urllib.parse import quote, urlsplit, urlunsplit

from psycopg import ProgrammingError
from psycopg.conninfo import make_conninfo
from pydantic import ValidationError

from config.settings import NetworkSettings, Settings
from storage.errors import SettingsError

if TYPE_CHECKING:  # each command imports only the room that it runs, so that all of them start fast
    from api.app import ApiOptions
    from api.oidc import OidcOptions
    from api.ports import Ports
    from ingest.collector import CollectorOptions
    from ingest.replay import ReplayOptions
    from ingest.topics import Network
    from optimise.fill.drift import DriftOptions
    from optimise.fill.job import JobOptions
    from optimise.occupancy.forecast.registry import TrainingOptions
    from optimise.rounds.editing.editor import EditorOptions
    from optimise.rounds.planner import PlannerOptions
    from optimise.rounds.problem import Traffic
    from optimise.rounds.repair.repairing import RepairOptions
    from optimise.rounds.warm_streets import WarmStreets
    from storage.kerb.worth import WorthOptions
    from storage.model import Catalogue
    from storage.retention_kinds import RetentionOptions
    from storage.time_series import TimeSeriesOptions


class TlsFiles(TypedDict):
    """The certificates of a connection to the broker, by option."""

    ca_file: Path | None
    cert_file: Path | None
    key_file: Path | None


# The broker takes it with each connection; a file can end with a newline that an editor put there.
_STRIPPED = "\r\n"


def database_url(settings: Settings) -> str:
    """Return the database's connection string, with the password of its file. Raises SettingsError without a url."""
    if not settings.database.url:
        raise SettingsError(
            "database.url is not set: name a PostgreSQL database in voirie.toml or VOIRIE_DATABASE__URL "
            "(only `voirie demo` brings its own)"
        )
    try:
        if settings.database.password_file is None:
            return make_conninfo(settings.database.url)
        return make_conninfo(settings.database.url, password=_secret(settings.database.password_file))
    except ProgrammingError as error:
        raise SettingsError(f"database.url is not a PostgreSQL connection URL: {error}") from error


def broker_url(settings: Settings) -> str:
    """Return the broker's URL, with user and password when they are set."""
    if not settings.mqtt.username:
        return settings.mqtt.url
    parts = urlsplit(settings.mqtt.url)
    password = "" if settings.mqtt.password_file is None else _secret(settings.mqtt.password_file)
    user = f"{quote(settings.mqtt.username, safe='')}:{quote(password, safe='')}@"
    return urlunsplit(parts._replace(netloc=user + parts.netloc.rpartition("@")[2]))


def tls_files(settings: Settings) -> TlsFiles:
    """Return the certificates of the broker's connection by option. Raises SettingsError when one cannot be used."""
    mqtt = settings.mqtt
    files: TlsFiles = {"ca_file": mqtt.ca_file, "cert_file": mqtt.cert_file, "key_file": mqtt.key_file}
    for name, file in files.items():
        if isinstance(file, Path) and not file.is_file():
            raise SettingsError(f"mqtt.{name}: there is no file {file}")
    if mqtt.url.startswith("mqtts://"):
        from ingest.address import BrokerAddress

        try:
            BrokerAddress.parse(mqtt.url, **files).tls_context()
        except OSError as error:
            raise SettingsError(
                f"mqtt.ca_file, cert_file, key_file: a file is no certificate or key: {error}"
            ) from error
    return files


def at_broker(settings: Settings, url: str) -> Settings:
    """Return the settings for another broker, named on the command line: the same certificates, the URL's own user.

    Raises SettingsError for what is no broker, or is reached in the clear without leave.
    """
    tls = url.startswith("mqtts://")
    changed = {"url": url, "username": "", "password_file": None} | ({} if tls else _NO_TLS)
    try:
        return settings.model_copy(
            update={"mqtt": type(settings.mqtt).model_validate(settings.mqtt.model_dump() | changed)}
        )
    except ValidationError as error:
        sentence = error.errors()[0]["msg"].removeprefix("Value error, ")
        raise SettingsError(f"--broker: {sentence}") from error


_NO_TLS: dict[str, None] = {"ca_file": None, "cert_file": None, "key_file": None}


def _secret(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8").rstrip(_STRIPPED)
    except OSError as error:
        raise SettingsError(f"the password file {file} cannot be read: {error.strerror}") from error


def collector_options(settings: Settings) -> CollectorOptions:
    """Return what `voirie collect` runs with."""
    from ingest.collector import CollectorOptions

    ingest = settings.ingest
    return CollectorOptions(
        database_url=database_url(settings),
        broker_url=broker_url(settings),
        client_id=settings.mqtt.client_id.replace("{hostname}", socket.gethostname()),
        networks=networks(settings),
        shared_group=settings.mqtt.shared_group or None,
        batch_messages=ingest.batch_messages,
        batch_wait_s=ingest.batch_wait_ms / 1000,
        max_payload_bytes=ingest.max_payload_bytes,
        max_future_s=ingest.max_future_s,
        max_age_days=ingest.max_age_days,
        device_messages_at_once=ingest.device_messages_at_once,
        device_messages_per_hour=ingest.device_messages_per_hour,
        metrics_port=ingest.metrics_port,
        keepalive_s=settings.mqtt.keepalive_s,
        commit_patience_s=ingest.commit_patience_s,
        **tls_files(settings),
        summary_s=ingest.summary_s,
        silence_s=ingest.silence_s,
    )


def networks(settings: Settings) -> tuple[Network, ...]:
    """Return the streams of messages to take; by default the commune's native one and ChirpStack's.

    Raises SettingsError when a topic filter is none.
    """
    from ingest.topics import Network

    if settings.networks:
        return tuple(_network(network) for network in settings.networks)
    insee = settings.commune.insee_code
    return (
        Network(name="native", commune_insee=insee, envelope="native", topic_filter=f"voirie/v1/{insee}/+/readings"),
        Network(
            name="chirpstack",
            commune_insee=insee,
            envelope="chirpstack",
            topic_filter="application/+/device/+/event/up",
        ),
    )


def _network(network: NetworkSettings) -> Network:
    from ingest.topics import Network

    try:
        return Network(
            name=network.name,
            commune_insee=network.commune,
            envelope=network.envelope,
            topic_filter=network.topic_filter,
        )
    except ValueError as error:
        raise SettingsError(f"setting networks, {network.name!r}: {error}") from error


def catalogue() -> Catalogue:
    """Return every model of sensor that this version reads, as the registry knows it."""
    from ingest.decoders import built_in_models
    from storage.model import KnownModel

    return {
        model.name: KnownModel(
            name=model.name, title=model.title, measures=model.measures, lorawan=not model.takes_records
        )
        for model in built_in_models().values()
    }


def replay_options(settings: Settings) -> ReplayOptions:
    """Return what refused messages are judged with: the collectors' networks and rules."""
    from ingest.intake import IntakeRules
    from ingest.quality import QualityRules
    from ingest.replay import ReplayOptions

    ingest = settings.ingest
    return ReplayOptions(
        rules=IntakeRules(
            networks=networks(settings),
            quality=QualityRules(max_future_s=ingest.max_future_s, max_age_days=ingest.max_age_days),
            max_payload_bytes=ingest.max_payload_bytes,
        )
    )


def api_options(settings: Settings) -> ApiOptions:
    """Return what `voirie api` runs with."""
    from api.app import ApiOptions
    from api.rhythm import Rhythm

    return ApiOptions(
        database_url=database_url(settings),
        commune_insee=settings.commune.insee_code,
        streets_extract=settings.streets.extract,
        tiles_url=settings.api.tiles_url or None,
        embedding_sites=settings.api.embedding_sites,
        pool_size=settings.database.pool_size,
        max_body_bytes=settings.api.max_body_bytes,
        address_requests_per_minute=settings.api.address_requests_per_minute,
        account_requests_per_minute=settings.api.account_requests_per_minute,
        most_live_streams=settings.api.live_streams,
        log_requests=settings.log.requests,
        catalogue=catalogue(),
        co2_kg_per_km=settings.rounds.co2_kg_per_km,
        open_to_all=settings.accounts.mode == "open",
        session_idle_s=60 * settings.accounts.session_idle_minutes,
        session_s=3600 * settings.accounts.session_hours,
        shift_s=3600 * settings.accounts.shift_hours,
        proof_s=60 * settings.accounts.device_proof_minutes,
        second_factor=frozenset(settings.accounts.second_factor),
        rhythm=Rhythm(
            forecast_every_h=settings.forecast.every_h,
            train_at=settings.forecast.train_at,
            plan_at=settings.rounds.plan_at,
        ),
        retention=retention_options(settings),
        privacy_contact=settings.api.privacy_contact,
        worth=worth_options(settings),
        oidc=_oidc(settings),
        oidc_title=settings.oidc.title,
    )


def _oidc(settings: Settings) -> OidcOptions | None:
    """Return the town's identity provider, None where there is none."""
    from api.oidc import GrantRule, OidcOptions

    told = settings.oidc
    if not told.issuer or told.client_secret_file is None:
        return None
    public = told.public_url.rstrip("/")
    return OidcOptions(
        issuer=told.issuer,
        client_id=told.client_id,
        client_secret=_secret(told.client_secret_file),
        redirect_uri=f"{public}/connexion/retour",
        post_logout_redirect_uri=f"{public}/connexion",
        client_authentication=told.client_authentication,
        scopes=told.scopes,
        acr_values=told.acr_values,
        name_claims=told.name_claims,
        rules=tuple(
            GrantRule(
                claim=rule.claim,
                value=rule.value,
                roles=tuple(role.value for role in rule.roles),
                communes=rule.communes,
            )
            for rule in told.grants
        ),
    )


def planner_options(settings: Settings) -> PlannerOptions:
    """Return what the planner runs with."""
    from optimise.rounds.day import PriceOptions, WishOptions
    from optimise.rounds.planner import PlannerOptions
    from optimise.rounds.policy import PolicyOptions

    return PlannerOptions(
        extract=settings.streets.extract,
        cache_dir=settings.streets.cache_folder,
        profile=street_profile(),
        solve_s=settings.rounds.solve_s,
        seed=settings.rounds.seed,
        detour_factor=settings.streets.detour_factor,
        traffic=_traffic(settings),
        policy=PolicyOptions(overflow_eur=settings.rounds.overflow_eur),
        prices=PriceOptions(**settings.rounds.prices.model_dump()),
        wishes=WishOptions(**settings.rounds.wishes.model_dump()),
    )


def _traffic(settings: Settings) -> Traffic | None:
    """Return how much longer driving takes by the hour, None where no hour differs."""
    from optimise.rounds.problem import Traffic

    told = settings.rounds.traffic
    if not told:
        return None
    return Traffic(
        from_s=tuple((entry.begins.hour * 60 + entry.begins.minute) * 60 + entry.begins.second for entry in told),
        percent=tuple(entry.percent for entry in told),
    )


def editor_options(settings: Settings, warm: WarmStreets) -> EditorOptions:
    """Return what edits of plans are made with; `warm` keeps the streets in memory."""
    from optimise.rounds.editing.editor import EditorOptions

    return EditorOptions(
        planner=planner_options(settings),
        whole_s=settings.rounds.edit_s,
        change_eur=settings.rounds.edit_change_eur,
        opener=warm.open,
        lines=warm.lines,
    )


def repair_options(settings: Settings, warm: WarmStreets) -> RepairOptions:
    """Return how rounds under way are repaired."""
    from optimise.rounds.repair.repairing import RepairOptions

    return RepairOptions(
        planner=planner_options(settings),
        change_eur=settings.rounds.repair_change_eur,
        late_min=settings.rounds.repair_late_min,
        opener=warm.open,
    )


def api_ports(settings: Settings) -> Ports:
    """Return what decides for `voirie api`; nothing heavy is loaded before it is asked."""
    from api.ports import Ports
    from cli.at_once import WorkerAtOnce
    from cli.patrols import StreetPatrols

    patrols = StreetPatrols(settings.streets, worth=worth_options(settings))
    return Ports(at_once=WorkerAtOnce(database_url(settings)), patrols=patrols)


def worth_options(settings: Settings) -> WorthOptions:
    """Return what officers' checks are worth, and how officers walk."""
    from storage.kerb.worth import WorthOptions

    told = settings.checks
    return WorthOptions(
        no_stopping_min=told.no_stopping_min,
        reserved_min=told.reserved_min,
        delivery_min=told.delivery_min,
        short_stay_min=told.short_stay_min,
        parking_min=told.parking_min,
        twice_after_s=60 * told.twice_after_min,
        walking_m_s=told.walking_kmh / 3.6,
        detour_factor=told.detour_factor,
    )


def forecast_options(settings: Settings) -> JobOptions:
    """Return how a commune is forecast."""
    from optimise.fill.job import JobOptions

    forecast = settings.forecast
    return JobOptions(horizon_h=forecast.horizon_h, rounds_at=forecast.rounds_at, seed=forecast.seed)


def bay_training_options(settings: Settings) -> TrainingOptions:
    """Return how a commune's bays are learnt: from what is kept of them, and the model's seed."""
    from optimise.occupancy.forecast.learning import LearningOptions
    from optimise.occupancy.forecast.registry import TrainingOptions

    return TrainingOptions(
        history_days=min(28, settings.retention.occupancy_readings_days),
        learning=LearningOptions(seed=settings.forecast.seed),
    )


def drift_options(settings: Settings) -> DriftOptions:
    """Return when a forecast's coverage is worth an alarm."""
    from optimise.fill.drift import DriftOptions

    return DriftOptions(band=settings.forecast.coverage_band)


def time_series_options(settings: Settings) -> TimeSeriesOptions:
    """Return how `voirie migrate` lays time series on the disk."""
    from storage.time_series import TimeSeriesOptions

    return TimeSeriesOptions(**settings.time_series.model_dump())


def retention_options(settings: Settings) -> RetentionOptions:
    """Return how long the worker keeps each kind of data."""
    from storage.retention_kinds import RetentionOptions

    return RetentionOptions(**settings.retention.model_dump())


def street_profile() -> Path:
    """Return OSRM's profile of a collection vehicle."""
    return Path(__file__).resolve().parent.parent / "config" / "streets" / "collection_vehicle.lua"
