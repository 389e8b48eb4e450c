// A bin's page: its level over time and to come, its emptyings, alarms, sensor, and its place in the day's plan.

import { bar, fillOf, provenance } from "../bin_looks.js";
import { calmly } from "../calmly.js";
import * as clock from "../clock.js";
import { byId, make, say } from "../dom.js";
import { clockTime, dateTime, dayName, litres, percent, since } from "../format.js";
import { get, Problem } from "../http.js";
import { n, t } from "../i18n.js";
import { showLine } from "../line.js";
import { listen } from "../live.js";
import { inPieces } from "../pieces.js";
import { reasonIn } from "../reasons.js";
import { placeIn } from "../stops.js";
import { load, may, retry } from "../store.js";
import { isTroubled, showTrouble } from "../trouble.js";
import { typeset } from "../typography.js";
import { desk, openDay } from "./day.js";
import { levelChart } from "./level_chart.js";
import { SEVERITY_WORDS } from "./outlook.js";

const placeId = document.body.dataset.place;
const path = `/bins/${encodeURIComponent(placeId)}`;
const AHEAD_H = 72;
const QUALITIES = {
  ok: t("bonne"), no_target: t("rien en face"), blind_zone: t("trop près du capteur"), sensor_fault: t("capteur en défaut"),
  implausible: t("invraisemblable"), impossible_jump: t("saut impossible"), unconfirmed: t("à confirmer"), stuck: t("capteur bloqué"),
};
const VERDICTS = { seen: t("vue par le capteur"), not_seen: t("le capteur n’a rien vu"), not_observable: t("le capteur ne peut le dire") };
const EVIDENCE = { sensor: t("le capteur"), emptying: t("le dernier vidage connu"), nothing: t("les autres corbeilles seulement") };
const known = { bin: null, levels: null, history: null, forecast: null, alerts: null, devices: null };
let daysShown = 7;

async function loadAll() {
  try {
    const from = new Date(clock.now() - 90 * 86_400_000).toISOString();
    const [bin, levels, history, forecast, alerts, devices] = await Promise.all([
      get(path),
      may("levels") ? get(`${path}/levels`, { days: daysShown }) : null,
      get(`${path}/history`, { days: daysShown, ahead_h: AHEAD_H }),
      get(`${path}/forecast`),
      may("alerts") ? get("/alerts", { place_id: placeId, since: from }) : null,
      may("devices") ? get("/devices", { place_id: placeId }) : null,
    ]);
    Object.assign(known, { bin, levels, history, forecast, alerts, devices });
    showTrouble(null);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    if (error.status === 404) return nobody();
    return showTrouble(error);
  }
  if (may("plan")) await openDay();
  return show();
}

function nobody() {
  byId("bin").hidden = true;
  byId("bin-unknown").hidden = false;
}

function show() {
  byId("bin").hidden = false;
  const { bin } = known;
  say("bin-place", [bin.street, bin.sector, t("{kind}, {volume}", { kind: bin.bin_kind, volume: litres(bin.volume_l) })].filter(Boolean).join(" · "));
  now();
  draw();
  inPlan();
  emptyings();
  alarms();
  device();
  figures();
}

function now() {
  const { bin, history, forecast } = known;
  const level = fillOf(bin);
  byId("bin-now").replaceChildren(
    make("p", { class: "bin-level" }, make("b", {}, level === null ? "?" : percent(level)), " ", make("span", {}, provenance(bin, history.now))),
    bar(bin));
  const facts = [];
  const fact = (name, value) => value && facts.push(make("div", {}, make("dt", {}, name), make("dd", {}, value)));
  const full = forecast.full;
  if (full) {
    fact(t("Pleine"), full.full_at
      ? t("vers {time}, une chance sur deux", { time: dateTime(full.full_at) })
      : t("pas avant {time}, sans doute", { time: dateTime(full.reaches_until) }));
    fact(t("Au plus tôt"), full.full_early_at && t("{time} (1 chance sur 10)", { time: dateTime(full.full_early_at) }));
    fact(t("Au plus tard"), full.full_late_at && t("{time} (9 chances sur 10)", { time: dateTime(full.full_late_at) }));
  }
  fact(t("La prévision part de"), forecast.evidence && EVIDENCE[forecast.evidence]);
  if (!forecast.run) fact(t("Prévision"), t("aucune pour l’instant"));
  fact(t("Dernier vidage déclaré"), bin.declared && since(bin.declared.last_emptied_at, history.now));
  if (bin.newest && bin.newest.quality !== "ok") fact(t("Dernière mesure"), t("écartée : {why}", { why: bin.newest.reason ?? QUALITIES[bin.newest.quality] ?? bin.newest.quality }));
  byId("bin-facts").replaceChildren(...facts);
}

