// The places on a map, made from the list: what the list does not say is not on the map.

import { byId, make } from "../dom.js";
import { t } from "../i18n.js";
import * as map from "../map.js";

const LOOKED_AT_MS = 2_500;
const CLOSE_ZOOM = 17;
const ABOVE = { free: 3000, likely: 2000, maybe: 1000 }; // where signs overlap, the better place is seen

let theMap = null;
let layer = null;
let framed = "";

/** Make the map. */
export function start() {
  theMap = map.start();
  layer = L.layerGroup().addTo(theMap);
}

/** Show the list's places, and move there when they are others' than before. */
export function show() {
  layer.clearLayers();
  const answer = byId("answer");
  const spots = [...answer.querySelectorAll(".spot")];
  const where = (data) => [Number(data.lat), Number(data.lon)];
  for (const spot of spots) layer.addLayer(marker(spot, where(spot.dataset)));
  const bounds = L.latLngBounds(spots.map((spot) => where(spot.dataset)));
  if (answer.dataset.lon) {
    const to = where(answer.dataset);
    bounds.extend(to);
    layer.addLayer(L.marker(to, {
      icon: L.divIcon({ className: "destination", html: "", iconSize: [22, 22] }), pane: "pins", keyboard: false,
      title: t("Destination"), zIndexOffset: -1000,
    }));
  }
  const frame = `${answer.dataset.lon} ${answer.dataset.lat}`;
  if (frame === framed || !bounds.isValid()) return;
  framed = frame;
  theMap.fitBounds(bounds, { padding: [48, 48], maxZoom: CLOSE_ZOOM, animate: false });
}

function marker(spot, point) {
  const { mark, verdict } = spot.dataset;
  const icon = L.divIcon({
    className: "", iconSize: [44, 44],
    html: make("span", { class: `badge badge-${verdict}` }, make("span", {}, mark)),
  });
  const made = L.marker(point, { icon, pane: "pins", keyboard: false, zIndexOffset: ABOVE[verdict] ?? 0, title: spot.querySelector(".spot-name").textContent });
  made.on("click", () => lookAt(spot));
  return made;
}

function lookAt(spot) {
  const reduced = matchMedia("(prefers-reduced-motion: reduce)").matches;
  spot.scrollIntoView({ block: "center", behavior: reduced ? "auto" : "smooth" });
  spot.classList.add("looked-at");
  setTimeout(() => spot.classList.remove("looked-at"), LOOKED_AT_MS);
}
