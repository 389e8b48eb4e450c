// Puts the officer's page together: who shows what, and what is loaded again when something happened.

import { calmly } from "../calmly.js";
import * as clock from "../clock.js";
import { byId, say } from "../dom.js";
import { get, Problem } from "../http.js";
import { showLine } from "../line.js";
import { listen } from "../live.js";
import * as map from "../map.js";
import { painted } from "../painted.js";
import { known, load, retry, whenLoaded, whenTroubled } from "../store.js";
import * as tabs from "../tabs.js";
import { showTrouble } from "../trouble.js";
import * as card from "./card.js";
import * as closing from "./closing.js";
import * as from from "./from.js";
import { start as started, whenAskedOtherwise } from "./known.js";
import * as list from "./list.js";
import * as marks from "./marks.js";
import * as mine from "./mine.js";
import * as patrol from "./patrol.js";
import * as sending from "./sending.js";
import * as team from "./team.js";
import * as view from "./view.js";

const AFFECTED = {
  hello: ["commune", "checks", "held", "log"],
  resync: ["commune", "checks", "held", "log"],
  readings: ["checks"],
  checks: ["checks", "held", "log"],
};

const later = calmly((parts) => load(...parts));

function onEvent(kind) {
  if (kind === "hello" || kind === "resync") load(...AFFECTED[kind]);
  else later(AFFECTED[kind] ?? []);
}

function onLine(state) {
  showLine(state);
  retry(state);
  if (state === "live") sending.retry();
}

function draw() {
  const held = known.held?.places ?? [];
  const byPlace = new Map(held.map((place) => [place.place_id, place]));
  for (const check of known.checks?.checks ?? []) byPlace.set(check.place_id, { ...check, held: byPlace.get(check.place_id)?.held ?? check.held });
  marks.draw([...byPlace.values()].map((place) => ({ ...place, look: place.held ? (place.held.mine ? "mine" : "theirs") : place.reason })));
}

let here = null;
function drawStart() {
  here?.remove();
  here = null;
  if (!started) return;
  say("from-words", started.words);
  const icon = L.divIcon({ className: "here-pin", iconSize: [22, 22] });
  here = L.marker([started.latitude_deg, started.longitude_deg], { icon, pane: "pins", keyboard: false, interactive: false }).addTo(theMap);
}

/** Frame what there is to check, once there is a map to be seen; where there is nothing, the commune's bays. */
async function frame() {
  if (!known.checks || !byId("map").offsetWidth) return;
  if (started) return void theMap.setView([started.latitude_deg, started.longitude_deg], Math.max(theMap.getZoom(), 16), { animate: false });
  if (known.checks.checks.length) return map.frame(known.checks.checks);
  try {
    const { delivery_bays: bays } = await get("/delivery-bays");
    map.frame(bays);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
  }
}

tabs.start();
clock.start();
const loaded = load("commune", "checks");
const theMap = map.start({ after: loaded.then(painted) });
let framed = false;
view.start(theMap, () => patrol.frame() || frame());
marks.start(card.open);
list.start(card.open);
card.start({
  taken: (placeId) => mine.focus(placeId),
  left: (placeId) => patrol.after(placeId, "left"),
});
closing.start((placeId, cause) => {
  mine.draw();
  patrol.after(placeId, cause);
});
mine.start();
team.start(card.open);
patrol.start(theMap);
from.start(theMap);
sending.start(() => load("checks", "held", "log"));
whenAskedOtherwise(drawStart);
whenLoaded("checks", () => {
  draw();
  if (!framed) frame();
  framed = true;
});
whenLoaded("held", draw);
whenTroubled(showTrouble);
document.addEventListener("visibilitychange", () => !document.hidden && load(...AFFECTED.hello));
listen({ onEvent, onLine, onRefused: () => load("held") });
loaded.then(painted).then(() => load("held", "log"));
clock.eachMinute(() => later(["checks", "held"])); // stays go over their limits and takes end although nothing new was heard