/** Emptyings as crews declared them and as the sensor saw them, each once, the newest first. */
function allEmptyings() {
  const verdicts = new Map((known.levels?.declared ?? []).map((item) => [item.happened_at, item]));
  const declared = known.history.declared.map((item) => ({ at: item.emptied_at, declared: true, found: item.found_fraction, check: verdicts.get(item.emptied_at) ?? null }));
  const seen = (known.levels?.seen ?? []).filter((item) => item.event_id === null).map((item) => ({ at: item.emptied_before, declared: false, found: item.level_before, check: null, confidence: item.confidence }));
  return [...declared, ...seen].toSorted((one, other) => (one.at < other.at ? 1 : -1));
}

const allLevels = () => known.levels?.levels ?? known.history.measured;

function draw() {
  const { history } = known;
  const [levels, predicted] = [allLevels(), history.predicted];
  const holder = byId("bin-chart");
  byId("bin-chart-empty").hidden = levels.length + predicted.length > 0;
  byId("bin-chart-key").hidden = levels.length + predicted.length === 0;
  if (levels.length + predicted.length === 0) return holder.replaceChildren();
  const until = predicted.at(-1)?.valid_at ?? history.now;
  return holder.replaceChildren(levelChart({
    width: Math.max(300, Math.round(holder.clientWidth)), levels, predicted, emptyings: allEmptyings(),
    since: levels.length ? history.since : history.now, now: history.now, until,
  }));
}

function inPlan() {
  const section = byId("bin-plan");
  section.hidden = !may("plan");
  if (section.hidden) return;
  const words = byId("bin-plan-words");
  if (!desk.plan) return words.replaceChildren(t("Il n’y a pas de plan pour le {day}.", { day: dayName(desk.day) }));
  const here = placeIn(desk.plan, placeId);
  if (here) {
    const { stop, turn, route } = here;
    return words.replaceChildren(
      make("b", {}, t("{day} : {vehicle}, passage n° {turn}, à {time}.", { day: dayName(desk.day), vehicle: route.vehicle_name, turn, time: clockTime(stop.arrive_at) })),
      ...(stop.reason ? [" ", reasonIn("span", {}, stop.reason)] : []));
  }
  const reason = desk.leftOut.get(placeId);
  return words.replaceChildren(
    make("b", {}, t("{day} : dans aucune tournée.", { day: dayName(desk.day) })), ...(reason ? [" ", reasonIn("span", {}, reason)] : []));
}

function emptyings() {
  const rows = allEmptyings();
  byId("bin-emptyings").replaceChildren(...(rows.length ? rows.map((item) => make("tr", {},
    make("td", {}, make("time", { datetime: item.at }, dateTime(item.at))),
    make("td", {}, item.declared ? t("l’équipe") : t("le capteur seul ({share} sûr)", { share: percent(item.confidence) })),
    make("td", { class: "number" }, item.found === null ? t("non dit") : percent(item.found)),
    make("td", {}, item.check ? VERDICTS[item.check.verdict] : "–")))
    : [make("tr", {}, make("td", { colspan: 4 }, t("Aucun vidage dans les {days} derniers jours.", { days: daysShown })))]));
}

