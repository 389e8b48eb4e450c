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
import { painted } from "./painted.js";
import * as rounds from "./rounds.js";
import { load, may, retry, whenTroubled } from "./store.js";
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
// What the list in front shows comes first, and the rest once that is seen: a server asked for all at once answers all late.
const first = ["commune", may("bins") ? "bins" : "bays"];
const loaded = load(...first);
const theMap = map.start({ after: loaded.then(painted) });
if (may("plan")) rounds.start();
if (may("bins")) bins.start();
if (may("bays")) bays.start();
if (may("parking")) parking.start(theMap);
figures.start();
whenTroubled(showTrouble);
listen({ onEvent, onLine, onRefused: () => load(...AFFECTED.hello) });
await loaded;
await painted();
load(...AFFECTED.hello.filter((part) => !first.includes(part)));
// A part that is refused too says whether the session is over. Each role sees one of these.
clock.eachMinute(() => later(["bays", "parking"])); // stays go over their limits although nothing new was heard
