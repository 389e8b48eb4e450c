"""How fast the screens are in a real browser, and how much they load; prints one JSON document.

    python benchmarks/screens.py --database URL [--bins 1000] [--bays 100] [--spaces 1900] [--repeat 3]
        [--only carte,tournee] [--extract FILE.osm.pbf]

A made-up town on the demo's streets: bins, four rounds of tomorrow, bays and spaces with sensors. The server is a
process of its own, the browser Chromium without a graphics card, both on this machine's processors; accounts are open,
tiles off (the streets are drawn instead, the dearer ground). Each screen is opened `repeat` times by a browser that
has never seen it; figures are medians.

`useful_paint_ms`: from the navigation to the frame after the one in which what the screen is for stands on it (its
first row, card or marks), by the page's own clock; `until_then_cpu_ms`: what the page's main thread had of a processor.
`first_paint_ms`: the browser's first contentful paint. `frames`: the gaps between animation frames while the map is
dragged and zoomed by the wheel, and the longest task of the main thread meanwhile, by the clock and
(`longest_task_cpu_ms`, from the browser's own trace) of a processor, which does not depend on what else runs.
`transferred_bytes`: what the server sent for the first load, compressed, bodies and headers, also to service workers;
`by_kind` as the page saw it. Budgets: useful paint under 1 s, no frame over 100 ms, under 500 kB for the driver's
first load; `missed` names those that were not kept. The database is dropped afterwards.
"""

from __future__ import annotations

import argparse
import json
import logging
import multiprocessing
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path
from typing import Any

import httpx
import structlog
import uvicorn
from playwright.sync_api import CDPSession, Page, Playwright, sync_playwright
from psycopg.conninfo import make_conninfo
from starlette.types import ASGIApp, Message, Receive, Scope, Send

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from api.app import create_app
from api.options import ApiOptions
from api.serve import Server
from cli.scratch_databases import scratch_database
from storage import plans, schema
from storage.database import connect
from tests.browser.chromium import program, running_chromium
from tests.browser.town import INSEE, NOW, helsinki, make_town
from tests.tools import free_port

USEFUL_MS = 1_000
FRAME_MS = 100
DRIVER_BYTES = 500_000


@dataclass(frozen=True, kw_only=True)
class Screen:
    """A page to measure: `useful` is a selector of what it is for, `map` of what is dragged and zoomed."""

    path: str
    useful: str
    map: str | None = "#map"
    phone: bool = False


SCREENS = (
    Screen(path="carte", useful="#bin-list .row"),
    Screen(path="proprete", useful="#round-list > *"),
    Screen(path="tournee/BOM-1", useful="#for-bin", phone=True),
    Screen(path="controle", useful="#check-list > *", phone=True),
    Screen(path="stationner?near=Mannerheimintie", useful=".spot", phone=True),
    Screen(path="exploitation", useful="#devices .item", map=None),
)

WATCH = """
(() => {
  const kept = (window.__measured = { useful: null, tasks: [], frames: [] });
  const selector = SELECTOR;
  let last = 0;
  const stands = () => {
    const found = document.querySelector(selector);
    return found && found.getClientRects().length > 0;
  };
  const frame = (now) => {
    if (last) kept.frames.push(now - last);
    last = now;
    if (kept.useful === null && stands()) {
      kept.useful = 0;
      // What stands in the document at this frame is painted with it: the next one comes after.
      requestAnimationFrame(() => { kept.useful = performance.now(); });
    }
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) kept.tasks.push([entry.startTime, entry.duration]);
  }).observe({ type: "longtask", buffered: true });
})();
"""


class Counting:
    """Counts the bytes of every answer, after compression: bodies, and headers as HTTP/1.1 writes them."""

    def __init__(self, app: ASGIApp, sent: Synchronized[int]) -> None:
        self._app = app
        self._sent = sent

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._add(sum(len(name) + len(value) + 4 for name, value in message["headers"]) + 19)
            elif message["type"] == "http.response.body":
                self._add(len(message.get("body", b"")))
            await send(message)

        await self._app(scope, receive, counted)

    def _add(self, count: int) -> None:
        with self._sent.get_lock():
            self._sent.value += count


def serve(database: str, extract: Path, port: int, sent: Synchronized[int]) -> None:
    """Serve the town until killed; runs in a process of its own."""
    quietly()
    app = create_app(ApiOptions(database_url=database, commune_insee=INSEE, streets_extract=extract, open_to_all=True))
    config = uvicorn.Config(
        Counting(app, sent), host="127.0.0.1", port=port, log_config=None, access_log=False, server_header=False
    )
    Server(config).run()


