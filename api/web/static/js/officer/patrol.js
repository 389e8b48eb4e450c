// A patrol on foot: proposed for the minutes there are, drawn with its order, and followed: what is closed or left makes
// the next one ours.

import { byId, make, say } from "../dom.js";
import { clockTime, duration, kilometres } from "../format.js";
import { get, Problem } from "../http.js";
import { n, t } from "../i18n.js";
import * as map from "../map.js";
import { why } from "../refused.js";
import * as card from "./card.js";
import { choices, holder, position, start as from } from "./known.js";
import { CAUSES, idOf, nameOf, reasonOnArrival, sureMark, walkOf } from "./words.js";

let theMap = null;
let proposed = null;
let current = -1; // the stop that is ours; -1: not begun
const ended = new Map(); // by place: how

export function start(mapObject) {
  theMap = mapObject;
  byId("patrol-form").addEventListener("submit", (event) => {
    event.preventDefault();
    ask();
  });
}

async function ask() {
  complain("");
  if (!from) {
    complain(t("Dites d’abord d’où vous partez : « Près de moi », ou d’ailleurs."));
    byId("from-me").focus();
    return;
  }
  const form = new FormData(byId("patrol-form"));
  const button = byId("patrol-ask");
  button.disabled = true;
  say("patrol-ask", t("Recherche de la meilleure marche…"));
  try {
    proposed = await get("/checks/patrol", {
      ...position(), holder_id: holder, minutes: form.get("minutes"), back: form.has("back"),
      aim: form.has("worth") ? "worth" : "checks", ...(choices().kind ? { kind: choices().kind } : {}),
    });
    current = -1;
    ended.clear();
    draw();
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    complain(error.status === 503 ? t("Ce serveur ne propose pas de patrouille. La liste dit ce qui vaut la marche.")
      : error.status === 0 ? t("Pas de réseau : demandez de nouveau quand il revient.")
        : t("Pas de patrouille cette fois : {detail}", { detail: why(error) }));
  } finally {
    button.disabled = false;
    say("patrol-ask", proposed ? t("Proposer une autre patrouille") : t("Proposer une patrouille"));
  }
}

function complain(words) {
  say("patrol-problem", words);
  byId("patrol-problem").hidden = !words;
}

/** Whether a patrol is under way. */
const isUnderWay = () => proposed !== null && current >= 0 && current < proposed.stops.length;

/** Something of a place ended, with `how` ("gone", …, "left", "taken"): the patrol goes on to its next stop. */
export async function after(placeId, how) {
  if (!proposed?.stops.some((stop) => stop.place_id === placeId)) return;
  ended.set(placeId, how);
  if (isUnderWay() && proposed.stops[current].place_id === placeId) await goOn(current + 1);
  else draw();
}

async function goOn(index) {
  let at = index;
  while (at < proposed.stops.length && ended.has(proposed.stops[at].place_id)) at += 1;
  current = at;
  draw();
  if (at < proposed.stops.length) await take(proposed.stops[at]);
  else say("announcer", t("La patrouille est terminée."));
}

/** Go to a stop; once it is ours nothing asks to take it any more. */
async function take(stop) {
  await card.go(stop.place_id);
  draw();
}

function draw() {
  const { stops } = proposed;
  drawOnMap();
  if (!stops.length) {
    byId("patrol").replaceChildren(make("p", { class: "empty" }, t("Aucun contrôle ne vaut la marche en si peu de temps. Donnez-vous plus de minutes, ou partez d’ailleurs.")));
    return;
  }
  byId("patrol").replaceChildren(
    make("p", { class: "patrol-sum" }, make("b", {}, n("{count} contrôle", "{count} contrôles", stops.length)), ` · ${duration(proposed.total_s)} · ${kilometres(proposed.walk_m)}`),
    make("p", { class: "note" }, n("À peu près {count} sera fondé.", "À peu près {count} seront fondés.", Math.round(proposed.expected_checks)), " ",
      t("Fin vers {time}.", { time: clockTime(proposed.ends_at) }), " ",
      proposed.travel_source.startsWith("osrm") ? t("Marche par les rues.") : t("Marche estimée à 1,3 fois la ligne droite : le trait ne suit pas les rues.")),
    ...controls(),
    make("ol", { class: "patrol-stops" }, ...stops.map(stopRow)));
}

