// The rounds of the plan: one colour a vehicle, every stop with its reason, and what was left for another day.

import { showBin } from "./bins.js";
import { byId, keepFocus, make, say } from "./dom.js";
import { clockTime, dayName, duration, kilometres, litres } from "./format.js";
import { get } from "./http.js";
import { n, t } from "./i18n.js";
import * as map from "./map.js";
import { roundClass, roundColour } from "./palette.js";
import { known, whenLoaded } from "./store.js";

const KIND_WORDS = { depot: t("Dépôt"), disposal: t("Vidage à l’exutoire"), break: t("Pause") };
const SITE_SIGNS = { depot: "D", disposal: "E" };
let chosen = null;
let lines = [];

export function start() {
  whenLoaded("plan", (plan) => {
    chosen = null;
    list(plan);
    draw(plan);
    leftOut(plan);
  });
  byId("left-out").addEventListener("toggle", listLeftOut);
}

function list(plan) {
  say("rounds-title", t("Tournées du {day}", { day: dayName(plan.service_date) }));
  say("rounds-lead", n("{count} corbeille, {distance}, plan vérifié de façon indépendante.", "{count} corbeilles, {distance}, plan vérifié de façon indépendante.", plan.bin_count, { distance: kilometres(plan.distance_m) }));
  byId("round-list").replaceChildren(...plan.routes.map((route) => item(plan, route)));
}

function item(plan, route) {
  const open = chosen === route.route_index;
  const name = `round-stops-${route.route_index}`;
  const element = make("li", { class: `round ${roundClass(route.route_index)}` },
    make("button", { type: "button", "aria-expanded": open, "aria-controls": name, "data-place": `round-${route.route_index}`, onclick: () => choose(plan, route) },
      make("span", { class: "round-swatch", "aria-hidden": true }, String(route.route_index + 1)),
      make("span", { class: "round-name" }, route.vehicle_name),
      make("span", { class: "round-hours" }, `${clockTime(route.start_at)} – ${clockTime(route.end_at)}`),
      make("span", { class: "round-note" }, [n("{count} corbeille", "{count} corbeilles", route.bin_count), kilometres(route.distance_m), duration(route.duration_s)].join(" · "))));
  if (open) {
    element.append(make("ol", { class: "stops", id: name }, ...route.stops.map((stop) => make("li", {},
      make("button", { class: "stop", type: "button", onclick: () => stop.kind === "bin" && showBin(stop.place_id) },
        make("time", { datetime: stop.arrive_at }, clockTime(stop.arrive_at)),
        make("span", { class: "stop-name" }, stop.kind === "bin" ? stop.place_id : KIND_WORDS[stop.kind]),
        stop.reason && make("span", { class: "stop-reason", lang: "fr" }, stop.reason.text))))));
  }
  return element;
}

function choose(plan, route) {
  chosen = chosen === route.route_index ? null : route.route_index;
  const rows = plan.routes.map((each) => item(plan, each));
  keepFocus(byId("round-list"), rows, "");
  draw(plan);
  const line = lines.find((each) => each.index === chosen);
  if (line) map.showBounds(line.bounds);
}

function draw(plan) {
  const group = map.group("rounds");
  group.clearLayers();
  lines = [];
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
    if (chosen === route.route_index) for (const pin of pins(route)) group.addLayer(pin);
  }
  for (const site of sites(plan)) group.addLayer(site);
}

function pins(route) {
  let turn = 0;
  return route.stops.filter((stop) => stop.kind === "bin" && stop.latitude_deg !== null).map((stop) => {
    turn += 1;
    const order = turn;
    const icon = L.divIcon({ className: `stop-pin ${roundClass(route.route_index)}`, html: String(order), iconSize: [20, 20] });
    const pin = L.marker([stop.latitude_deg, stop.longitude_deg], { icon, pane: "pins", keyboard: false });
    map.popup(pin, () => stopCard(stop, order, route));
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
    stop.reason && make("p", { class: "why", lang: "fr" }, stop.reason.text),
    make("dl", {}, make("dt", {}, t("Charge après")), make("dd", {}, litres(stop.load_l))));
}

function leftOut(plan) {
  const details = byId("left-out");
  details.hidden = plan.left_out_count === 0;
  say("left-out-title", n("{count} corbeille pour un autre jour", "{count} corbeilles pour un autre jour", plan.left_out_count));
  byId("left-out-list").replaceChildren();
  if (details.open) listLeftOut();
}

async function listLeftOut() {
  const listElement = byId("left-out-list");
  if (!byId("left-out").open || listElement.childElementCount) return;
  const { left_out: items } = await get(`/plans/${known.plan.plan_id}/left-out`);
  listElement.replaceChildren(...items.map((entry) => make("li", {},
    make("button", { class: "row", type: "button", "data-place": entry.place_id, onclick: () => showBin(entry.place_id) },
      make("span", { class: "row-name" }, entry.place_id),
      make("span", { class: "row-note", lang: "fr" }, entry.reason.text)))));
}
