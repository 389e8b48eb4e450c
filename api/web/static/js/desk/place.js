// What can be known and done about one bin: a sheet over the page, opened from the map and from every list.

import { card, provenance } from "../bin_looks.js";
import { byId, make } from "../dom.js";
import { clockTime } from "../format.js";
import { root } from "../root.js";
import { t } from "../i18n.js";
import { reasonIn } from "../reasons.js";
import { placeIn } from "../stops.js";
import { known, may } from "../store.js";
import { typeset } from "../typography.js";
import { binOf, point } from "./bins.js";
import { desk, isUnderWay } from "./day.js";
import { declareBin } from "./declaring.js";
import { idle } from "./fleet.js";
import { byGravity, outlook } from "./outlook.js";
import { close, open } from "./sheet.js";
import { add, shown, shownLeftOut } from "./trying.js";

/** Open the sheet of a bin. */
export function openPlace(placeId) {
  const bin = binOf(placeId);
  const here = placeIn(shown(), placeId);
  open(placeId, bin?.street ?? "", [
    bin && levels(bin),
    ...alarms(placeId),
    may("plan") ? inPlan(placeId, here) : null,
    may("edit") && desk.plan && isUnderWay() ? onTheRoad(placeId) : null,
    may("edit") && desk.plan ? doings(placeId, here) : null,
    make("p", { class: "sheet-links" },
      make("button", { type: "button", class: "button", onclick: () => { close(); byId("map").scrollIntoView({ block: "nearest" }); point(placeId); } }, t("Voir sur la carte")),
      make("a", { class: "button", href: binAddress(placeId) }, t("Toute son histoire"))),
  ]);
}

const binAddress = (placeId) =>
  new URL(`${encodeURIComponent(document.body.dataset.commune)}/proprete/corbeilles/${encodeURIComponent(placeId)}`, root).href;

function levels(bin) {
  const place = card(bin, { now: known.bins.now, stop: null, settle: () => {} });
  place.querySelector("h4").remove();
  place.querySelector(".card-place").textContent = provenance(bin, known.bins.now);
  return place;
}

function alarms(placeId) {
  const facts = outlook().get(placeId);
  if (!facts) return [];
  return facts.alerts.toSorted(byGravity).map((alert) => make("p", { class: `row-alert ${alert.severity}`, lang: "fr" }, typeset(alert.message)));
}

function inPlan(placeId, here) {
  const reason = here ? here.stop.reason : shownLeftOut().get(placeId);
  const where = here
    ? t("{vehicle}, passage n° {turn}, à {time}.", { vehicle: here.route.vehicle_name, turn: here.turn, time: clockTime(here.stop.arrive_at) })
    : t("Dans aucune tournée ce jour-là.");
  return make("p", { class: "why" }, make("b", {}, where), " ", reason ? reasonIn("span", {}, reason) : "");
}

function doings(placeId, here) {
  const act = (edit) => () => { add({ ...edit, place_id: placeId }); close(); };
  const button = (text, edit) => make("button", { type: "button", class: "button", onclick: act(edit) }, text);
  const group = make("section", { class: "doings", "aria-labelledby": "doings-title" },
    make("h3", { id: "doings-title" }, t("Modifier le plan")));
  if (here) {
    group.append(
      make("div", { class: "buttons" },
        button(t("Retirer de la tournée"), { kind: "drop" }),
        button(t("Garder cette place"), { kind: "lock", hold: "in_place" }),
        button(t("Garder dans cette tournée"), { kind: "lock", hold: "round" }),
        button(isUnderWay() ? t("Passer juste après l’arrêt en cours") : t("Passer en premier"), { kind: "lock", hold: "first" })),
      form(t("Déplacer"), here.route.vehicle_id, (edit) => act({ kind: "move", ...edit })()));
  } else {
    group.append(
      make("div", { class: "buttons" }, button(t("Ajouter, où cela coûte le moins"), { kind: "add" })),
      form(t("Ajouter à une tournée"), null, (edit) => act({ kind: "add", ...edit })()));
  }
  return group;
}

/** Which vehicle, and which turn in its round. */
function form(title, vehicleId, done) {
  const options = [
    ...shown().routes.map((route) => make("option", { value: route.vehicle_id, selected: route.vehicle_id === vehicleId }, route.vehicle_name)),
    ...idle().map((vehicle) => make("option", { value: vehicle.vehicle_id }, t("{vehicle}, au dépôt", { vehicle: vehicle.name }))),
  ];
  const select = make("select", { name: "vehicle" }, ...options);
  const position = make("input", { name: "position", type: "number", min: 1, max: 999, inputmode: "numeric", placeholder: t("au mieux") });
  const submit = (event) => {
    event.preventDefault();
    done({ vehicle_id: select.value, ...(position.value ? { position: Number(position.value) } : {}) });
  };
  return make("form", { class: "inline", onsubmit: submit },
    make("label", {}, make("span", {}, t("Véhicule")), select),
    make("label", {}, make("span", {}, t("Position")), position),
    make("button", { type: "submit", class: "button" }, title));
}

function onTheRoad(placeId) {
  if (!may("declare")) return null;
  const button = (text, kind) => make("button", { type: "button", class: "button", onclick: () => declareBin(placeId, kind) }, text);
  return make("section", { class: "doings", "aria-labelledby": "happened-title" },
    make("h3", { id: "happened-title" }, t("Dire ce qui s’est passé")),
    make("p", { class: "note" }, t("Les tournées sont parties à {time} : elles se réparent d’après ce qui est dit. Ce qui est fait, et l’arrêt vers lequel roule chaque véhicule, ne changent plus.", { time: clockTime(Math.min(...desk.plan.routes.map((route) => new Date(route.start_at)))) })),
    make("div", { class: "buttons" }, button(t("Bloquée"), "blocked"), button(t("Déborde"), "overflowing"), button(t("Endommagée"), "damaged")));
}
