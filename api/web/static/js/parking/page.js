// The page for drivers. Without scripts its form works by itself; here it answers at once, follows what changes and
// shows a map. The place where somebody is never goes into the address or the history, and nothing is kept.

import { byId, say } from "../dom.js";
import { t } from "../i18n.js";
import { drivingMinutes, whereIAm } from "./here.js";
import * as places from "./places.js";
import * as suggestions from "../suggestions.js";
import { show, start } from "./spots_map.js";

const form = byId("form");
const near = byId("near");
let point = null; // where to, when it is known as a point; in memory alone
let mine = false; // whether that is where somebody is

/** The query of what the form says now. */
function asked() {
  const query = new URLSearchParams(new FormData(form));
  if (mine) query.delete("near");
  if (point) {
    query.set("lon", point.lon);
    query.set("lat", point.lat);
  }
  return query;
}

async function ask({ remember }) {
  const query = asked();
  if (remember && !mine) history.pushState(null, "", `?${query}`);
  shown = location.search;
  await places.ask(query, { announce: true });
}

function goTo(destination) {
  near.value = destination.name;
  point = { lon: destination.longitude_deg, lat: destination.latitude_deg };
  mine = false;
  ask({ remember: true });
}

async function nearMe() {
  const button = byId("here");
  button.disabled = true;
  say("said", t("Recherche de votre position…"));
  try {
    point = await whereIAm();
    mine = true;
    near.value = "";
    suggestions.close();
    byId("at").value = "0";
    await ask({ remember: false });
  } catch (error) {
    places.trouble(error.message);
  } finally {
    button.disabled = false;
  }
}

/** How long the way takes is computed here: where somebody is does not leave the device. */
async function fromHere() {
  const { lon, lat } = byId("answer").dataset;
  if (!lon) return;
  say("from-here-said", t("Recherche de votre position…"));
  try {
    const { minutes, words } = drivingMinutes(await whereIAm(), { lon: Number(lon), lat: Number(lat) });
    setArrival(minutes);
    say("from-here-said", words);
    await ask({ remember: true });
  } catch (error) {
    say("from-here-said", error.message);
  }
}

function setArrival(minutes) {
  const select = byId("at");
  if (![...select.options].some((option) => Number(option.value) === minutes)) {
    const after = [...select.options].find((option) => Number(option.value) > minutes) ?? null;
    select.add(new Option(t("dans {minutes} min", { minutes }), String(minutes)), after);
  }
  select.value = String(minutes);
}

function afterAnswer() {
  const { lon } = byId("answer").dataset;
  byId("from-here-row").hidden = !lon || mine || !navigator.geolocation;
  show();
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  suggestions.close();
  ask({ remember: true });
});
for (const name of ["vehicle", "at"]) {
  for (const field of form.querySelectorAll(`[name="${name}"]`)) field.addEventListener("change", () => ask({ remember: true }));
}
// What is typed is not the point any more that was chosen before.
near.addEventListener("input", () => {
  point = null;
  mine = false;
});
// A link within the page changes the history, too, and asks for nothing.
let shown = location.search;
addEventListener("popstate", () => location.search !== shown && location.reload());

if (navigator.geolocation) {
  byId("here").hidden = false;
  byId("here").addEventListener("click", nearMe);
  byId("from-here").addEventListener("click", fromHere);
}
const { searchParams } = new URL(location.href);
if (searchParams.has("lon") && searchParams.has("lat")) point = { lon: searchParams.get("lon"), lat: searchParams.get("lat") };
suggestions.start(near, byId("suggestions"), goTo);
places.start({ query: asked, onAnswer: afterAnswer });
start();
afterAnswer();
