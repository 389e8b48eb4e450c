// Dots on one canvas: a filled dot for what was measured, a dot with a white heart for what was predicted.
// Sizes follow the zoom, so that a whole town does not become one blot.

const REFERENCE_ZOOM = 16;

const Dot = L.CircleMarker.extend({
  // Leaflet's canvas draws a circle here; the heart is the only thing added to it.
  _updatePath() {
    const renderer = this._renderer;
    renderer._updateCircle(this);
    if (!this.options.heart || !renderer._drawing || this._empty()) return;
    const context = renderer._ctx;
    context.globalAlpha = 1;
    context.beginPath();
    context.arc(this._point.x, this._point.y, this._radius * this.options.heart, 0, 2 * Math.PI);
    context.fillStyle = "#fff";
    context.fill();
  },
});

// A zoom ends with a drawing of everything: what is drawn then is changed without a second one.
Dot.include({
  scaleTo(radius) {
    this.options.radius = this._radius = radius;
    if (this._map) this._updateBounds();
  },
});

const all = new Set();
let map = null;
let renderer = null;
let factor = 1;

/** Draw dots on `mapObject`, in its pane "dots". One canvas for all: a second one above would take its clicks. */
export function start(mapObject) {
  map = mapObject;
  renderer = L.canvas({ pane: "dots", padding: 0.3, tolerance: 4 });
  map.on("zoomend", scale);
  scale();
}

/** Make a dot for a place; `look` has Leaflet's path options, a `size` in pixels and a `heart` (0 to 1). */
export function dot(place, look) {
  const made = new Dot([place.latitude_deg, place.longitude_deg], { renderer, pane: "dots", ...look, radius: look.size * factor });
  all.add(made);
  return made;
}

/** Change how a dot looks. */
export function change(made, look) {
  made.setStyle({ ...look, radius: look.size * factor });
}

/** Take a dot away for good. */
export function forget(made) {
  made.remove();
  all.delete(made);
}

function scale() {
  factor = Math.min(1.25, Math.max(0.6, 1 + (map.getZoom() - REFERENCE_ZOOM) * 0.2));
  for (const each of all) each.scaleTo(each.options.size * factor);
}
