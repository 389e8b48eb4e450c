// What a draft changes, told before it is published.

import { make } from "../dom.js";
import { clockTime, euroCents, euros, eurosChange, number, numberChange, tenths, tenthsChange } from "../format.js";
import { colon, n, t } from "../i18n.js";
import { reasonIn } from "../reasons.js";
import { inWords } from "./edits.js";

const ROWS = [
  ["bins", t("Corbeilles à vider"), number, numberChange],
  ["vehicles", t("Véhicules dehors"), number, numberChange],
  ["km", t("Kilomètres"), tenths, tenthsChange],
  ["hours", t("Heures"), tenths, tenthsChange],
  ["cost_eur", t("Coût des tournées"), euros, eurosChange],
  ["expected_overflows", t("Débordements attendus des laissées"), tenths, tenthsChange],
  ["leaving_eur", t("Coût estimé de laisser"), euros, eurosChange],
];

/** The difference in one line: "+1,2 km · +0,1 h · +4 €". */
export function inShort({ before, after }) {
  const change = (name) => (before[name] === null || after[name] === null ? null : after[name] - before[name]);
  return [
    n("{change} corbeille", "{change} corbeilles", change("bins"), { change: numberChange(change("bins")) }),
    t("{change} km", { change: tenthsChange(change("km")) }),
    t("{change} h", { change: tenthsChange(change("hours")) }),
    change("cost_eur") === null ? null : eurosChange(change("cost_eur")),
  ].filter(Boolean).join(" · ");
}

/** The whole difference; `nameOf(vehicleId)` names vehicles. */
export function whole(difference, nameOf) {
  return [table(difference), rounds(difference, nameOf), dropped(difference), locks(difference, nameOf)].filter(Boolean);
}

function table({ before, after }) {
  const rows = ROWS.map(([name, title, words, change]) => {
    const told = (value) => (value === null ? t("inconnu") : words(value));
    const known = before[name] !== null && after[name] !== null;
    return make("tr", {},
      make("th", { scope: "row" }, title),
      make("td", {}, told(before[name])),
      make("td", {}, told(after[name])),
      make("td", { class: "change" }, known ? change(after[name] - before[name]) : "–"));
  });
  return make("table", { class: "difference" },
    make("thead", {}, make("tr", {}, make("td", {}), make("th", { scope: "col" }, t("Publié")), make("th", { scope: "col" }, t("Brouillon")), make("th", { scope: "col" }, t("Écart")))),
    make("tbody", {}, ...rows));
}

function rounds({ routes }, nameOf) {
  const changed = routes.filter((route) => !route.before || !route.after || route.moved_in.length || route.moved_out.length || route.added.length || route.dropped.length || route.reordered.length || Math.abs(route.after.km - route.before.km) >= 0.05);
  if (!changed.length) return make("p", { class: "note" }, t("Aucune tournée ne change."));
  return make("ul", { class: "round-changes" }, ...changed.map((route) => {
    const words = [
      !route.before && t("sort en plus"),
      !route.after && t("ne sort plus"),
      route.added.length && n("{count} ajoutée", "{count} ajoutées", route.added.length),
      route.moved_in.length && n("{count} venue d’une autre tournée", "{count} venues d’autres tournées", route.moved_in.length),
      route.moved_out.length && n("{count} partie à une autre tournée", "{count} parties à d’autres tournées", route.moved_out.length),
      route.dropped.length && n("{count} retirée", "{count} retirées", route.dropped.length),
      route.reordered.length && n("{count} change d’ordre", "{count} changent d’ordre", route.reordered.length),
      route.before && route.after && clockTime(route.before.end_at) !== clockTime(route.after.end_at) && t("retour à {time} au lieu de {before}", { time: clockTime(route.after.end_at), before: clockTime(route.before.end_at) }),
      route.before && route.after && t("{change} km", { change: tenthsChange(route.after.km - route.before.km) }),
    ];
    return make("li", {}, make("b", {}, nameOf(route.vehicle_id)), " ", words.filter(Boolean).join(", "));
  }));
}

function dropped({ dropped: bins }) {
  if (!bins.length) return null;
  return make("div", {},
    make("h4", {}, n("{count} corbeille n’est plus vidée", "{count} corbeilles ne sont plus vidées", bins.length)),
    make("ul", { class: "plain" }, ...bins.slice(0, 30).map((bin) => make("li", {}, make("b", {}, bin.place_id), " ", reasonIn("span", {}, bin)))));
}

function locks({ locks: prices }, nameOf) {
  const told = (prices ?? []).filter((lock) => lock.cost_eur !== null && lock.cost_eur >= 0.05);
  if (!told.length) return null;
  return make("div", {},
    make("h4", {}, t("Ce que coûtent les consignes")),
    make("ul", { class: "plain" }, ...told.map((lock) => make("li", {}, inWords(lock, nameOf), colon, t("au moins {cost}", { cost: euroCents(lock.cost_eur) })))));
}
