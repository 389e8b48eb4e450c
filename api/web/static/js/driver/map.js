// The map of the round: the way, the stops by their turn, and where the vehicle is. It follows until somebody moves it.

import { make } from "../dom.js";
import { lay } from "../ground.js";
import { t } from "../i18n.js";

const ZOOM = 17;
const SIGNS = { disposal: "E", depot: "D" };
const LINE = { interactive: false, lineJoin: "round", lineCap: "round" };

let map = null;
let layers = null;
let me = null;
let following = true;
let whenLoose = () => {};

/** Draw it in #map. `streets()` gives the ground; `onLoose(loose)` hears whether somebody moved the map away. */
export function start({ streets, onLoose }) {
  map = L.map("map", { zoomControl: false, maxZoom: 20, minZoom: 11, attributionControl: true });
  map.attributionControl.setPrefix(false);
  L.control.zoom({ position: "topleft", zoomInTitle: t("Zoomer"), zoomOutTitle: t("Dézoomer") }).addTo(map);
  map.createPane("way").style.zIndex = 410;
  map.createPane("pins").style.zIndex = 620;
  map.createPane("me").style.zIndex = 640;
  layers = L.layerGroup().addTo(map);
  whenLoose = onLoose;
  map.on("dragstart", () => loosen(true));
  map.setView([48.85, 2.35], 12);
  lay(map, { streets });
  new ResizeObserver(() => map.invalidateSize({ animate: false })).observe(map.getContainer());
}

function loosen(loose) {
  following = !loose;
  whenLoose(loose);
}

/** Show `stops`, the one that is `next`, and what is done; `look(stop)` is "done", "skipped" or "". */
export function draw({ stops, next, look, turnOf }) {
  layers.clearLayers();
  const flat = (way) => way.map(([longitude, latitude]) => [latitude, longitude]);
  const whole = stops.filter((stop) => stop.way && stop.key !== next?.key && !look(stop)).map((stop) => flat(stop.way));
  layers.addLayer(L.polyline(whole, { ...LINE, pane: "way", weight: 5, className: "way-rest" }));
  if (next?.way) {
    layers.addLayer(L.polyline(flat(next.way), { ...LINE, pane: "way", weight: 13, className: "way-casing" }));
    layers.addLayer(L.polyline(flat(next.way), { ...LINE, pane: "way", weight: 8, className: "way-next" }));
  }
  for (const stop of stops) if (stop.key !== next?.key) pin(stop, look(stop), turnOf(stop));
  if (next) pin(next, "next", turnOf(next));
}

function pin(stop, state, turn) {
  if (stop.latitude_deg === null) return;
  const size = state === "next" ? 44 : 26;
  const sign = state === "done" ? "✓" : state === "skipped" ? "✕" : SIGNS[stop.kind] ?? String(turn);
  const icon = L.divIcon({ className: `pin pin-${state || "ahead"}`, html: make("span", {}, sign), iconSize: [size, size] });
  layers.addLayer(L.marker([stop.latitude_deg, stop.longitude_deg], { icon, pane: "pins", keyboard: false, interactive: false }));
}

/** Follow: the vehicle where it is known, otherwise the way to the next stop. */
export function follow(here, next) {
  if (here) {
    const at = [here[1], here[0]];
    if (!me) me = L.marker(at, { icon: L.divIcon({ className: "me", iconSize: [28, 28] }), pane: "me", keyboard: false, interactive: false }).addTo(map);
    me.setLatLng(at);
  } else if (me) {
    me.remove();
    me = null;
  }
  if (!following) return;
  const reduced = matchMedia("(prefers-reduced-motion: reduce)").matches;
  if (here) map.setView([here[1], here[0]], Math.max(map.getZoom(), ZOOM - 1), { animate: !reduced });
  else if (next) showNext(next);
}

function showNext(next) {
  const line = next.way?.length > 1 ? next.way : next.latitude_deg === null ? [] : [[next.longitude_deg, next.latitude_deg]];
  if (line.length === 0) return;
  map.fitBounds(L.latLngBounds(line.map(([longitude, latitude]) => [latitude, longitude])), { padding: [48, 48], maxZoom: ZOOM, animate: false });
}

/** Follow again. */
export function recentre(here, next) {
  loosen(false);
  map.setZoom(ZOOM, { animate: false });
  follow(here, next);
}
