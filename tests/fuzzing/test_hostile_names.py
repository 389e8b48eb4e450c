"""Names made to harm, put in wherever a name enters, come out as the text that they are, wherever one leaves.

HTML is looked at in a real Chromium (`tests/browser/test_hostile_names.py`).
"""

from __future__ import annotations

import csv
import io
import json
import logging
import re
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from typing import Any, Literal
from urllib.parse import quote
from uuid import uuid4
from xml.etree import ElementTree as ET

import httpx
import pytest
import structlog

from api.app import ApiOptions
from api.ports import Ports
from cli.at_once import WorkerAtOnce
from cli.logs import configure_logging
from cli.wiring import catalogue
from storage.database import connect
from tests.api import rows
from tests.api.rows import INSEE, PLAN_ID
from tests.api.serving import client_of
from tests.api.test_access import document, filled
from tests.conftest import Server
from tests.fuzzing.names import ALL_IN_ONE, FORMULAS, NAMES

COMMUNE = f"/api/v1/communes/{INSEE}"
AT = "2026-03-10T09:00:00Z"
RENAMED = {
    "bin": ("street",), "delivery_bay": ("street",), "parking_space": ("street",), "vehicle": ("name",),
    "commune": ("name",),
}  # fmt: skip


def quoted(text: str) -> str:
    out = io.StringIO()
    csv.writer(out).writerow([text])
    return out.getvalue().rstrip("\r\n")


@pytest.fixture(scope="module")
def client(embedded_server: Server) -> Iterator[httpx.Client]:
    """A client of a town all of whose names are hostile already."""
    url = embedded_server.create_database()
    with connect(url) as connection:
        rows.save_commune(connection)
        rows.save_places(connection)
        device_id = rows.mount(connection, "COR-0001", eui="24e124713b000001")
        rows.take_in(connection, rows.fill("COR-0001", 0.5, at=rows.ago(hours=1), device_id=device_id), refused=1)
        rows.save_forecast(connection, ["COR-0001", "COR-0002", "COR-0003"])
        rows.save_plan(connection)
        existing = {
            (table, column)
            for table, column in connection.execute(
                "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'"
            )
        }
        for table, columns in RENAMED.items():
            for column in columns:
                if (table, column) in existing:
                    connection.execute(f"UPDATE {table} SET {column} = %s", [ALL_IN_ONE])
        connection.execute("UPDATE device SET model = 'milesight-em310-udl'")
        connection.commit()
    options = ApiOptions(database_url=url, commune_insee=INSEE, heartbeat_s=0.5, catalogue=catalogue())
    with client_of(options, Ports(at_once=WorkerAtOnce(url))) as opened:
        yield opened
    embedded_server.drop_database(url)


# --- where names enter -----------------------------------------------------------------------------------------------

type Door = Callable[[httpx.Client, str], httpx.Response]


def _event(client: httpx.Client, name: str) -> httpx.Response:
    event = {"kind": "event", "name": name, "starts_at": AT, "ends_at": "2026-03-10T12:00:00Z"}
    return client.post(f"{COMMUNE}/events", json={"events": [event]})


def _declaration(client: httpx.Client, name: str) -> httpx.Response:
    event = {
        "event_id": str(uuid4()), "place_id": "COR-0001", "kind": "emptied", "happened_at": AT, "comment": name,
    }  # fmt: skip
    return client.post(f"{COMMUNE}/service-events", json={"events": [event]})


def _unknown_place(client: httpx.Client, name: str) -> httpx.Response:
    event = {"event_id": str(uuid4()), "place_id": name, "kind": "emptied", "happened_at": AT}
    return client.post(f"{COMMUNE}/service-events", json={"events": [event]})


def _vehicle_event(client: httpx.Client, name: str) -> httpx.Response:
    event = {
        "event_id": str(uuid4()), "vehicle_id": "BOM-1", "kind": "out_of_service", "happened_at": AT, "comment": name,
    }  # fmt: skip
    return client.post(f"{COMMUNE}/vehicle-events", json={"vehicle_events": [event]})