function controls() {
  if (current < 0) return [make("button", { type: "button", class: "button primary wide", id: "patrol-go", onclick: () => goOn(0) }, t("Commencer : prendre le premier"))];
  if (!isUnderWay()) return [make("p", { class: "note" }, t("La patrouille est terminée."))];
  const stop = proposed.stops[current];
  if (card.placeOf(stop.place_id)?.held?.mine) return [];
  return [
    make("button", { type: "button", class: "button primary wide", onclick: () => take(stop) }, t("Prendre {place}", { place: nameOf(stop) })),
    make("button", { type: "button", class: "button wide", onclick: () => after(stop.place_id, "left") }, t("Passer au suivant")),
  ];
}

function stopRow(stop, index) {
  const how = ended.get(stop.place_id);
  const state = how ? "done" : index === current ? "now" : "";
  return make("li", { class: `patrol-stop ${state}`, "aria-current": index === current && !how ? "step" : null },
    make("span", { class: "patrol-walk" }, walkOf(stop), stop.wait_s ? t(", {duration} d’attente", { duration: duration(stop.wait_s) }) : ""),
    make("button", { type: "button", class: "check", "data-place": stop.place_id, onclick: () => card.open(stop.place_id) },
      make("span", { class: "pin", "aria-hidden": true }, how ? "✓" : String(index + 1)),
      make("span", { class: "check-name" }, nameOf(stop), make("small", {}, idOf(stop))),
      make("span", { class: "check-walk" }, clockTime(stop.arrival_at)),
      make("span", { class: "check-why" }, how ? endOf(how) : reasonOnArrival(stop)),
      how ? null : make("span", { class: "check-since" }, sureMark(stop.chance))));
}

function endOf(how) {
  if (how === "left") return t("Laissé");
  return CAUSES[how]?.title ?? how;
}

function drawOnMap() {
  const group = map.group("rounds");
  group.clearLayers();
  if (!proposed.stops.length) return;
  const points = way();
  const line = { pane: "rounds", interactive: false, lineJoin: "round", lineCap: "round" };
  group.addLayer(L.polyline(points, { ...line, color: "#fff", weight: 7, opacity: 0.9 }));
  group.addLayer(L.polyline(points, { ...line, color: "#0b6b7d", weight: 3.5, dashArray: proposed.geometry ? null : "2 8", className: "patrol-line" }));
  proposed.stops.forEach((stop, index) => {
    const how = ended.has(stop.place_id) ? "done" : index === current ? "now" : "";
    const icon = L.divIcon({ className: `patrol-pin ${how}`, html: String(index + 1), iconSize: [28, 28] });
    const pin = L.marker([stop.latitude_deg, stop.longitude_deg], { icon, pane: "pins", keyboard: false });
    pin.on("click", () => card.open(stop.place_id));
    group.addLayer(pin);
  });
  if (current < 0) frame();
}

/** The way along the streets, or from place to place where these are not known. */
function way() {
  if (proposed.geometry) return proposed.geometry.coordinates.map(([longitude, latitude]) => [latitude, longitude]);
  return [proposed.position, ...proposed.stops, ...(proposed.back ? [proposed.position] : [])].map((each) => [each.latitude_deg, each.longitude_deg]);
}

/** Show the whole patrol; returns whether there is one. A map that is not seen has no size to fit it into. */
export function frame() {
  if (!proposed?.stops.length) return false;
  const places = [proposed.position, ...proposed.stops];
  if (byId("map").offsetWidth) theMap.fitBounds(L.latLngBounds(places.map((each) => [each.latitude_deg, each.longitude_deg])), { padding: [40, 40], maxZoom: 17, animate: false });
  return true;
}
