// Bins: dots coloured by fill whose shape says where the figure comes from, and the list of the fullest.

import { bar, card, fillOf, look, provenance } from "./bin_looks.js";
import { byId, keepFocus, make, say } from "./dom.js";
import * as dots from "./dots.js";
import { lower, number, percent } from "./format.js";
import { n, t } from "./i18n.js";
import * as map from "./map.js";
import { painted } from "./painted.js";
import { stopOf } from "./stops.js";
import { known, whenLoaded } from "./store.js";

const LISTED = 30;
const SOURCES = ["measured", "declared", "predicted", "unknown"];
const markers = new Map();

export function start() {
  whenLoaded("bins", list);
  whenLoaded("bins", () => painted().then(() => draw(known.bins))); // a thousand marks come after the list that is waited for
  byId("bin-search").addEventListener("input", () => known.bins && list(known.bins));
}

/** Show one bin on the map; false when there is no such bin. */
export function showBin(placeId) {
  const marker = markers.get(placeId);
  if (marker) map.show(marker);
  return Boolean(marker);
}

function draw({ bins }) {
  const present = new Set();
  for (const bin of bins) {
    present.add(bin.place_id);
    const style = look(bin);
    let marker = markers.get(bin.place_id);
    if (!marker) {
      marker = dots.dot(bin, style);
      map.popup(marker, (settle) => cardOf(bin.place_id, settle));
      marker.addTo(map.group("bins"));
      markers.set(bin.place_id, marker);
    } else if (JSON.stringify(style) !== marker.look) {
      dots.change(marker, style);
    }
    marker.look = JSON.stringify(style);
    const said = JSON.stringify(bin);
    if (marker.said && marker.said !== said) marker.renewPopup();
    marker.said = said;
  }
  for (const [placeId, marker] of markers) {
    if (present.has(placeId)) continue;
    dots.forget(marker);
    markers.delete(placeId);
  }
  map.frame(bins);
  for (const source of SOURCES) say(`count-${source}`, number(bins.filter((bin) => bin.best_source === source).length));
}

function list({ bins, now }) {
  const wanted = lower(byId("bin-search").value.trim());
  const matches = wanted
    ? bins.filter((bin) => lower(`${bin.place_id} ${bin.street ?? ""}`).includes(wanted))
    : bins.filter((bin) => fillOf(bin) !== null);
  const fullest = matches.sort((one, other) => (fillOf(other) ?? -1) - (fillOf(one) ?? -1)).slice(0, LISTED);
  say("bin-list-title", wanted ? n("{count} trouvée", "{count} trouvées", matches.length) : t("Les plus pleines"));
  const rows = fullest.map((bin) =>
    make("li", {},
      make("button", { class: "row", type: "button", "data-place": bin.place_id, onclick: () => showBin(bin.place_id) },
        make("span", { class: "row-name" }, bin.place_id, make("span", {}, bin.street ? ` ${bin.street}` : "")),
        make("span", { class: "row-value" }, fillOf(bin) === null ? "?" : percent(fillOf(bin))),
        bar(bin),
        make("span", { class: "row-note" }, provenance(bin, now)))));
  keepFocus(byId("bin-list"), rows, t("Aucun niveau connu pour l’instant."));
}

function cardOf(placeId, settle) {
  const bin = known.bins.bins.find((item) => item.place_id === placeId);
  return card(bin, { now: known.bins.now, stop: stopOf(placeId), settle });
}
