"""What Voirie is made of is written down, stands under admitted licences, and is asked about where a network allows."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
import tomllib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.tools import REPOSITORY, free_port

PINNED = re.compile(r"^([A-Za-z0-9._-]+)(?:\[.*?\])?==([^\s;\\]+)", re.MULTILINE)


def supply_chain(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(REPOSITORY / "scripts" / "supply_chain"), *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def locked(*files: str) -> set[tuple[str, str]]:
    texts = [(REPOSITORY / "requirements" / file).read_text(encoding="utf-8") for file in files]
    return {pin for text in texts for pin in PINNED.findall(text)}


def test_every_locked_package_is_under_an_admitted_licence():
    done = supply_chain("licences")
    assert done.returncode == 0, done.stderr
    assert (
        f"{len({name for name, _ in locked('run.txt', 'streets.txt', 'tracing.txt', 'build.txt')})} packages"
        in done.stdout
    )
    for entry in tomllib.loads((REPOSITORY / "requirements" / "licences.toml").read_text(encoding="utf-8")).values():
        assert set(entry) == {"licence", "reason"}


@pytest.mark.parametrize(
    ("expression", "admitted"),
    [
        ("MIT", True),
        ("Apache-2.0 AND BSD-2-Clause", True),
        ("EPL-2.0 OR GPL-2.0-only", True),
        ("GPL-3.0-only", False),
        ("MIT AND AGPL-3.0-only", False),
        ("LicenseRef-unknown", False),
    ],
)
def test_a_choice_of_the_licence_must_be_admitted(expression: str, *, admitted: bool, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(str(REPOSITORY / "scripts" / "supply_chain"))
    import licences  # type: ignore[import-not-found]  # noqa: PLC0415 - a script's module

    assert licences.is_admitted(expression) is admitted


def test_the_bill_of_materials_is_what_cyclonedx_asks_for_and_what_the_lock_says():
    first, second = (supply_chain("sbom").stdout for _ in range(2))
    assert first == second, "equal locks give equal documents"
    bill: dict[str, Any] = json.loads(first)
    assert (bill["bomFormat"], bill["specVersion"], bill["version"]) == ("CycloneDX", "1.6", 1)
    assert re.fullmatch(r"urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", bill["serialNumber"])
    components = bill["components"]
    assert {(one["name"], one["version"]) for one in components} == locked("run.txt", "streets.txt")
    for one in components:
        assert one["type"] == "library"
        assert re.fullmatch(rf"pkg:pypi/[a-z0-9-]+@{re.escape(one['version'])}", one["purl"])
        assert one["hashes"], f"{one['name']} is not hashed"
        assert all(re.fullmatch("[0-9a-f]{64}", each["content"]) and each["alg"] == "SHA-256" for each in one["hashes"])
        for licence in one.get("licenses", ()):
            assert set(licence) in ({"expression"}, {"license"})
        assert one.get("licenses") or one.get("properties"), f"{one['name']}: nothing is known of its licence"
    references = [one["bom-ref"] for one in components] + [bill["metadata"]["component"]["bom-ref"]]
    assert len(set(references)) == len(references)
    assert {one["ref"] for one in bill["dependencies"]} == set(references)
    for one in bill["dependencies"]:
        assert set(one["dependsOn"]) <= set(references)
    (ours,) = [one for one in bill["dependencies"] if one["ref"].startswith("pkg:generic/voirie@")]
    assert any(reference.startswith("pkg:pypi/psycopg@") for reference in ours["dependsOn"])


@pytest.fixture
def service() -> Iterator[str]:
    """Answers as OSV does, and knows one vulnerability, of starlette."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.path == "/v1/querybatch"
            queries = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["queries"]
            known = {"vulns": [{"id": "GHSA-test-0000-0001", "modified": "2026-01-01T00:00:00Z"}]}
            results = [known if "/starlette@" in query["package"]["purl"] else {} for query in queries]
            body = json.dumps({"results": results}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments: object) -> None:
            """Be quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_known_vulnerability_fails_the_audit(service: str):
    done = supply_chain("vulnerabilities", "--service", service)
    assert done.returncode == 1
    assert re.search(r"starlette [\d.]+: GHSA-test-0000-0001 \(OPEN\)", done.stdout)


def test_an_audit_that_could_not_ask_says_so():
    away = f"http://127.0.0.1:{free_port()}"
    done = supply_chain("vulnerabilities", "--service", away)
    assert done.returncode == 0
    assert "NOT AUDITED" in done.stderr
    assert supply_chain("vulnerabilities", "--service", away, "--must-answer").returncode == 3
