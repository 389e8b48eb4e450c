// Parking spaces: how many are free, and which ones near the middle of the map.

import { byId, keepFocus, make, say, svg } from "./dom.js";
import * as dots from "./dots.js";
import { metres, number, since } from "./format.js";
import { get, Problem } from "./http.js";
import { n, t } from "./i18n.js";
import * as map from "./map.js";
import { may, whenLoaded } from "./store.js";

const NEAR_M = 300;
const LISTED = 8;
const CALM_MS = 400;
const WORDS = { free: t("libre"), occupied: t("occupée"), unknown: t("état inconnu") };
const KINDS = { pmr: t("place pour personnes handicapées"), short_stay: t("arrêt minute"), standard: "" };
const LOOKS = {
  free: { size: 4, weight: 1.2, color: "#fff", fillColor: "#0b6b7d", fillOpacity: 1, dashArray: null },
  occupied: { size: 3, weight: 1, color: "#fff", fillColor: "#9aa7ae", fillOpacity: 0.9, dashArray: null },
  unknown: { size: 3.5, weight: 1.2, color: "#6a7780", fillColor: "#fff", fillOpacity: 0.6, dashArray: "1 2" },
};
const markers = new Map();
let latest = null;
let pending = 0;
let theMap = null;

export function start(mapObject) {
  theMap = mapObject;
  whenLoaded("parking", (answer) => {
    latest = answer;
    count(answer);
    draw(answer);
    near();
  });
  theMap.on("moveend", () => {
    clearTimeout(pending);
    pending = setTimeout(near, CALM_MS);
  });
}

function count({ total, free, occupied, unknown }) {
  say("parking-free", number(free));
  say("parking-of", n("place libre sur {total}", "places libres sur {total}", free, { total: number(total) }));
  say("parking-legend", [n("{count} occupée", "{count} occupées", occupied), n("{count} inconnue", "{count} inconnues", unknown)].join(", "));
  const width = (part) => (total ? (100 * part) / total : 0);
  byId("parking-share").replaceChildren(
    svg("svg", { viewBox: "0 0 100 12", preserveAspectRatio: "none" },
      svg("rect", { width: 100, height: 12, fill: "#fff" }),
      svg("rect", { width: width(free), height: 12, fill: "#0b6b7d" }),
      svg("rect", { x: width(free), width: width(occupied), height: 12, fill: "#c3ccd0" }),
      svg("rect", { x: width(free + occupied), width: width(unknown), height: 12, fill: "#eceff0" })));
}

function draw({ spaces }) {
  if (!may("bins") && !may("bays")) map.frame(spaces);
  for (const space of spaces) {
    let marker = markers.get(space.place_id);
    if (!marker) {
      marker = dots.dot(space, LOOKS[space.state]);
      map.popup(marker, () => card(space.place_id));
      marker.addTo(map.group("parking"));
      markers.set(space.place_id, marker);
    } else if (marker.state !== space.state) {
      dots.change(marker, LOOKS[space.state]);
    }
    marker.state = space.state;
    marker.renewPopup();
  }
}

async function near() {
  if (!latest) return;
  const { lng, lat } = theMap.getCenter();
  let answer;
  try {
    answer = await get("/parking", { lon: L.Util.wrapNum(lng, [-180, 180], true).toFixed(5), lat: lat.toFixed(5), radius_m: NEAR_M, state: "free" });
  } catch (error) {
    if (error instanceof Problem) return;
    throw error;
  }
  const rows = answer.spaces.slice(0, LISTED).map((space) => make("li", {},
    make("button", { class: "row", type: "button", "data-place": space.place_id, onclick: () => map.show(markers.get(space.place_id)) },
      make("span", { class: "row-name" }, space.place_id, make("span", {}, space.street ? ` ${space.street}` : "")),
      make("span", { class: "row-value" }, metres(space.distance_m)),
      KINDS[space.space_kind] ? make("span", { class: "row-note" }, KINDS[space.space_kind]) : null)));
  keepFocus(byId("parking-list"), rows, t("Aucune place libre connue à moins de {distance}.", { distance: metres(NEAR_M) }));
}

function card(placeId) {
  const space = latest.spaces.find((item) => item.place_id === placeId);
  return make("div", { class: "card" },
    make("h4", {}, placeId),
    make("p", { class: "card-place" }, [space.street, KINDS[space.space_kind], WORDS[space.state]].filter(Boolean).join(", ")),
    make("dl", {}, make("dt", {}, t("Capteur")), make("dd", {}, space.heard_at ? t("entendu {since}", { since: since(space.heard_at, latest.now) }) : t("jamais entendu"))));
}