def _device(client: httpx.Client, name: str) -> httpx.Response:
    body = {"model": "milesight-em310-udl", "comment": name, "author": name[:100]}
    return client.put(f"{COMMUNE}/devices/24e124713bfffff1", json=body)


def _device_file(client: httpx.Client, name: str) -> httpx.Response:
    text = f"eui,model,comment\n24e124713bfffff2,milesight-em310-udl,{quoted(name)}\n"
    return client.post(f"{COMMUNE}/devices.csv", content=text.encode(), headers={"Content-Type": "text/csv"})


def _place_file(client: httpx.Client, name: str) -> httpx.Response:
    text = f"place_id,longitude_deg,latitude_deg,street\n{quoted(name[:90])},2.55,48.84,{quoted(name)}\n"
    return client.post(f"{COMMUNE}/places", params={"format": "csv"}, content=text.encode())


def _geojson(client: httpx.Client, name: str) -> httpx.Response:
    feature = {
        "type": "Feature", "properties": {"place_id": f"G{name[:80]}", "street": name},
        "geometry": {"type": "Point", "coordinates": [2.55, 48.84]},
    }  # fmt: skip
    body = json.dumps({"type": "FeatureCollection", "features": [feature]})
    return client.post(f"{COMMUNE}/places", params={"format": "geojson"}, content=body.encode())


def _check(client: httpx.Client, name: str) -> httpx.Response:
    body = {"event_id": str(uuid4()), "by": name[:100], "cause": "other", "comment": name[:200] or "x"}
    return client.post(f"{COMMUNE}/checks/ADL-01/close", json=body)


def _edit(client: httpx.Client, name: str) -> httpx.Response:
    body = {"request_id": str(uuid4()), "by": name[:100], "edits": [{"kind": name, "place_id": name}]}
    return client.post(f"{COMMUNE}/plans/{PLAN_ID}/edits", params={"wait_s": 0}, json=body)


def _query(client: httpx.Client, name: str) -> httpx.Response:
    return client.get(f"{COMMUNE}/devices", params={"model": name[:100], "place_id": name[:100], "after": name[:64]})


def _path(client: httpx.Client, name: str) -> httpx.Response:
    return client.get(f"{COMMUNE}/bins/{quote(name, safe='')}")


def _login(client: httpx.Client, name: str) -> httpx.Response:
    fields = {"name": name, "password": name, "after": name}
    return client.post("/connexion", data=fields, headers={"Sec-Fetch-Site": "same-origin"})


def _agent(client: httpx.Client, name: str) -> httpx.Response:
    clean = re.sub(r"[\x00-\x1f\x7f]", "", name).encode("utf-8", "ignore").strip()
    headers = [(b"user-agent", clean), (b"x-request-id", clean), (b"accept-language", clean)]
    return client.get("/compte", headers=headers)


DOORS: dict[str, Door] = {
    "event": _event, "declaration": _declaration, "unknown place": _unknown_place, "vehicle": _vehicle_event,
    "device": _device, "device file": _device_file, "place file": _place_file, "geojson": _geojson, "check": _check,
    "edit": _edit, "query": _query, "path": _path, "login": _login, "headers": _agent,
}  # fmt: skip


class _Elements(HTMLParser):
    """Which elements and attributes a page has."""

    def __init__(self) -> None:
        super().__init__()
        self.evil: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "x-evil" or any(
            name.startswith("on") or (name in {"href", "src", "action"} and (value or "").startswith("javascript:"))
            for name, value in attrs
        ):
            self.evil.append(f"<{tag} {attrs}>")
        if (
            tag == "script"
            and "src" not in dict(attrs)
            and dict(attrs).get("type", "") not in {"application/json", "importmap"}
        ):
            self.evil.append(f"<{tag} {attrs}>")


