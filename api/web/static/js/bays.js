// Delivery bays: what the rule in force says of what stands there. A hint for who goes and looks.

import { byId, keepFocus, make } from "./dom.js";
import { clockTime, duration, lower, number, since } from "./format.js";
import { t } from "./i18n.js";
import * as map from "./map.js";
import { may, whenLoaded } from "./store.js";
import { typeset } from "./typography.js";

const STATES = {
  over_limit: { words: t("En dépassement"), sign: "!" },
  near_limit: { words: t("Bientôt au terme"), sign: "…" },
  within_limit: { words: t("Dans les temps"), sign: "L" },
  free: { words: t("Libres"), sign: "L" },
  unknown: { words: t("Capteur muet"), sign: "?" },
  rule_not_in_force: { words: t("Hors horaires"), sign: "L" },
};
const markers = new Map();
let latest = null;

export function start() {
  whenLoaded("bays", (answer) => {
    latest = answer;
    draw(answer);
    count(answer);
    list(answer);
  });
}

function draw({ delivery_bays: bays }) {
  if (!may("bins")) map.frame(bays);
  for (const bay of bays) {
    let marker = markers.get(bay.place_id);
    if (!marker) {
      marker = L.marker([bay.latitude_deg, bay.longitude_deg], { pane: "bays", keyboard: false });
      map.popup(marker, () => card(bay.place_id));
      markers.set(bay.place_id, marker);
    }
    if (marker.state !== bay.state) {
      marker.state = bay.state;
      marker.setIcon(L.divIcon({ className: `bay bay-${bay.state}`, html: STATES[bay.state].sign, iconSize: [18, 18] }));
      marker.setZIndexOffset(bay.state === "over_limit" ? 1000 : 0);
    }
    marker.renewPopup();
    if (!map.group("bays").hasLayer(marker)) map.group("bays").addLayer(marker);
  }
  const present = new Set(bays.map((bay) => bay.place_id));
  for (const [placeId, marker] of markers) {
    if (present.has(placeId)) continue;
    map.group("bays").removeLayer(marker);
    markers.delete(placeId);
  }
}

function count({ counts }) {
  byId("bay-counts").replaceChildren(...Object.entries(STATES).map(([state, { words, sign }]) =>
    make("li", {}, make("span", { class: `bay bay-${state}`, "aria-hidden": true }, sign), words, make("b", {}, number(counts[state])))));
}

function list({ delivery_bays: bays }) {
  const urgent = bays.filter((bay) => bay.state === "over_limit" || bay.state === "near_limit");
  const rows = urgent.map((bay) => {
    const over = bay.state === "over_limit";
    return make("li", {},
      make("button", { class: `row ${over ? "row-over" : ""}`, type: "button", "data-place": bay.place_id, onclick: () => map.show(markers.get(bay.place_id)) },
        make("span", { class: "row-name" }, bay.place_id, make("span", {}, bay.street ? ` ${bay.street}` : "")),
        make("span", { class: "row-value" }, over ? `+ ${duration(bay.overstay_s)}` : t("reste {duration}", { duration: duration(bay.remaining_s) })),
        make("span", { class: "row-note" }, t("Arrivée à {time}.", { time: clockTime(bay.occupied_since) }), " ", rule(bay))));
  });
  keepFocus(byId("bay-list"), rows, t("Aucune aire à vérifier."));
}

/** The rule in words, which are French: the commune's decree says them so. */
function rule({ rule: known }) {
  return known ? make("span", { lang: "fr" }, typeset(known.words)) : t("Aucune règle connue");
}

function card(placeId) {
  const bay = latest.delivery_bays.find((item) => item.place_id === placeId);
  const facts = [];
  const fact = (name, value) => facts.push(make("dt", {}, name), make("dd", {}, value));
  if (bay.occupied_since) fact(t("Arrivée"), `${clockTime(bay.occupied_since)}, ${since(bay.occupied_since, latest.now)}`);
  if (bay.overstay_s !== null) fact(t("Dépassement"), make("b", {}, duration(bay.overstay_s)));
  else if (bay.remaining_s !== null) fact(t("Temps restant"), make("b", {}, duration(bay.remaining_s)));
  fact(t("Capteur"), bay.heard_at ? t("entendu {since}", { since: since(bay.heard_at, latest.now) }) : t("jamais entendu"));
  return make("div", { class: "card", "data-place": placeId },
    make("h4", {}, placeId),
    make("p", { class: "card-place" }, [bay.street, lower(STATES[bay.state].words)].filter(Boolean).join(", ")),
    make("dl", {}, ...facts),
    make("p", { class: "why" }, rule(bay), "."));
}
