// Puts the page together: who shows what, and what is loaded again when something happened.

import * as bays from "./bays.js";
import * as bins from "./bins.js";
import { calmly } from "./calmly.js";
import * as clock from "./clock.js";
import * as figures from "./figures.js";
import { showLine } from "./line.js";
import { listen } from "./live.js";
import * as map from "./map.js";
import * as parking from "./parking.js";
import * as rounds from "./rounds.js";
import { known, load, may, retry, whenTroubled } from "./store.js";
import * as tabs from "./tabs.js";
import { showTrouble } from "./trouble.js";

const AFFECTED = {
  hello: ["commune", "bins", "plan", "bays", "parking", "intake"],
  resync: ["commune", "bins", "plan", "bays", "parking", "intake"],
  readings: ["bins", "bays", "parking", "intake"],
  service_events: ["bins"],
  forecast: ["bins"],
  plan: ["plan"],
};

const LINE_PATIENCE_MS = 1_500;

const later = calmly((parts) => load(...parts));

function onEvent(kind) {
  if (kind === "hello" || kind === "resync") load(...AFFECTED[kind]);
  else if (kind in AFFECTED) later(AFFECTED[kind]);
}

function onLine(line) {
  showLine(line);
  retry(line);
}

tabs.start();
clock.start();
const theMap = map.start();
if (may("plan")) rounds.start();
if (may("bins")) bins.start();
if (may("bays")) bays.start();
if (may("parking")) parking.start(theMap);
figures.start();
whenTroubled(showTrouble);
// All is loaded when the line stands, since what was loaded before could miss what happened until then; without waiting
// for ever, since what stands between may hold a stream back.
setTimeout(() => known.commune ?? load(...AFFECTED.hello), LINE_PATIENCE_MS);
// A part that is refused too says whether the session is over. Each role sees one of these.
listen({ onEvent, onLine, onRefused: () => load(...AFFECTED.hello) });
clock.eachMinute(() => later(["bays", "parking"])); // stays go over their limits although nothing new was heard
