"""docker-compose.yml without an engine: it parses, its commands, files and settings exist, and it holds no secret."""

from __future__ import annotations

import itertools
import json
import os
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from cli.main import app
from config.settings import read_settings
from tests.tools import REPOSITORY, missing

COMPOSE = yaml.safe_load((REPOSITORY / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
VOIRIE = {name: service for name, service in SERVICES.items() if service["image"].startswith("voirie:")}
DOCKERFILE = (REPOSITORY / "Dockerfile").read_text(encoding="utf-8")
# Tags that exist with the digests of their images for all systems, and where each was seen
# (docs/decisions/0007-container-images.md). Another one needs the same care.
KNOWN_IMAGES = {
    "timescale/timescaledb:2.29.2-pg17@sha256:bc8527e62f70f0766b29515077965025872fabb5349db421565f69ee273baf2d",
    "eclipse-mosquitto:2.0.22@sha256:212f89e1eaeb2c322d6441b64396e3346026674db8fa9c27beac293405c32b3c",
    "caddy:2.10.2-alpine@sha256:4c6e91c6ed0e2fa03efd5b44747b625fec79bc9cd06ac5235a779726618e530d",
    "python:3.13.14-slim-trixie@sha256:6771159cd4fa5d9bba1258caf0b82e6b73458c694d178ad97c5e925c2d0e1a91",
}
AS_ROOT = {"broker-access", "proxy-data"}
"""Jobs that give files to the user of another service, and end."""


def example_environment() -> dict[str, str]:
    lines = (REPOSITORY / ".env.example").read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def compose_program() -> list[str]:
    if named := os.environ.get("VOIRIE_TEST_COMPOSE"):
        return [named]
    plugin = ["docker", "compose"]
    if (
        shutil.which("docker") is None
        or subprocess.run([*plugin, "version"], check=False, capture_output=True).returncode
    ):
        missing("a docker compose program (VOIRIE_TEST_COMPOSE)")
    return plugin


def test_follows_the_compose_specification():
    checked = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", "docker-compose.yml"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


def run_compose(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*compose_program(), "--project-directory", str(REPOSITORY), *arguments],
        cwd=REPOSITORY,
        env={"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")} | variables,
        capture_output=True,
        text=True,
        check=False,
    )


def test_compose_itself_accepts_it():
    accepted = run_compose("--env-file", ".env.example", "config", "--services")
    assert accepted.returncode == 0, accepted.stderr
    assert set(accepted.stdout.split()) == set(SERVICES) - {"proxy", "proxy-data"}, (
        "the example turns the simulation on"
    )
    served = run_compose("--env-file", ".env.example", "--profile", "tls", "config", "--services")
    assert set(served.stdout.split()) == set(SERVICES) - {"simulator"}, served.stderr


@pytest.mark.parametrize("name", ["SECRETS_FOLDER", "COMMUNE_INSEE", "COMMUNE_NAME", "STREETS_EXTRACT"])
def test_compose_refuses_to_start_without_what_it_must_know(name: str, tmp_path: Path):
    lacking = tmp_path / "env"
    lacking.write_text(
        "".join(f"{key}={value}\n" for key, value in example_environment().items() if key != name), encoding="utf-8"
    )
    refused = run_compose("--env-file", str(lacking), "config")
    assert refused.returncode != 0
    assert f"required variable {name} is missing" in refused.stderr


def test_real_sensors_are_not_simulated_unless_asked_for():
    assert {name: service["profiles"] for name, service in SERVICES.items() if "profiles" in service} == {
        "simulator": ["simulation"],
        "proxy": ["tls"],
        "proxy-data": ["tls"],
    }
    assert SERVICES["simulator"]["command"] == ["simulate"]


def test_images_are_pinned_to_known_tags():
    ours = f"voirie:{re.search(r'^version = "(.*)"$', read('pyproject.toml'), re.MULTILINE)[1]}"  # type: ignore[index]
    assert {service["image"] for service in SERVICES.values()} - {ours} <= KNOWN_IMAGES
    assert set(re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)) <= KNOWN_IMAGES


