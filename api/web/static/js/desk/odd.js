// What is odd today, in the order in which somebody should look at it; and the strip of figures over the page.

import { byId, make, say } from "../dom.js";
import { clockTime, dayName, number, since } from "../format.js";
import { n, t } from "../i18n.js";
import * as clock from "../clock.js";
import { known, may, whenLoaded } from "../store.js";
import { typeset } from "../typography.js";
import { filterBy } from "./bins.js";
import { desk, whenDay } from "./day.js";
import { binsOf, byGravity, networkAlerts, outlook, SEVERITIES } from "./outlook.js";
import { openPlace } from "./place.js";
import { showLeft } from "./plan.js";
import { shown, shownLeftOut, whenTried } from "./trying.js";

const STRIP = ["today", "tomorrow", "alarms", "silent"];
const LISTED = 5;
const OLD_S = 26 * 3600; // a forecast is made each day, at least
const UNREACHED = ["unreachable", "access", "no_forecast"];
const NO_ROOM = ["capacity", "shift", "range", "window"];

export function start() {
  for (const part of ["bins", "forecasts", "alerts"]) whenLoaded(part, show);
  whenDay(show);
  whenTried(show);
  for (const name of STRIP) byId(`strip-${name}`).closest("button").addEventListener("click", () => showFilter(name));
}

/** Show the bins that a filter holds, in their list. */
function showFilter(name) {
  byId("tab-bins").click();
  filterBy(name);
  byId("bin-list-title").scrollIntoView({ block: "nearest" });
}

function show() {
  if (!known.bins) return;
  strip();
  if (may("plan") && desk.day) list();
}

function strip() {
  const facts = outlook();
  for (const name of STRIP) {
    const bins = binsOf(name);
    say(`strip-${name}`, name === "alarms" ? number(bins.length + networkAlerts().length) : number(bins.length));
    byId(`strip-${name}`).closest("button").classList.toggle("quiet", bins.length === 0);
  }
  const missed = may("plan") && shown() && desk.day === desk.today ? binsOf("missed").length : 0;
  say("strip-today-note", missed ? n("{count} hors tournée", "{count} hors tournée", missed) : "");
  const urgent = binsOf("alarms").filter((bin) => facts.get(bin.place_id).alerts.some((alert) => alert.severity === "urgent"));
  say("strip-alarms-note", urgent.length ? n("dont {count} urgente", "dont {count} urgentes", urgent.length) : "");
}

function list() {
  const items = [...planOdd(), ...alarmsOdd(), ...leftOdd(), ...sensorsOdd()].toSorted((one, other) => SEVERITIES.indexOf(one.kind) - SEVERITIES.indexOf(other.kind)).map(({ line }) => line);
  byId("odd-list").replaceChildren(...(items.length ? items : [make("li", { class: "odd good" }, t("Rien qui sorte de l’ordinaire."))]));
}

/** A line of the list and how grave it is; with `work` it is a button that leads to what it speaks of. */
function odd(kind, words, work = null) {
  const line = work
    ? make("li", {}, make("button", { type: "button", class: `odd ${kind}`, onclick: work }, make("span", {}, words)))
    : make("li", { class: `odd ${kind}` }, make("span", {}, words));
  return { kind, line };
}

function planOdd() {
  const plan = shown();
  const items = [];
  if (desk.trouble) return [odd("urgent", t("Le plan n’a pas pu être chargé. La page réessaie dès que le service répond."))];
  if (!plan) return [odd("urgent", t("Il n’y a pas de plan pour le {day}.", { day: dayName(desk.day) }))];
  if (plan.routes.some((route) => route.geometry === null) || plan.travel_source.startsWith("great_circle")) {
    items.push(odd("minor", t("Les distances de ce plan sont estimées à vol d’oiseau : le serveur n’a pas les rues.")));
  }
  const run = known.forecasts?.run;
  if (run === null) items.push(odd("important", t("Il n’y a pas encore de prévision : les corbeilles sans capteur sont inconnues.")));
  else if (run && clock.now() - new Date(run.as_of) > OLD_S * 1000) items.push(odd("important", t("La dernière prévision date : elle est partie des mesures d’{since}.", { since: since(run.as_of, clock.now()) })));
  if (desk.version?.origin === "repaired") items.push(odd("minor", t("Les tournées ont été réparées à {time}, d’après ce qui s’est passé.", { time: clockTime(desk.version.published_at) })));
  return items;
}

function alarmsOdd() {
  const facts = outlook();
  const urgent = binsOf("alarms")
    .map((bin) => ({ bin, alert: facts.get(bin.place_id).alerts.toSorted(byGravity)[0] }))
    .filter(({ alert }) => alert.severity !== "minor")
    .toSorted((one, other) => byGravity(one.alert, other.alert));
  const items = networkAlerts().map((alert) => odd(alert.severity, make("span", { lang: "fr" }, typeset(alert.message))));
  for (const { bin, alert } of urgent.slice(0, LISTED)) {
    items.push(odd(alert.severity, make("span", {}, make("b", {}, bin.place_id), " ", make("span", { lang: "fr" }, typeset(alert.message))), () => openPlace(bin.place_id)));
  }
  if (urgent.length > LISTED) items.push(odd("important", n("Et {count} autre alarme.", "Et {count} autres alarmes.", urgent.length - LISTED), () => showFilter("alarms")));
  return items;
}

function leftOdd() {
  const plan = shown();
  if (!plan) return [];
  const items = [];
  const missed = binsOf("missed").length;
  if (missed) {
    items.push(odd("important",
      n("{count} corbeille sera sans doute pleine ce jour-là et n’est dans aucune tournée.", "{count} corbeilles seront sans doute pleines ce jour-là et ne sont dans aucune tournée.", missed),
      () => showFilter("missed")));
  }
  const codes = [...shownLeftOut().values()].map((reason) => reason.code);
  const among = (some) => codes.filter((code) => some.includes(code)).length;
  if (among(NO_ROOM)) items.push(odd("important", n("{count} corbeille vaudrait le passage, mais n’entre dans aucune tournée.", "{count} corbeilles vaudraient le passage, mais n’entrent dans aucune tournée.", among(NO_ROOM)), () => showLeft(NO_ROOM)));
  if (among(UNREACHED)) items.push(odd("minor", n("{count} corbeille sans accès ou sans prévision.", "{count} corbeilles sans accès ou sans prévision.", among(UNREACHED)), () => showLeft(UNREACHED)));
  return items;
}

function sensorsOdd() {
  const silent = binsOf("silent").length;
  return silent ? [odd("minor", n("{count} capteur muet : sa corbeille est estimée.", "{count} capteurs muets : leurs corbeilles sont estimées.", silent), () => showFilter("silent"))] : [];
}