def assert_harmless(answer: httpx.Response) -> None:
    """Whatever the answer is, it is that for whoever reads it, too."""
    assert answer.status_code < 500, answer.text
    for name, value in answer.headers.items():
        assert value.isprintable(), (name, value)
        assert "evil" not in name
        assert name != "set-cookie" or "evil" not in value
    assert answer.headers["x-content-type-options"] == "nosniff"
    if "content-disposition" in answer.headers:
        assert re.fullmatch(r'(attachment|inline); filename="?[A-Za-z0-9._-]+"?', answer.headers["content-disposition"])
    kind = answer.headers.get("content-type", "").split(";")[0]
    if kind.endswith("json"):
        json.loads(answer.content)
    elif kind == "text/html":
        page = _Elements()
        page.feed(answer.text)
        assert not page.evil
    elif kind == "text/csv":
        for row in csv.reader(io.StringIO(answer.text, newline=""), strict=True):
            for cell in row:
                number = re.fullmatch(r"-?[0-9.]+(e-?[0-9]+)?", cell)
                assert number or not cell.startswith(FORMULAS), cell
    elif kind.endswith("xml"):
        tree = ET.fromstring(answer.content)
        assert not any("evil" in element.tag for element in tree.iter())
        assert b"<!ENTITY" not in answer.content


@pytest.mark.parametrize("door", sorted(DOORS))
def test_names_enter_as_they_are_or_not_at_all(client: httpx.Client, door: str):
    # A log-in looks at a password, which takes its time by design.
    for name in NAMES[::5] if door == "login" else NAMES:
        answer = DOORS[door](client, name)
        assert_harmless(answer)
        if answer.status_code >= 400 and answer.headers["content-type"] == "application/problem+json":
            assert answer.json()["status"] == answer.status_code


def test_every_answer_about_a_hostile_town_is_harmless(client: httpx.Client):
    """All routes that read, after all doors were tried: JSON, CSV, GPX, GeoJSON, sheets and pages."""
    for name in NAMES:
        for door in (_event, _device_file, _place_file, _geojson, _declaration):
            door(client, name)
    kinds = set()
    for path, methods in document()["paths"].items():
        operation = methods.get("get")
        if operation is None or operation["operationId"] == "live_events":
            continue
        for form in ("gpx", "geojson", "sheet") if "{form}" in path else ("",):
            answer = client.get(filled(path, INSEE, form=form, plan_id=str(PLAN_ID)))
            assert_harmless(answer)
            kinds.add(answer.headers["content-type"].split(";")[0])
    assert {"application/json", "text/csv", "application/gpx+xml", "application/geo+json", "text/html"} <= kinds
    for page in (
        "/",
        "/connexion",
        "/compte",
        "/accessibilite",
        f"/{INSEE}/carte",
        "/<x-evil>",
        "/connexion?after=<x-evil>",
    ):
        assert_harmless(client.get(page))


def test_names_come_back_as_they_were(client: httpx.Client):
    name = ALL_IN_ONE + "é\U0001d518"
    assert _event(client, name).status_code == 200
    events = client.get(f"{COMMUNE}/events").json()["events"]
    assert name in [event["name"] for event in events]
    assert _device_file(client, "=cmd|'/c calc'!A1").status_code == 200
    exported = client.get(f"{COMMUNE}/devices.csv").text
    assert "'=cmd|'/c calc'!A1" in exported
    again = client.post(f"{COMMUNE}/devices.csv", content=exported.encode(), headers={"Content-Type": "text/csv"})
    assert again.json()["updated"] == 0, "a cell that was defused is the same text when it comes back"


@pytest.mark.parametrize("form", ["text", "json"])
def test_each_event_of_the_log_is_one_line(form: Literal["text", "json"], capfd: pytest.CaptureFixture[str]):
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    try:
        configure_logging(level="info", form=form)
        log = structlog.get_logger()
        for name in NAMES:
            capfd.readouterr()
            log.warning("thing_happened", name=name, path=f"/{name}")
            logging.getLogger("other.library").warning("a library quotes %s", name)
            told = capfd.readouterr().err
            lines = told.removesuffix("\n").split("\n")
            assert len(lines) == 2, told
            for line in lines:
                assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f\u2028\u2029\u202e\u2066]", line), repr(line)
                if form == "json":
                    json.loads(line)
    finally:
        root.handlers, root.level = handlers, level
        structlog.reset_defaults()


