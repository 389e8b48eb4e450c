// Checks on the map: one canvas, a sign in each mark. A place that a colleague goes to is hollow, one's own is ringed.

import * as map from "../map.js";
import { SIGNS } from "./words.js";

const REACH_PX = 12; // around a mark of 24 px: what a finger hits
const LOOKS = {
  over_limit: { radius: 12, weight: 2, color: "#fff", fillColor: "#b3341f", fillOpacity: 1, ink: "#fff", dashArray: null },
  no_stopping: { radius: 12, weight: 2, color: "#fff", fillColor: "#7c1f10", fillOpacity: 1, ink: "#fff", dashArray: null },
  soon_over: { radius: 11, weight: 2, color: "#fff", fillColor: "#f2c14e", fillOpacity: 1, ink: "#3a2c00", dashArray: null },
  theirs: { radius: 10, weight: 2, color: "#3f4d57", fillColor: "#fff", fillOpacity: 0.92, ink: "#3f4d57", dashArray: "3 3", sign: "C" },
  mine: { radius: 15, weight: 4, color: "#f2c14e", fillColor: "#0d3b47", fillOpacity: 1, ink: "#fff", dashArray: null, sign: "→" },
};

const Mark = L.CircleMarker.extend({
  _updatePath() {
    const renderer = this._renderer;
    renderer._updateCircle(this);
    if (!renderer._drawing || this._empty()) return;
    const context = renderer._ctx;
    context.globalAlpha = 1;
    context.font = `700 ${Math.round(this._radius * 1.35)}px "Liberation Sans", Arial, sans-serif`;
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.fillStyle = this.options.ink;
    context.fillText(this.options.sign, this._point.x, this._point.y + 0.5);
  },
});

const marks = new Map();
let renderer = null;
let onChosen = () => {};

/** Call `chosen(placeId)` when somebody touches a mark. */
export function start(chosen) {
  renderer = L.canvas({ pane: "bays", padding: 0.3, tolerance: REACH_PX });
  onChosen = chosen;
}

/** Show these places: `[{place_id, longitude_deg, latitude_deg, look}]`, `look` being a reason, "theirs" or "mine". */
export function draw(places) {
  const present = new Set(places.map((place) => place.place_id));
  for (const [placeId, mark] of marks) {
    if (present.has(placeId)) continue;
    mark.remove();
    marks.delete(placeId);
  }
  for (const place of places) {
    const known = marks.get(place.place_id);
    if (known?.look === place.look) continue;
    const style = { sign: SIGNS[place.look], ...LOOKS[place.look] };
    if (known) {
      known.setRadius(style.radius);
      known.setStyle(style);
      known.look = place.look;
      continue;
    }
    const mark = new Mark([place.latitude_deg, place.longitude_deg], { renderer, pane: "bays", ...style });
    mark.look = place.look;
    mark.on("click", () => onChosen(place.place_id));
    mark.addTo(map.group("bays"));
    marks.set(place.place_id, mark);
  }
}