def quietly() -> None:
    """Keep the log out of what is printed."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))


@contextmanager
def served(database: str, extract: Path) -> Iterator[tuple[str, Synchronized[int]]]:
    """Serve the town; yields its address and the count of bytes that it sent."""
    context = multiprocessing.get_context("spawn")
    sent = context.Value("q", 0)
    port = free_port()
    process = context.Process(target=serve, args=(database, extract, port, sent), daemon=True)
    process.start()
    url = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                # The streets are read once, when the first page asks: a server that runs has them.
                httpx.get(f"{url}/api/v1/communes/{INSEE}/streets", timeout=60).raise_for_status()
                break
            except httpx.TransportError:
                if time.monotonic() > deadline or not process.is_alive():
                    raise
                time.sleep(0.2)
        yield url, sent
    finally:
        process.terminate()
        process.join(timeout=20)


@contextmanager
def opened(driver: Playwright, screen: Screen) -> Iterator[Page]:
    """Open an empty page of a browser that has never been here."""
    if program() is None:
        raise SystemExit("screens: Chromium is not installed")
    size = {"width": 412, "height": 892} if screen.phone else {"width": 1280, "height": 800}
    with (
        tempfile.TemporaryDirectory() as folder,
        running_chromium(
            driver,
            Path(folder),
            viewport=size,
            geolocation={"longitude": 24.942, "latitude": 60.168},
            permissions=["geolocation"],
        ) as context,
    ):
        page = context.new_page()
        page.add_init_script(WATCH.replace("SELECTOR", json.dumps(screen.useful)))
        yield page


def measure(driver: Playwright, url: str, sent: Synchronized[int], screen: Screen) -> dict[str, Any] | None:
    """Open a screen once and move about on its map; None when there is no such screen."""
    kinds: Counter[str] = Counter()
    with opened(driver, screen) as page:
        session = page.context.new_cdp_session(page)
        session.send("Network.enable")
        types: dict[str, str] = {}
        session.on("Network.responseReceived", lambda event: types.update({event["requestId"]: event["type"]}))
        session.on(
            "Network.loadingFinished",
            lambda event: kinds.update(
                {types.get(event["requestId"], "Other").lower(): round(event["encodedDataLength"])}
            ),
        )
        before = sent.value
        with traced(session) as tasks:
            answer = page.goto(f"{url}/{INSEE}/{screen.path}", wait_until="commit")
            if answer is None or answer.status == 404:
                return None
            useful = shown(page, screen)
        settle(page, sent)
        loaded = sent.value - before
        painted = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0]?.startTime")
        found: dict[str, Any] = {
            "useful_paint_ms": round(useful),
            "until_then_cpu_ms": round(sum(tasks)),
            "first_paint_ms": None if painted is None else round(painted),
            "transferred": {"bytes": loaded, "by_kind": dict(kinds.most_common())},
        }
        if screen.map is not None and page.locator(screen.map).first.is_visible():
            with traced(session) as tasks:
                found["frames"] = moved(page, screen.map)
            found["frames"]["longest_task_cpu_ms"] = round(max(tasks, default=0.0), 1)
        return found


def shown(page: Page, screen: Screen) -> float:
    """Wait until a screen shows what it is for; return when, by the page's clock in milliseconds."""
    patience = time.monotonic() + 30
    while time.monotonic() < patience:
        # What waits inside the page needs eval, which the policy refuses.
        useful = page.evaluate("window.__measured?.useful")
        if useful:
            return float(useful)
        page.wait_for_timeout(50)
    raise SystemExit(f"screens: {screen.path} never showed {screen.useful}")


@contextmanager
def traced(session: CDPSession) -> Iterator[list[float]]:
    """Yield a list that has, after the block, the processor's milliseconds of each task of the main thread."""
    tasks: list[float] = []
    events: list[dict[str, Any]] = []
    complete: list[bool] = []
    session.on("Tracing.dataCollected", lambda data: events.extend(data["value"]))
    session.on("Tracing.tracingComplete", lambda _: complete.append(True))
    session.send("Tracing.start", {"transferMode": "ReportEvents", "categories": "-*,toplevel,__metadata"})
    try:
        yield tasks
    finally:
        session.send("Tracing.end")
    while not complete:
        session.send("Runtime.evaluate", {"expression": "1"})  # lets what came be heard
    mains = {
        (event["pid"], event["tid"])
        for event in events
        if event["name"] == "thread_name" and event["args"]["name"] == "CrRendererMain"
    }
    tasks += [
        event["tdur"] / 1000
        for event in events
        if event.get("ph") == "X" and "tdur" in event and (event["pid"], event["tid"]) in mains
    ]


def settle(page: Page, sent: Synchronized[int]) -> None:
    """Wait until nothing more comes for a second: the live stream never ends, so the network is never idle."""
    known, still = sent.value, 0
    while still < 5:
        page.wait_for_timeout(200)
        still = still + 1 if sent.value == known else 0
        known = sent.value


