// Puts the chef's desk together.

import { calmly } from "../calmly.js";
import * as clock from "../clock.js";
import { showLine } from "../line.js";
import { listen } from "../live.js";
import * as map from "../map.js";
import { painted } from "../painted.js";
import { load, may, retry, whenTroubled } from "../store.js";
import * as tabs from "../tabs.js";
import { showTrouble } from "../trouble.js";
import * as bins from "./bins.js";
import * as closing from "./closing.js";
import { desk, openDay, reload } from "./day.js";
import * as editBar from "./edit_bar.js";
import * as files from "./files.js";
import * as fleet from "./fleet.js";
import * as odd from "./odd.js";
import * as plan from "./plan.js";
import * as sheet from "./sheet.js";
import * as trying from "./trying.js";

const AFFECTED = {
  hello: ["commune", "bins", "forecasts", "alerts", "day"],
  resync: ["commune", "bins", "forecasts", "alerts", "day"],
  readings: ["bins"],
  service_events: ["bins"],
  alerts: ["alerts"],
  forecast: ["bins", "forecasts"],
  plan: ["day"],
};

/** The day is asked for by the commune's clock, so that comes first. */
async function loadAll(parts) {
  await Promise.all([
    load(...parts.filter((part) => part !== "day")),
    parts.includes("day") && may("plan") && clock.now() ? (desk.day ? reload() : openDay()) : null,
  ]);
}

const later = calmly(loadAll);

let begun = false; // all was asked for once; what had no answer then is asked for again

function onLine(line) {
  showLine(line);
  retry(line);
  if (line === "live" && (desk.trouble || (begun && !desk.day))) later(["day"]);
}

function onEvent(kind) {
  if (kind === "hello" || kind === "resync") loadAll(AFFECTED[kind]);
  else if (kind in AFFECTED) later(AFFECTED[kind]);
}

tabs.start();
clock.start();
sheet.start();
let seen;
const theMap = map.start({ after: new Promise((resolve) => { seen = resolve; }) });
bins.start();
odd.start();
if (may("plan")) {
  trying.start();
  plan.start();
  files.start();
}
if (may("edit")) {
  closing.start(theMap);
  editBar.start();
}
whenTroubled(showTrouble);
listen({ onEvent, onLine, onRefused: () => load("bins") });
// The plan of the day is what the desk is opened for; a server that is asked for all at once answers all late.
await load("commune");
if (may("plan")) {
  await loadAll(["day"]);
  await painted();
}
await load("bins");
await painted();
seen();
begun = true;
load("forecasts", "alerts");
fleet.start(plan.atTheDepot);
