// The month: what rounds came to, beside what the town drove before.

import { calmly } from "../calmly.js";
import * as clock from "../clock.js";
import { byId, make, say } from "../dom.js";
import { dayAfter, dayOf, monthName, number, percent, percentChange, shortDate, tenths } from "../format.js";
import { addressOf, get, Problem } from "../http.js";
import { n, t } from "../i18n.js";
import { showLine } from "../line.js";
import { listen } from "../live.js";
import { load, retry, whenLoaded } from "../store.js";
import { isTroubled, showTrouble } from "../trouble.js";
import { startImports, whenImported } from "./files.js";
import { monthChart } from "./month_chart.js";

const MONTHS = 12;
const short = (value) => (value >= 100 || value === 0 ? number(value) : tenths(value));
const FIGURES = {
  km: { title: t("Kilomètres"), words: (value) => t("{km} km", { km: short(value) }), tick: (value) => t("{km} km", { km: number(value) }), of: (part) => part.km, label: t("Kilomètres par jour, faits et d’avant. Le tableau ci-dessous dit la même chose.") },
  hours: { title: t("Heures"), words: (value) => t("{hours} h", { hours: short(value) }), tick: (value) => t("{hours} h", { hours: number(value) }), of: (part) => part.hours, label: t("Heures par jour, faites et d’avant. Le tableau ci-dessous dit la même chose.") },
  bins: { title: t("Corbeilles vidées"), words: number, tick: number, of: (part) => part.bins, label: t("Corbeilles vidées par jour, et d’avant. Le tableau ci-dessous dit la même chose.") },
};
let shownFigure = "km";
let days = null;
let width = 0;

async function show() {
  const month = byId("month").value;
  const today = dayOf(clock.now());
  const first = `${month}-01`;
  const last = [dayAfter(`${nextMonth(month)}-01`, -1), dayAfter(today, -1)].toSorted()[0];
  byId("month-file").href = `${addressOf("/kpi.csv")}?from=${first}&to=${last < first ? first : last}&by=day`;
  const address = new URL(location.href);
  address.searchParams.set("mois", month);
  history.replaceState(null, "", address);
  if (last < first) return empty(t("Ce mois commence aujourd’hui : ses premiers chiffres seront là demain."));
  try {
    const [whole, byDay, bySector, former] = await Promise.all([
      get("/kpi", { from: first, to: last, by: "month" }),
      get("/kpi", { from: first, to: last, by: "day" }),
      get("/kpi", { from: first, to: last, by: "sector" }),
      get("/former-rounds"),
    ]);
    showTrouble(null);
    const [kpi] = whole.kpis;
    byId("month-no-former").hidden = former.rounds.length > 0;
    if (!kpi || (kpi.done.days === 0 && kpi.planned.days === 0)) {
      return empty(t("Aucune tournée n’a été planifiée ni déclarée en {month}. Choisissez un autre mois.", { month: monthName(month) }));
    }
    byId("month-empty").hidden = true;
    byId("month-whole").hidden = false;
    tiles(kpi, whole.co2_kg_per_km);
    days = byDay.kpis;
    draw();
    table(byId("month-days"), byDay.kpis, (key) => make("time", { datetime: key }, shortDate(`${key}T12:00:00Z`)));
    table(byId("month-sectors"), bySector.kpis, (key) => key || t("sans secteur"));
    return undefined;
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return showTrouble(error);
  }
}

function empty(words) {
  say("month-empty", words);
  byId("month-empty").hidden = false;
  byId("month-whole").hidden = true;
}

const nextMonth = (month) => new Date(Date.UTC(Number(month.slice(0, 4)), Number(month.slice(5)), 1)).toISOString().slice(0, 7);

const told = (value, words) => (value === null ? t("inconnu") : words(value));

