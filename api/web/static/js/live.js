// Live events: listens, says whether the line stands, and comes back after every kind of break.

import { liveAddress } from "./http.js";

const KINDS = ["hello", "resync", "readings", "service_events", "forecast", "plan"];
const SILENCE_MS = 45_000; // three heartbeats
const RETRY_MS = 3_000;

/**
 * Listen for ever. `onEvent(kind)` for each event; `onLine("live" | "lost")` when the line comes or breaks;
 * `onRefused()` when the server does not open it, without saying why: browsers keep the status to themselves.
 */
export function listen({ onEvent, onLine, onRefused }) {
  let source = null;
  let watchdog = 0;
  let retry = 0;

  function heard() {
    clearTimeout(watchdog);
    watchdog = setTimeout(reopen, SILENCE_MS);
  }

  function reopen() {
    source?.close();
    clearTimeout(watchdog);
    clearTimeout(retry);
    onLine("lost");
    retry = setTimeout(open, RETRY_MS);
  }

  function open() {
    source = new EventSource(liveAddress);
    heard();
    source.addEventListener("open", () => onLine("live"));
    source.addEventListener("heartbeat", heard);
    for (const kind of KINDS) {
      source.addEventListener(kind, () => {
        heard();
        onLine("live");
        onEvent(kind);
      });
    }
    source.addEventListener("error", () => {
      onLine("lost");
      // The browser reconnects by itself, with the id of the last event, unless the server answered with an error.
      if (source.readyState !== EventSource.CLOSED) return;
      onRefused();
      reopen();
    });
  }

  open();
}
