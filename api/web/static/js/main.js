// Puts the page together: who shows what, and what is loaded again when something happened.

import * as bays from "./bays.js";
import * as bins from "./bins.js";
import * as clock from "./clock.js";
import { byId, say } from "./dom.js";
import * as figures from "./figures.js";
import { t } from "./i18n.js";
import { showLine } from "./line.js";
import { listen } from "./live.js";
import * as map from "./map.js";
import * as parking from "./parking.js";
import * as rounds from "./rounds.js";
import { load, may, whenTroubled } from "./store.js";
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
const TROUBLES = {
  401: t("La session est terminée. Connectez-vous de nouveau."),
  403: t("Vos rôles ont changé. Rechargez la page."),
  404: t("Cette installation n’a pas encore de données pour cette commune. La page se remplira dès qu’elles arrivent."),
};

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

function trouble(problem) {
  const notice = byId("notice");
  notice.hidden = problem === null;
  if (problem === null) return;
  say("notice", TROUBLES[problem.status] ?? t("Le service ne répond pas. La page montre ce qu’elle sait et réessaie."));
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
if (may("plan")) rounds.start();
if (may("bins")) bins.start();
if (may("bays")) bays.start();
if (may("parking")) parking.start(theMap);
figures.start();
whenTroubled(trouble);
load(...AFFECTED.hello);
// A part that is refused too says whether the session is over. Each role sees one of these.
listen({ onEvent, onLine: showLine, onRefused: () => load("bins", "bays", "intake") });
keepUp();