RAW = (
    "%00",
    "a%00b",
    "%ff%fe",
    "%ed%a0%80",
    "%1b%5b2J",
    "%e2%80%aeevil",
    "a%0d%0aX-Evil:1",
    "x" * 10_000,
    "%25s%7b0%7d",
)
"""As they stand in an address: NUL, bytes that are no UTF-8, half a pair, escapes, a turn of direction, 10 kB."""
IN_BODIES = ("a\0b", "\ud800", "\x1b[2J", "\u202eevil", "x" * 10_000)


def text_parameters() -> Iterator[tuple[str, str, str, str]]:
    """Each text parameter in the OpenAPI document: method, path, where it stands, its name."""
    for path, methods in document()["paths"].items():
        for method, operation in methods.items():
            if operation["operationId"] == "live_events":
                continue
            for parameter in operation.get("parameters", []):
                kinds = [parameter["schema"], *parameter["schema"].get("anyOf", [])]
                kinds += [kind["items"] for kind in kinds if "items" in kind]
                if any(kind.get("type") == "string" for kind in kinds):
                    yield method.upper(), path, parameter["in"], parameter["name"]


def assert_refused_or_harmless(answer: httpx.Response, what: str) -> None:
    assert answer.status_code < 500, f"{what}: {answer.text[:500]}"
    assert_harmless(answer)
    if answer.status_code >= 400:
        assert answer.headers["content-type"] == "application/problem+json", what
        assert answer.json()["status"] == answer.status_code


def test_no_text_in_an_address_breaks_a_route(client: httpx.Client):
    tried = 0
    for number, (method, path, where, name) in enumerate(text_parameters()):
        # Parameters share their readers: neighbours try each a third.
        for text in RAW[number % 3 :: 3]:
            asked = path.replace("{" + name + "}", text) if where == "path" else f"{path}?{name}={text}"
            answer = client.request(method, filled(asked, INSEE, plan_id=str(PLAN_ID)))
            assert_refused_or_harmless(answer, f"{method} {path} {name} {text[:20]}")
            tried += 1
    assert tried > 200


def texts_of(schema: dict[str, Any], schemas: dict[str, Any], depth: int = 0) -> Iterator[tuple[str | int, ...]]:
    """Yield the way to each text in a body."""
    schema = schemas[schema["$ref"].rsplit("/", 1)[-1]] if "$ref" in schema else schema
    if "anyOf" in schema:
        schema = schema["anyOf"][0]
        schema = schemas[schema["$ref"].rsplit("/", 1)[-1]] if "$ref" in schema else schema
    if schema.get("type") == "string":
        yield ()
    if depth < 6:
        for name, inner in schema.get("properties", {}).items():
            for way in texts_of(inner, schemas, depth + 1):
                yield name, *way
        if "items" in schema:
            for way in texts_of(schema["items"], schemas, depth + 1):
                yield 0, *way


def test_no_text_in_a_body_breaks_a_route(client: httpx.Client):
    schemas = document()["components"]["schemas"]
    tried = 0
    for path, methods in document()["paths"].items():
        for method, operation in methods.items():
            content = operation.get("requestBody", {}).get("content", {})
            if "application/json" not in content:
                continue
            for number, way in enumerate(texts_of(content["application/json"]["schema"], schemas)):
                for text in IN_BODIES[number % 2 :: 2]:
                    body: Any = text
                    for step in reversed(way):
                        body = [body] if step == 0 else {step: body}
                    # JSON may spell half a pair, which no text in UTF-8 can be.
                    answer = client.request(
                        method, filled(path, INSEE, plan_id=str(PLAN_ID)), content=json.dumps(body),
                        headers={"Content-Type": "application/json"},
                    )  # fmt: skip
                    assert_refused_or_harmless(answer, f"{method} {path} {way} {text[:10]!r}")
                    tried += 1
    assert tried > 60