def test_every_command_of_voirie_exists_and_starts():
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined] # a group, since there are several
    assert {service["command"][0] for service in VOIRIE.values()} == {
        "migrate", "collect", "worker", "api", "simulate", "broker",
    }  # fmt: skip
    for name, service in VOIRIE.items():
        words = list(itertools.takewhile(lambda word: not word.startswith("-"), service["command"]))
        assert words[0] in commands, name
        started = subprocess.run(
            [sys.executable, "-m", "cli", *words, "--help"],
            cwd=REPOSITORY,
            env=os.environ | {"COLUMNS": "200"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert started.returncode == 0, started.stderr
        for option in service["command"][len(words) :]:
            assert option.split("=")[0] in started.stdout, f"{name}: {option}"


def test_every_setting_is_one_of_voirie(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.chdir(tmp_path)
    example = example_environment()
    for name, service in VOIRIE.items():
        environment = {
            key: re.sub(
                r"\$\{(\w+)(?::?-((?:\{\w+\}|[^}])*))?[^}]*\}",
                lambda found: example[found[1]] if found[2] is None else example.get(found[1], found[2]),
                value,
            )
            for key, value in service["environment"].items()
        }
        for key, value in environment.items():
            monkeypatch.setenv(key, value)
        settings = read_settings()
        login, secret = ("voirie_web", "database_web_password") if name == "api" else ("voirie", "database_password")
        assert settings.database.url == f"postgresql://{login}@database/voirie", name
        assert settings.database.password_file == Path(f"/run/secrets/{secret}"), name
        assert settings.commune.name == example["COMMUNE_NAME"]
        for key in environment:
            monkeypatch.delenv(key)


def test_no_service_holds_a_secret():
    for name, service in SERVICES.items():
        for key, value in service.get("environment", {}).items():
            if "PASSWORD" in key or "SECRET" in key:
                assert key.endswith("_FILE"), f"{name}: {key} holds a secret instead of naming its file"
                assert Path(value).name in service["secrets"], f"{name}: {value} is not given to it"
            assert not re.search(r"://[^/@]*:[^/@]*@", value), f"{name}: a password stands in {key}"
    for secret in COMPOSE["secrets"].values():
        assert secret["file"].startswith("${SECRETS_FOLDER:?")


def test_each_service_is_given_only_the_secrets_it_needs():
    given = {name: set(service.get("secrets", [])) for name, service in SERVICES.items()}
    assert {name for name, secrets in given.items() if "database_admin_password" in secrets} == {"database"}
    assert {name for name, secrets in given.items() if "database_web_password" in secrets} == {"database", "api"}
    assert "database_password" not in given["api"], "the web server is not the database's owner"
    assert {name for name, secrets in given.items() if "mqtt_simulator_password" in secrets} == {
        "broker-files",
        "simulator",
    }
    assert {name for name, secrets in given.items() if "mqtt_collector_password" in secrets} == {
        "broker-files",
        "broker",
        "collector",
    }


def test_nobody_speaks_for_all_sensors_unless_they_are_simulated():
    # Compose leaves the variable out of a file without the simulation, and an empty option means no such user.
    (option,) = [part for part in SERVICES["broker-files"]["command"] if "simulator" in part]
    assert option == "--simulator-password-file=${SIMULATOR_PASSWORD_FILE:-}"
    lines = read(".env.example").splitlines()
    profile = lines.index("COMPOSE_PROFILES=simulation")
    assert "SIMULATOR_PASSWORD_FILE=/run/secrets/mqtt_simulator_password" in lines[profile + 1 : profile + 3]


def test_mqtt_is_spoken_with_tls_and_collectors_have_a_listener_of_their_own():
    for name in ("collector", "simulator"):
        assert SERVICES[name]["environment"]["VOIRIE_MQTT__URL"] == "mqtts://broker:8884"
        assert SERVICES[name]["environment"]["VOIRIE_MQTT__CA_FILE"] == "/run/secrets/mqtt_ca"
        assert "mqtt_ca" in SERVICES[name]["secrets"]
    (published,) = SERVICES["broker"]["ports"]
    assert published.endswith(":8883"), "the collectors' listener is published nowhere"


def test_whoever_is_depended_on_can_say_that_it_is_ready():
    for name, service in SERVICES.items():
        for needed, condition in service.get("depends_on", {}).items():
            if condition["condition"] == "service_healthy":
                assert "healthcheck" in SERVICES[needed], f"{name} waits for {needed}, which has no health check"
            else:
                assert condition["condition"] == "service_completed_successfully"
                assert SERVICES[needed]["restart"] in {"no", "on-failure"}, f"{needed} never completes"


def test_data_is_in_volumes_and_files_that_are_mounted_exist():
    for name, service in SERVICES.items():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            if source.startswith("./"):
                assert (REPOSITORY / source).is_file(), f"{name}: {source}"
                assert volume.endswith(":ro"), f"{name}: {volume}"
            elif not source.startswith(("${STREETS_FOLDER", "${PROXY_FOLDER", "${SECRETS_FOLDER")):
                assert source in COMPOSE["volumes"], f"{name}: {source}"
    assert any(volume.endswith(":/var/lib/postgresql/data") for volume in SERVICES["database"]["volumes"])
    assert any(volume.endswith(":/mosquitto/data") for volume in SERVICES["broker"]["volumes"])


def test_only_the_proxy_is_reached_from_elsewhere_unless_asked_for():
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert set(published) == {"broker", "api", "proxy"}
    for port in published["broker"] + published["api"]:
        assert re.fullmatch(r"\$\{\w+:-127\.0\.0\.1:\d+\}:\d+", port)


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_every_container_is_closed_limited_and_nobody(name: str):
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert set(service["deploy"]["resources"]["limits"]) == {"memory", "cpus", "pids"}
    assert service["logging"]["driver"] == "local", "logs rotate"
    user = str(service["user"])
    if name in AS_ROOT:
        assert user == "root"
        assert service["network_mode"] == "none"
        assert service["cap_add"] == ["CHOWN"]
        assert service["restart"] == "no"
    else:
        assert re.fullmatch(r"[1-9]\d+:[1-9]\d+", user), "a number is nobody's name in another image"
        assert set(service.get("cap_add", ())) <= {"NET_BIND_SERVICE"}


def test_each_container_reaches_only_what_it_needs():
    on = {name: set(service.get("networks", ())) for name, service in SERVICES.items() if name not in AS_ROOT}
    assert COMPOSE["networks"]["data"] == {"internal": True}
    assert on["database"] == {"data"}
    assert on["broker"] == {"readings"}
    assert on["proxy"] == {"edge"}, "the proxy reaches neither database nor broker"
    assert on["worker"] == on["migrate"] == on["broker-files"] == {"data"}, "they have no way out"
    assert on["collector"] == {"data", "readings"}
    assert on["api"] == {"data", "edge"}


def test_collectors_and_workers_scale_with_one_flag():
    for name in ("collector", "worker"):
        assert "container_name" not in SERVICES[name], f"{name}: copies cannot share a name"
        assert "ports" not in SERVICES[name], f"{name}: copies cannot share a port"
    settings = SERVICES["collector"]["environment"]
    assert settings["VOIRIE_MQTT__CLIENT_ID"] == "${MQTT_CLIENT_ID:-voirie-collector-{instance}}"
    assert settings["VOIRIE_MQTT__SHARED_GROUP"] == "${MQTT_SHARED_GROUP-voirie}"
    scaled = run_compose("--env-file", ".env.example", "config", "--format", "json")
    environment = json.loads(scaled.stdout)["services"]["collector"]["environment"]
    assert environment["VOIRIE_MQTT__CLIENT_ID"] == "voirie-collector-{instance}", "compose reads the braces as meant"


def read(path: str) -> str:
    return (REPOSITORY / path).read_text(encoding="utf-8")


def test_image_is_built_from_files_that_exist_and_are_let_through():
    admitted = {line[1:] for line in read(".dockerignore").splitlines() if line.startswith("!")}
    copied = set()
    for line in re.findall(r"^COPY (?!--from)(.*)$", DOCKERFILE, re.MULTILINE):
        copied |= set(line.split()[:-1])
    for source in copied:
        assert (REPOSITORY / source).exists(), source
    assert copied == admitted
    packages = re.search(r"^include = \[(.*)\]$", read("pyproject.toml"), re.MULTILINE)
    assert packages is not None
    assert {name.strip('" *') for name in packages[1].split(",")} <= copied


def test_image_installs_only_hashed_packages_and_runs_without_rights():
    installs = [line for line in DOCKERFILE.splitlines() if "pip" in line and "install" in line]
    assert installs
    assert all("--require-hashes" in line or "--no-index" in line for line in installs)
    *_, last = re.findall(r"^USER (\S+)$", DOCKERFILE, re.MULTILINE)
    assert last not in {"root", "0"}


def test_secrets_are_made_once_closed_and_different(tmp_path: Path):
    folder = tmp_path / "a folder"
    run = [str(REPOSITORY / "scripts" / "make-secrets"), str(folder)]
    subprocess.run(run, check=True, capture_output=True)
    made = {file.name: file.read_text(encoding="ascii") for file in folder.iterdir()}
    assert set(made) == set(COMPOSE["secrets"]) - {"mqtt_ca"}, "a certificate comes from another script"
    assert len(set(made.values())) == len(made)
    assert all(re.fullmatch("[A-Za-z0-9]{32}", value) for value in made.values())
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    subprocess.run(run, check=True, capture_output=True)
    assert made == {file.name: file.read_text(encoding="ascii") for file in folder.iterdir()}