function tiles(kpi, factor) {
  const { done, planned, compared } = kpi;
  const tile = (title, value, ...notes) => make("li", { class: "tile figure" }, make("h3", {}, title), make("p", { class: "value" }, value), ...notes.filter(Boolean).map((note) => make("p", { class: "note" }, note)));
  const saved = compared.km_saved_fraction;
  byId("month-tiles").replaceChildren(
    tile(t("Face aux anciennes tournées"),
      saved === null ? t("inconnu") : percentChange(-saved),
      saved === null
        ? t("Rien à comparer : il faut les anciennes tournées, et des jours déclarés.")
        : n("{done} au lieu de {former}, sur {count} jour connu des deux côtés", "{done} au lieu de {former}, sur {count} jours connus des deux côtés", compared.days, { done: FIGURES.km.words(compared.done_km), former: FIGURES.km.words(compared.former_km) })),
    tile(t("Kilomètres faits"), told(done.km, FIGURES.km.words), planned.km !== null && t("prévus : {value}", { value: FIGURES.km.words(planned.km) }), done.told_km !== null && t("d’après les positions des tablettes : {value}", { value: FIGURES.km.words(done.told_km) }), done.co2_kg !== null && t("{kg} kg de CO₂, à {factor} kg par km", { kg: number(done.co2_kg), factor: tenths(factor) })),
    tile(t("Heures de tournée"), told(done.hours, FIGURES.hours.words), planned.hours !== null && t("prévues : {value}", { value: FIGURES.hours.words(planned.hours) })),
    tile(t("Corbeilles vidées"), told(done.bins, number), done.bins_off_plan ? n("dont {count} hors plan", "dont {count} hors plan", done.bins_off_plan) : null, done.bins_seen_only ? n("et {count} vue par un capteur, non déclarée", "et {count} vues par un capteur, non déclarées", done.bins_seen_only) : null),
    tile(t("Remplissage au vidage"), told(done.fill_measured_fraction, percent), t("mesuré par les capteurs"), done.fill_declared_fraction !== null && t("dit par les équipes : {value}", { value: percent(done.fill_declared_fraction) })),
    tile(t("Débordements"), told(done.overflows_measured, number), n("mesurés, sur {count} jour-corbeille mesuré", "mesurés, sur {count} jours-corbeilles mesurés", done.bins_measured), done.overflows_declared !== null && t("déclarés : {value}", { value: number(done.overflows_declared) })));
}

function draw() {
  if (!days) return;
  const { of, words, tick, label } = FIGURES[shownFigure];
  const holder = byId("month-chart");
  holder.replaceChildren(monthChart({
    width: Math.max(300, Math.round(holder.clientWidth)),
    days: days.map((kpi) => ({ day: kpi.key, done: of(kpi.done), former: of(kpi.former), planned: of(kpi.planned) })),
    words, tick, label,
  }));
}

function table(body, kpis, name) {
  const cell = (value, words) => make("td", { class: "number" }, value === null ? "–" : words(value));
  body.replaceChildren(...kpis.map((kpi) => make("tr", {},
    make("th", { scope: "row" }, name(kpi.key)),
    cell(kpi.planned.km, tenths), cell(kpi.done.km, tenths), cell(kpi.former.km, tenths),
    cell(kpi.done.hours, tenths), cell(kpi.former.hours, tenths),
    cell(kpi.done.bins, number), cell(kpi.done.fill_measured_fraction, percent), cell(kpi.done.overflows_measured, number))));
}

function months() {
  const asked = new URLSearchParams(location.search).get("mois");
  // At the month's beginning people look back at the one before.
  const yesterday = dayAfter(dayOf(clock.now()), -1).slice(0, 7);
  const options = [];
  let month = yesterday;
  for (let count = 0; count < MONTHS; count += 1) {
    options.push(make("option", { value: month }, monthName(month)));
    month = dayAfter(`${month}-01`, -1).slice(0, 7);
  }
  byId("month").replaceChildren(...options);
  if (options.some((option) => option.value === asked)) byId("month").value = asked;
}

async function begin() {
  months();
  await show();
}

const later = calmly(show);

function onLine(line) {
  showLine(line);
  retry(line);
  if (line === "live" && isTroubled() && clock.now()) later(["month"]);
}

clock.start();
startImports();
whenImported(show);
for (const box of document.querySelectorAll('input[name="figure"]')) {
  box.addEventListener("change", () => { shownFigure = box.value; draw(); });
}
new ResizeObserver(([entry]) => {
  if (Math.abs(entry.contentRect.width - width) < 2) return;
  width = entry.contentRect.width;
  draw();
}).observe(byId("month-chart"));
byId("month").addEventListener("change", show);
// Months are counted by the commune's clock, which may come late.
let begun = null;
whenLoaded("commune", () => { begun ??= begin(); });
await load("commune");
await begun;
listen({ onEvent: () => {}, onLine, onRefused: () => load("commune") });
