// Edits as the desk keeps them: what they say to each other, and in words.

import { n, t } from "../i18n.js";

/** Return `edits` with one more. One of the same bin or vehicle gives way; adding what was dropped undoes both. */
export function withEdit(edits, edit) {
  const of = (other) => (edit.place_id ? other.place_id === edit.place_id : edit.vehicle_id && !other.place_id && other.vehicle_id === edit.vehicle_id && other.kind === edit.kind);
  const same = edits.find(of);
  const others = edits.filter((other) => !of(other));
  if (same && OPPOSITE[same.kind] === edit.kind) return others;
  // A bin that is added and then put elsewhere is added there: the plan that is edited does not have it.
  if (same?.kind === "add" && edit.kind === "move") return [...others, { ...edit, kind: "add" }];
  return [...others, edit];
}

const OPPOSITE = { add: "drop", drop: "add" };

/** Say an edit in words; `nameOf(vehicleId)` names vehicles. */
export function inWords(edit, nameOf) {
  const place = edit.place_id;
  const vehicle = edit.vehicle_id && nameOf(edit.vehicle_id);
  switch (edit.kind) {
    case "lock":
      if (edit.hold === "first") return t("{place} en premier", { place });
      return edit.hold === "round" ? t("{place} reste dans sa tournée", { place }) : t("{place} garde sa place", { place });
    case "move":
      return edit.position
        ? t("{place} va à {vehicle}, en position {position}", { place, vehicle, position: edit.position })
        : t("{place} va à {vehicle}", { place, vehicle });
    case "add":
      if (!vehicle) return t("{place} est ajoutée", { place });
      return edit.position
        ? t("{place} est ajoutée à {vehicle}, en position {position}", { place, vehicle, position: edit.position })
        : t("{place} est ajoutée à {vehicle}", { place, vehicle });
    case "drop":
      return t("{place} est retirée", { place });
    case "crew":
      return n("{vehicle} : équipage de {count} personne", "{vehicle} : équipage de {count} personnes", edit.people, { vehicle });
    case "without":
      return t("{vehicle} ne prend plus de corbeilles", { vehicle });
    case "close":
      return edit.way_id ? t("Rue barrée (voie OpenStreetMap {way})", { way: edit.way_id }) : t("Rue barrée, dessinée sur la carte");
    default:
      return edit.kind;
  }
}

const RULES = {
  access_crew: t("l’équipage n’est pas assez nombreux pour cette corbeille"),
  access_width: t("le véhicule est trop large"),
  access_kind: t("ce type de véhicule n’y va pas"),
  access_barred: t("aucun chemin n’y mène pour ce véhicule"),
  capacity: t("la benne serait trop pleine"),
  capacity_kg: t("la benne serait trop lourde"),
  shift_start: t("la tournée commencerait avant le service"),
  shift_end: t("la tournée finirait après le service"),
  window: t("le passage serait hors des heures permises"),
  range: t("l’autonomie du véhicule ne suffit pas"),
  break_window: t("la pause ne serait pas prise à temps"),
  break_taken: t("la pause ne serait pas prise"),
  day_stops: t("trop de corbeilles pour ce véhicule"),
  day_litres: t("trop de litres pour ce véhicule"),
  unloadings: t("trop de vidages à l’exutoire"),
  must_be_served: t("aucune tournée ne peut la prendre"),
  locked_vehicle: t("elle ne peut pas rester dans cette tournée"),
  locked_first: t("elle ne peut pas être la première"),
  locked_in_place: t("elle ne peut pas garder cette place"),
};

/**
 * Say why edits were refused: for each rule that breaks who and why (`{ who, why, told }`). `told` is the checker's own
 * sentence. An empty list means that the refusal names no rule: its own words are all there is.
 */
export function refusals(detail) {
  return [...detail.matchAll(/(\w+) \(([^)]*)\): ((?:[^;]|;(?! \w+ \())*)/g)]
    .filter(([, rule]) => rule in RULES)
    .map(([, rule, who, told]) => ({ who, why: RULES[rule], told: told.trim() }));
}
