// What the officer reads of a check: why, since when, how sure, how far. Chances are told in words and in figures.

import { make, svg } from "../dom.js";
import { clockTime, duration, metres, percent } from "../format.js";
import { t } from "../i18n.js";
import { typeset } from "../typography.js";

const HERE_S = 30;

/** The sign of each reason, on the map and in the list: never told by its colour alone. */
export const SIGNS = { over_limit: "!", no_stopping: "–", soon_over: "…" };

export const CAUSES = {
  gone: { title: t("Parti"), about: t("Plus personne n’est là") },
  tolerated: { title: t("Toléré"), about: t("Vu, sans suite") },
  booked: { title: t("Verbalisé"), about: t("Infraction constatée, dans votre outil") },
  authorised: { title: t("Autorisé"), about: t("Il a le droit d’être là") },
  sensor_wrong: { title: t("Capteur faux"), about: t("Le capteur se trompe") },
  other: { title: t("Autre"), about: t("Dites quoi en quelques mots") },
};

/** "23, rue X", or what else people call a place. */
export const nameOf = (place) => place.name ?? place.street ?? place.place_id;

/** Which one of the street's places it is, when it is named by its street. */
export const idOf = (place) => (nameOf(place) === place.place_id ? "" : place.place_id);

/** Why it is listed, and since when or by how much. */
export function reasonOf(check) {
  const over = { time: clockTime(check.over_since), duration: duration(check.overstay_s - check.walk_s) };
  if (check.reason === "soon_over") return t("Dépassée à {time}", over);
  if (check.reason === "no_stopping") return t("Arrêt interdit, là depuis {duration}", over);
  return t("Dépassée de {duration}", over);
}

/** How sure it is that the check is justified on arrival: a word, and 1 to 4 for bars. */
export function sureness(chance) {
  if (chance >= 0.8) return { step: 4, words: t("presque sûr") };
  if (chance >= 0.6) return { step: 3, words: t("probable") };
  if (chance >= 0.35) return { step: 2, words: t("possible") };
  return { step: 1, words: t("peu sûr") };
}

/** The word, with bars for who has no time to read. */
export function sureMark(chance) {
  const { step, words } = sureness(chance);
  const bars = [1, 2, 3, 4].map((each) =>
    svg("rect", { x: each * 6 - 5, y: 14 - each * 3, width: 4, height: each * 3, rx: 1, class: each <= step ? "bar-on" : "bar-off" }));
  return make("span", { class: "sure" }, svg("svg", { viewBox: "0 0 25 14", width: 25, height: 14, "aria-hidden": true }, ...bars), words);
}

/** What makes it less sure, in sentences. */
export function doubtsOf(check) {
  const doubts = [];
  if (check.sensor_trust < 0.94) doubts.push(t("Des agents ont déjà trouvé ce capteur en défaut."));
  if (check.certainty === null) doubts.push(t("Le capteur vient de parler : l’arrivée n’est pas encore recoupée."));
  else if (check.certainty < 0.9) doubts.push(t("Le capteur a hésité : l’heure d’arrivée est incertaine."));
  const stays = check.chance / (check.sensor_trust * (check.certainty ?? 0.9));
  if (stays < 0.9) doubts.push(t("Le véhicule sera encore là à votre arrivée avec {share} de chances.", { share: percent(Math.min(1, stays)) }));
  return doubts;
}

/** The rule's words, which are French. */
export const ruleOf = (words) => make("span", {}, typeset(words));

/** What it will be like on a patrol's arrival. */
export function reasonOnArrival(stop) {
  const over = { duration: duration(stop.overstay_s) };
  return stop.reason === "no_stopping" ? t("Arrêt interdit") : t("{duration} de trop", over);
}

/** "4 min à pied, 230 m". */
export const walkOf = (check) => (check.walk_s < HERE_S ? t("Sur place")
  : t("{duration} à pied, {distance}", { duration: duration(check.walk_s), distance: metres(Math.round(check.walk_m / 10) * 10) }));

/** Who goes there, until when. */
export const heldOf = (held) => t("{by} y va, jusqu’à {time}", { by: held.by, time: clockTime(held.expires_at) });
