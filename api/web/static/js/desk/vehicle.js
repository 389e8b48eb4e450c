// What can be done about one vehicle and its round: it stays at the depot, its crew, its files.

import { make } from "../dom.js";
import { clockTime, kilometres } from "../format.js";
import { addressOf } from "../http.js";
import { language, n, t } from "../i18n.js";
import { may } from "../store.js";
import { isUnderWay } from "./day.js";
import { declareVehicle } from "./declaring.js";
import { close, open } from "./sheet.js";
import { add } from "./trying.js";

const FORMS = [["gpx", t("GPX, pour un GPS")], ["sheet", t("Feuille à imprimer")], ["geojson", t("GeoJSON, pour une carte")]];

/** Links to a plan's files, or to those of one of its rounds. */
export function files(planId, routeIndex = null) {
  const path = routeIndex === null ? `/plans/${planId}/export/` : `/plans/${planId}/routes/${routeIndex}/export/`;
  return make("ul", { class: "files" }, ...FORMS.map(([form, words]) =>
    make("li", {}, make("a", { class: "button", href: `${addressOf(path)}${form}?lang=${language}`, ...(form === "sheet" ? { target: "_blank" } : { download: true }) }, words))));
}

/** Open the sheet of a vehicle's round. */
export function openVehicle(route) {
  open(route.vehicle_name, [n("{count} corbeille", "{count} corbeilles", route.bin_count), kilometres(route.distance_m), `${clockTime(route.start_at)} – ${clockTime(route.end_at)}`].join(" · "), [
    isUnderWay() ? onTheRoad(route) : null,
    doings(route),
    may("export") ? make("section", { class: "doings", "aria-labelledby": "files-of-round" },
      make("h3", { id: "files-of-round" }, t("Emporter cette tournée")), files(route.plan_id, route.route_index)) : null,
  ]);
}

function doings(route) {
  const people = make("input", { name: "people", type: "number", min: 1, max: 9, value: 2, required: true, inputmode: "numeric" });
  const act = (edit) => { add({ ...edit, vehicle_id: route.vehicle_id }); close(); };
  return make("section", { class: "doings", "aria-labelledby": "doings-title" },
    make("h3", { id: "doings-title" }, t("Modifier le plan")),
    make("div", { class: "buttons" },
      make("button", { type: "button", class: "button", onclick: () => act({ kind: "without" }) }, isUnderWay() ? t("Ce véhicule rentre") : t("Ce véhicule reste au dépôt"))),
    make("form", { class: "inline", onsubmit: (event) => { event.preventDefault(); act({ kind: "crew", people: Number(people.value) }); } },
      make("label", {}, make("span", {}, t("Personnes dans l’équipage")), people),
      make("button", { type: "submit", class: "button" }, t("Changer l’équipage"))));
}

function onTheRoad(route) {
  if (!may("declare")) return null;
  const button = (text, kind) => make("button", { type: "button", class: "button", onclick: () => declareVehicle(route.vehicle_id, kind) }, text);
  return make("section", { class: "doings", "aria-labelledby": "happened-title" },
    make("h3", { id: "happened-title" }, t("Dire ce qui s’est passé")),
    make("p", { class: "note" }, t("La tournée est en route. Un véhicule en panne laisse ses corbeilles aux autres, si cela en vaut la peine.")),
    make("div", { class: "buttons" }, button(t("En panne"), "broken"), button(t("De retour en service"), "back")));
}
