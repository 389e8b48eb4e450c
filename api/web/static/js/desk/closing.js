// A street is closed by drawing along it: by taps on the map, or from the keyboard with the cross in the map's middle.

import { byId, say } from "../dom.js";
import { n, t } from "../i18n.js";
import * as map from "../map.js";
import { add } from "./trying.js";

const LOOK = { pane: "pins", color: "#b3341f", weight: 5, dashArray: "2 9", lineCap: "round", interactive: false };
let points = [];
let sketch = null;
let theMap = null;

export function start(leaflet) {
  theMap = leaflet;
  byId("closing-here").addEventListener("click", () => addPoint(theMap.getCenter()));
  byId("closing-back").addEventListener("click", () => { points.pop(); draw(); });
  byId("closing-done").addEventListener("click", done);
  byId("closing-cancel").addEventListener("click", stop);
}

export function startClosing() {
  points = [];
  byId("closing").hidden = false;
  byId("map").classList.add("map-drawing");
  theMap.on("click", onClick);
  byId("map").scrollIntoView({ block: "nearest" });
  byId("map").focus({ preventScroll: true });
  draw();
}

/** Draw the streets that edits close. */
export function drawClosed(group, edits) {
  for (const edit of edits) {
    if (edit.kind !== "close" || !edit.line) continue;
    group.addLayer(L.polyline(edit.line.map(([longitude, latitude]) => [latitude, longitude]), LOOK));
  }
}

const onClick = (event) => addPoint(event.latlng);

function addPoint(place) {
  points.push(place);
  draw();
}

function draw() {
  sketch?.remove();
  sketch = L.layerGroup([L.polyline(points, LOOK), ...points.map((place) => L.circleMarker(place, { ...LOOK, radius: 5, weight: 2, dashArray: null, fillColor: "#fff", fillOpacity: 1 }))]).addTo(map.group("rounds"));
  byId("closing-done").disabled = points.length < 2;
  byId("closing-back").disabled = points.length === 0;
  say("closing-count", points.length === 0
    ? t("Touchez la rue à ses deux bouts, et à ses coudes. Au clavier : déplacez la carte, puis « Point au centre ».")
    : n("{count} point posé.", "{count} points posés.", points.length));
}

function done() {
  const line = points.map(({ lng, lat }) => [Number(lng.toFixed(6)), Number(lat.toFixed(6))]);
  stop();
  add({ kind: "close", line });
}

function stop() {
  theMap.off("click", onClick);
  sketch?.remove();
  sketch = null;
  byId("map").classList.remove("map-drawing");
  byId("closing").hidden = true;
  byId("close-street").focus();
}
