// Live events: listens, says whether the line stands, and comes back after every kind of break: a server that starts
// again, a proxy that gives up, a network that is gone, a laptop that slept, a page that was long in the background.

import { liveAddress } from "./http.js";

const KINDS = ["hello", "resync", "readings", "service_events", "alerts", "checks", "forecast", "plan", "intake"];
const SILENCE_MS = 45_000; // three heartbeats
const RETRY_MS = [1_000, 2_000, 5_000, 10_000, 30_000];
const HIDDEN_MS = 5 * 60_000; // a page that nobody sees gives its place on the server to another
const LOOK_MS = 10_000;

/**
 * Listen for ever, from the moment on when the server made this page (body's data-live, when it says so): what was asked
 * for since then needs not be asked for again. Else `hello` comes first. `onEvent(kind)` for each event; `onLine("live" | "lost" | "slow")` when the line comes or breaks, or
 * the server has no place for one more: then `onEvent("resync")` comes every half minute instead.
 * `onRefused()` when the server does not open it, without saying why: browsers keep the status to themselves.
 */
export function listen({ onEvent, onLine, onRefused = () => {} }) {
  let source = null;
  let heardAt = 0;
  let lastEventId = document.body.dataset.live ?? "";
  let failures = 0;
  let retry = 0;
  let hiddenAt = 0;
  let full = false;

  function close() {
    clearTimeout(retry);
    retry = 0;
    source?.close();
    source = null;
  }

  function open() {
    close();
    heardAt = Date.now();
    const address = new URL(liveAddress);
    // A browser names the last event when it comes back by itself, and forgets it when we do.
    if (lastEventId) address.searchParams.set("last_event_id", lastEventId);
    source = new EventSource(address);
    // A stream that goes on where it was broken may have nothing to say for a while.
    source.addEventListener("open", () => full || onLine("live"));
    source.addEventListener("heartbeat", heard);
    source.addEventListener("full", (event) => {
      heard(event);
      onLine("slow");
      onEvent("resync");
    });
    for (const kind of KINDS) {
      source.addEventListener(kind, (event) => {
        heard(event);
        onEvent(kind);
      });
    }
    source.addEventListener("error", () => {
      onLine(full ? "slow" : "lost"); // a server without a place for us says so and ends the stream
      // The browser comes back by itself, unless the server, or a proxy before it, answered with an error.
      if (source?.readyState !== EventSource.CLOSED) return;
      onRefused();
      later();
    });
  }

  function heard(event) {
    heardAt = Date.now();
    failures = 0;
    full = event.type === "full";
    if (event.lastEventId) lastEventId = event.lastEventId;
    if (!full) onLine("live");
  }

  /** Come back, each time later, and not all pages at the same moment. */
  function later() {
    close();
    onLine("lost");
    const most = RETRY_MS[Math.min(failures, RETRY_MS.length - 1)];
    failures += 1;
    retry = setTimeout(open, most * (0.5 + Math.random() / 2));
  }

  /** Timers stand still while a machine sleeps, and crawl in the background: the clock on the wall does neither. */
  function look() {
    const now = Date.now();
    if (hiddenAt && now - hiddenAt > HIDDEN_MS) close();
    else if (source && now - heardAt > SILENCE_MS) later();
  }

  document.addEventListener("visibilitychange", () => {
    hiddenAt = document.hidden ? Date.now() : 0;
    if (document.hidden) return;
    if (!source || Date.now() - heardAt > SILENCE_MS) open();
  });
  addEventListener("online", open);
  addEventListener("offline", () => onLine("lost"));
  addEventListener("pagehide", close);
  addEventListener("pageshow", (event) => event.persisted && open());
  setInterval(look, LOOK_MS);
  open();
}
