// The map itself: its panes, its layers that can be switched, and its way to show one place.

import { byId } from "./dom.js";
import * as dots from "./dots.js";
import { lay } from "./ground.js";
import { t } from "./i18n.js";

const FALLBACK = [[41.3, -5.2], [51.1, 9.6]]; // metropolitan France, until places are known

const FAR_BELOW_ZOOM = 15;

let map = null;
let framed = false;
const groups = {};

/** Make the map in #map and return it; streets are drawn under it `after` something else was seen (a promise). */
export function start({ after = null } = {}) {
  map = L.map("map", { zoomControl: false, maxZoom: 20, zoomSnap: 0.25, wheelPxPerZoomLevel: 90 });
  map.attributionControl.setPrefix(false);
  L.control.zoom({ position: "topleft", zoomInTitle: t("Zoomer"), zoomOutTitle: t("Dézoomer") }).addTo(map);
  L.control.scale({ imperial: false, position: "bottomleft" }).addTo(map);
  map.fitBounds(FALLBACK);
  for (const [name, depth] of Object.entries({ rounds: 410, dots: 420, bays: 610, pins: 620 })) {
    map.createPane(name).style.zIndex = depth;
  }
  for (const name of ["parking", "bins", "rounds", "bays"]) groups[name] = L.layerGroup().addTo(map);
  for (const box of document.querySelectorAll("input[data-layer]")) {
    const group = groups[box.dataset.layer];
    box.addEventListener("change", () => (box.checked ? group.addTo(map) : group.remove()));
  }
  dots.start(map);
  const distance = () => byId("map").classList.toggle("map-far", map.getZoom() < FAR_BELOW_ZOOM);
  map.on("zoomend", distance);
  distance();
  lay(map, { after });
  return map;
}

/** The layer group "bins", "rounds", "bays" or "parking". */
export const group = (name) => groups[name];

/** Show all places once, when the first ones are known. */
export function frame(places) {
  if (framed || places.length === 0) return;
  framed = true;
  map.fitBounds(L.latLngBounds(places.map((place) => [place.latitude_deg, place.longitude_deg])), { padding: [24, 24], animate: false });
}

/** Move to a layer's place and open its popup. */
export function show(layer) {
  byId("map").scrollIntoView({ block: "nearest" }); // on a phone the map is above the lists
  const reduced = matchMedia("(prefers-reduced-motion: reduce)").matches;
  map.setView(layer.getLatLng(), Math.max(map.getZoom(), 16.5), { animate: !reduced });
  layer.openPopup();
}

/** Move to a place. */
export function goTo(place) {
  const reduced = matchMedia("(prefers-reduced-motion: reduce)").matches;
  map.setView([place.latitude_deg, place.longitude_deg], Math.max(map.getZoom(), 16), { animate: !reduced });
}

/** Show a whole line. */
export function showBounds(bounds) {
  map.closePopup();
  map.fitBounds(bounds, { padding: [32, 32], maxZoom: 17 });
}

/**
 * Give a layer a popup. `build(settle)` returns its element when it opens and each time `layer.renewPopup()` is called
 * while it is open; it calls `settle()` after it changed the element's size later on.
 */
export function popup(layer, build) {
  layer.bindPopup("", { maxWidth: 320, minWidth: 264, autoPanPadding: [24, 24] });
  const shown = layer.getPopup();
  const renew = () => shown.setContent(build(() => shown.isOpen() && shown.update()));
  layer.on("popupopen", renew);
  layer.renewPopup = () => shown.isOpen() && renew();
}