def moved(page: Page, selector: str) -> dict[str, float]:
    """Drag the map and zoom by the wheel as people do; return the gaps between frames meanwhile."""
    box = page.locator(selector).first.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.evaluate("() => { window.__measured.frames.length = 0; window.__measured.tasks.length = 0; }")
    reach = min(box["width"], box["height"]) * 0.3
    for angle in ((1, 0), (0, 1), (-1, -1), (1, -0.5)):
        page.mouse.down()
        for step in range(1, 16):
            page.mouse.move(x + reach * angle[0] * step / 15, y + reach * angle[1] * step / 15)
            page.wait_for_timeout(16)
        page.mouse.up()
        page.wait_for_timeout(250)
        page.mouse.move(x, y)
    for delta in (-240, -240, 240, 240, 240, -240):
        page.mouse.wheel(0, delta)
        page.wait_for_timeout(450)
    frames = sorted(page.evaluate("window.__measured.frames"))
    tasks = [length for _, length in page.evaluate("window.__measured.tasks")]
    return {
        "count": len(frames),
        "longest_ms": round(frames[-1], 1),
        "p95_ms": round(frames[int(len(frames) * 0.95)], 1),
        "median_ms": round(statistics.median(frames), 1),
        "longest_task_ms": round(max(tasks, default=0.0), 1),
    }


def summed_up(name: str, runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the median of a screen's runs, with the worst beside it, and the budgets that were missed."""
    paints = [run["useful_paint_ms"] for run in runs]
    found: dict[str, Any] = {
        "useful_paint_ms": statistics.median(paints),
        "useful_paint_worst_ms": max(paints),
        "until_then_cpu_ms": statistics.median(run["until_then_cpu_ms"] for run in runs),
        "first_paint_ms": statistics.median(run["first_paint_ms"] or 0 for run in runs),
        "transferred_bytes": round(statistics.median(run["transferred"]["bytes"] for run in runs)),
        "by_kind": runs[0]["transferred"]["by_kind"],
    }
    missed = ["useful_paint"] if found["useful_paint_ms"] >= USEFUL_MS else []
    moves = [run["frames"] for run in runs if "frames" in run]
    if moves:
        found["frames"] = {
            key: round(statistics.median(move[key] for move in moves), 1)
            for key in ("longest_ms", "p95_ms", "median_ms", "longest_task_ms", "longest_task_cpu_ms")
        } | {"worst_ms": max(move["longest_ms"] for move in moves)}
        if found["frames"]["longest_ms"] > FRAME_MS:
            missed.append("frames")
    if name.startswith("tournee") and found["transferred_bytes"] >= DRIVER_BYTES:
        missed.append("bytes")
    return found | {"missed": missed}


def main() -> None:
    """Measure and print."""
    told = asked()
    quietly()
    extract = told.extract or helsinki()
    chosen = [
        screen for screen in SCREENS if not told.only or screen.path.partition("/")[0].partition("?")[0] in told.only
    ]
    started = time.monotonic()
    screens: dict[str, Any] = {}
    name = f"screens_{uuid.uuid4().hex[:8]}"
    with scratch_database(told.database, name):
        url = make_conninfo(told.database, dbname=name)
        schema.migrate(url)
        with connect(url) as connection:
            make_town(connection, extract, bin_count=told.bins, bay_count=told.bays, space_count=told.spaces, rate=1.0)
            plan = plans.latest(connection, INSEE)
            assert plan is not None
            # Drivers are shown today's round; the town has tomorrow's.
            plans.save(connection, replace(plan, plan_id=uuid.uuid4(), service_date=NOW.date()))
        with served(url, extract) as (address, sent), sync_playwright() as driver:
            for screen in chosen:
                title = screen.path.partition("?")[0]
                runs = []
                for number in range(told.repeat):
                    print(f"{title}, {number + 1} of {told.repeat}", file=sys.stderr)
                    run = measure(driver, address, sent, screen)
                    if run is None:
                        break
                    runs.append(run)
                if runs:
                    screens[title] = summed_up(title, runs)
    document = {
        "bins": told.bins, "bays": told.bays, "spaces": told.spaces, "rounds": 4, "repeat": told.repeat,
        "budgets": {"useful_paint_ms": USEFUL_MS, "frame_ms": FRAME_MS, "driver_bytes": DRIVER_BYTES},
        "screens": screens,
        "browser": subprocess.check_output([program() or "chromium", "--version"], text=True).strip(),
        "python": platform.python_version(), "processors": os.cpu_count(), "load_average": os.getloadavg()[0],
        "seconds": round(time.monotonic() - started, 1),
    }  # fmt: skip
    print(json.dumps(document, indent=2))


def asked() -> argparse.Namespace:
    """Return what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", required=True, help="a server to make a database on, for as long as this runs")
    parser.add_argument("--extract", type=Path)
    parser.add_argument("--bins", type=int, default=1000)
    parser.add_argument("--bays", type=int, default=100, help="delivery bays")
    parser.add_argument("--spaces", type=int, default=1900, help="parking spaces")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--only", type=lambda text: text.split(","), default=[], help="the first words of addresses")
    return parser.parse_args()


if __name__ == "__main__":
    main()
