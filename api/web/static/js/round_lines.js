// Rounds on the map: a line a vehicle, the chosen one's stops by their turn, depots and disposal sites.

import { make } from "./dom.js";
import { clockTime, litres } from "./format.js";
import { t } from "./i18n.js";
import * as map from "./map.js";
import { roundClass, roundColour } from "./palette.js";
import { reasonIn } from "./reasons.js";

export const KIND_WORDS = { depot: t("Dépôt"), disposal: t("Vidage à l’exutoire"), break: t("Pause") };
const SITE_SIGNS = { depot: "D", disposal: "E" };

/**
 * Draw a plan's rounds in `group`, in the place of what it has; `chosen` is the index of the one that stands out, or
 * null. `onStop(stop)`, when told, is called for a stop's pin in the place of its popup. Returns each line's bounds.
 */
export function drawRounds(group, plan, { chosen, onStop = null }) {
  group.clearLayers();
  const lines = [];
  for (const route of plan.routes) {
    const places = route.stops.filter((stop) => stop.latitude_deg !== null);
    const way = route.geometry
      ? route.geometry.coordinates.map(([longitude, latitude]) => [latitude, longitude])
      : places.map((stop) => [stop.latitude_deg, stop.longitude_deg]);
    if (way.length < 2) continue;
    const dim = chosen !== null && chosen !== route.route_index;
    const common = { pane: "rounds", interactive: false, lineJoin: "round", lineCap: "round" };
    group.addLayer(L.polyline(way, { ...common, color: "#fff", weight: 6, opacity: dim ? 0.2 : 0.9, className: "round-casing" }));
    const line = L.polyline(way, { ...common, color: roundColour(route.route_index), weight: 3.2, opacity: dim ? 0.2 : 0.9, className: "round-line", dashArray: route.geometry ? null : "6 6" });
    group.addLayer(line);
    lines.push({ index: route.route_index, bounds: line.getBounds() });
    if (chosen === route.route_index) for (const pin of pins(route, onStop)) group.addLayer(pin);
  }
  for (const site of sites(plan)) group.addLayer(site);
  return lines;
}

function pins(route, onStop) {
  let turn = 0;
  return route.stops.filter((stop) => stop.kind === "bin" && stop.latitude_deg !== null).map((stop) => {
    turn += 1;
    const order = turn;
    const icon = L.divIcon({ className: `stop-pin ${roundClass(route.route_index)}`, html: String(order), iconSize: [20, 20] });
    const pin = L.marker([stop.latitude_deg, stop.longitude_deg], { icon, pane: "pins", keyboard: false });
    if (onStop) pin.on("click", () => onStop(stop));
    else map.popup(pin, () => stopCard(stop, order, route));
    return pin;
  });
}

function sites(plan) {
  const found = new Map();
  for (const route of plan.routes) {
    for (const stop of route.stops) {
      if (stop.kind in SITE_SIGNS && stop.latitude_deg !== null) found.set(`${stop.kind} ${stop.latitude_deg} ${stop.longitude_deg}`, stop);
    }
  }
  return [...found.values()].map((stop) => {
    const icon = L.divIcon({ className: "site-pin", html: SITE_SIGNS[stop.kind], iconSize: [24, 24] });
    const pin = L.marker([stop.latitude_deg, stop.longitude_deg], { icon, pane: "pins", keyboard: false, title: KIND_WORDS[stop.kind] });
    map.popup(pin, () => make("div", { class: "card" }, make("h4", {}, stop.kind === "depot" ? t("Dépôt") : t("Exutoire")), make("p", { class: "card-place" }, stop.place_id ?? "")));
    return pin;
  });
}

function stopCard(stop, turn, route) {
  return make("div", { class: "card" },
    make("h4", {}, `${turn}. ${stop.place_id}`),
    make("p", { class: "card-place" }, t("{vehicle}, passage à {time}.", { vehicle: route.vehicle_name, time: clockTime(stop.arrive_at) })),
    stop.reason && reasonIn("p", { class: "why" }, stop.reason),
    make("dl", {}, make("dt", {}, t("Charge après")), make("dd", {}, litres(stop.load_l))));
}