function alarms() {
  const section = byId("bin-alarms");
  section.hidden = known.alerts === null;
  const all = known.alerts?.alerts ?? [];
  byId("bin-alarm-list").replaceChildren(...(all.length ? all.map((alert) => make("li", { class: `odd ${alert.closed_at ? "closed" : alert.severity}` },
    make("span", {},
      make("b", {}, alert.closed_at ? t("terminée") : SEVERITY_WORDS[alert.severity]), " ",
      make("span", { lang: "fr" }, typeset(alert.message)), " ",
      make("small", {}, alert.closed_at
        ? t("du {start} au {end}", { start: dateTime(alert.opened_at), end: dateTime(alert.closed_at) })
        : t("depuis {start}", { start: dateTime(alert.opened_at) })))))
    : [make("li", { class: "odd good" }, t("Aucune alarme en trois mois."))]));
}

function device() {
  const section = byId("bin-device");
  section.hidden = known.devices === null;
  const [found] = known.devices?.devices ?? [];
  const facts = byId("bin-device-facts");
  if (!found) return facts.replaceChildren(make("p", { class: "note" }, t("Aucun capteur : le niveau est estimé d’après les vidages et les autres corbeilles.")));
  const rows = [
    [t("Identifiant"), found.eui], [t("Modèle"), found.model], [t("Posé"), found.mounted_at && dateTime(found.mounted_at)],
    [t("Entendu"), found.last_seen_at ? since(found.last_seen_at, known.history.now) : t("jamais")],
    [t("Pile"), found.battery_percent === null ? (found.battery_v === null ? t("inconnue") : `${found.battery_v} V`) : percent(found.battery_percent / 100)],
  ];
  return facts.replaceChildren(make("dl", { class: "facts" }, ...rows.filter(([, value]) => value).map(([name, value]) => make("div", {}, make("dt", {}, name), make("dd", {}, value)))));
}

function figures() {
  const levels = allLevels().toReversed();
  say("bin-figures-title", n("{count} mesure, et la prévision heure par heure", "{count} mesures, et la prévision heure par heure", levels.length));
  byId("bin-levels").replaceChildren(...(levels.length ? inPieces(levels, (level) => make("li", {},
    make("time", { datetime: level.measured_at }, dateTime(level.measured_at)),
    make("b", {}, level.fill_fraction === null ? "–" : percent(level.fill_fraction)),
    make("span", {}, level.quality === "ok" ? "" : (level.reason ?? QUALITIES[level.quality] ?? level.quality)))) : [make("li", {}, t("Aucune mesure."))]));
  byId("bin-hours").replaceChildren(...(known.history.predicted.length ? inPieces(known.history.predicted, (hour) => make("li", {},
    make("time", { datetime: hour.valid_at }, dateTime(hour.valid_at)),
    make("b", {}, percent(hour.p50)),
    make("span", {}, t("de {low} à {high}, pleine : {full}", { low: percent(hour.p10), high: percent(hour.p90), full: percent(hour.probability_full) })))) : [make("li", {}, t("Aucune prévision."))]));
}

const later = calmly(loadAll);

let greeted = false;

/** At first everything was asked for just now; a later greeting comes from a server that cannot say what was missed. */
function onEvent(kind) {
  if (kind !== "hello" || greeted) later(["bin"]);
  if (kind === "hello") greeted = true;
}

function onLine(line) {
  showLine(line);
  retry(line);
  if (line === "live" && isTroubled()) later(["bin"]);
}

clock.start();
for (const box of document.querySelectorAll('input[name="days"]')) {
  box.addEventListener("change", () => { daysShown = Number(box.value); loadAll(); });
}
let width = 0;
new ResizeObserver(([entry]) => {
  if (!known.history || Math.abs(entry.contentRect.width - width) < 2) return;
  width = entry.contentRect.width;
  draw();
}).observe(byId("bin-chart"));
await load("commune");
await loadAll();
listen({ onEvent, onLine, onRefused: () => load("commune") });
