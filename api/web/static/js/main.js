// Puts the page together: who shows what, and what is loaded again when something happened.

import * as bays from "./bays.js";
import * as bins from "./bins.js";
import * as clock from "./clock.js";
import { byId, say } from "./dom.js";
import * as figures from "./figures.js";
import { listen } from "./live.js";
import * as map from "./map.js";
import * as parking from "./parking.js";
import * as rounds from "./rounds.js";
import { load, whenTroubled } from "./store.js";
import * as tabs from "./tabs.js";

const AFFECTED = {
  hello: ["commune", "bins", "plan", "bays", "parking", "intake"],
  resync: ["commune", "bins", "plan", "bays", "parking", "intake"],
  readings: ["bins", "bays", "parking", "intake"],
  service_events: ["bins"],
  forecast: ["bins"],
  plan: ["plan"],
};
const CALM_MS = 1_500; // readings come several times a second; nobody reads faster than this
const LINES = { live: "En direct", lost: "Reconnexion…" };

const waiting = new Set();
let timer = 0;

function later(parts) {
  for (const part of parts) waiting.add(part);
  if (timer) return;
  timer = setTimeout(async () => {
    const now = [...waiting];
    waiting.clear();
    await load(...now);
    timer = 0;
    if (waiting.size) later([]);
  }, CALM_MS);
}

function onEvent(kind) {
  if (kind === "hello" || kind === "resync") load(...AFFECTED[kind]);
  else later(AFFECTED[kind]);
}

function onLine(state) {
  byId("line").dataset.state = state;
  say("line-text", LINES[state]);
}

function trouble(problem) {
  const notice = byId("notice");
  notice.hidden = problem === null;
  if (problem === null) return;
  say("notice", problem.status === 404
    ? "Cette installation n’a pas encore de données pour cette commune. La page se remplira dès qu’elles arrivent."
    : "Le service ne répond pas. La page montre ce qu’elle sait et réessaie.");
}

/** States change with time alone too: a stay goes over its limit although nothing new was heard. */
function keepUp() {
  const wait = Math.min(60_000, Math.max(5_000, 60_000 / clock.rate()));
  setTimeout(() => {
    if (!document.hidden) later(["bays", "parking"]);
    keepUp();
  }, wait);
}

tabs.start();
clock.start();
const theMap = map.start();
rounds.start();
bins.start();
bays.start();
parking.start(theMap);
figures.start();
whenTroubled(trouble);
load(...AFFECTED.hello);
listen({ onEvent, onLine });
keepUp();
