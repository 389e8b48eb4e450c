// The day's plan: which day, what it comes to, whose it is; every round with its stops and reasons; what is left and why.

import { byId, keepFocus, make, say } from "../dom.js";
import { clockTime, dateTime, dayAfter, dayName, dayOf, duration, kilometres } from "../format.js";
import { n, t } from "../i18n.js";
import * as map from "../map.js";
import { roundClass } from "../palette.js";
import { inPieces } from "../pieces.js";
import { reasonIn } from "../reasons.js";
import { drawRounds, KIND_WORDS } from "../round_lines.js";
import { may } from "../store.js";
import { point } from "./bins.js";
import { drawClosed, startClosing } from "./closing.js";
import { after, before, desk, turnTo, whenDay } from "./day.js";
import { idle, nameInFleet } from "./fleet.js";
import { openPlace } from "./place.js";
import { shown, shownLeftOut, trying, whenTried } from "./trying.js";
import { openVehicle } from "./vehicle.js";

const LEFT_WORDS = {
  not_worth_it: t("Peuvent attendre"),
  must_not: t("Laissées sur consigne"),
  blocked: t("Bloquées"),
  unreachable: t("Aucun chemin n’y mène"),
  access: t("Aucun véhicule n’y a accès"),
  capacity: t("Plus de place dans les bennes"),
  shift: t("Plus de temps dans les tournées"),
  range: t("Hors d’autonomie"),
  window: t("Hors des heures permises"),
  no_forecast: t("Aucune prévision"),
};
let chosen = null;
let lines = [];
const openedGroups = new Set();

export function start() {
  byId("day-before").addEventListener("click", () => turnTo(before()));
  byId("day-after").addEventListener("click", () => turnTo(after()));
  byId("close-street")?.addEventListener("click", startClosing);
  whenDay(show);
  whenTried(show);
}

/** Open the groups of left bins that have these codes. */
export function showLeft(codes) {
  byId("left-out").open = true;
  for (const code of codes) openedGroups.add(code);
  leftOut();
  byId("left-out").scrollIntoView({ block: "start" });
  byId("left-out").querySelector("summary").focus({ preventScroll: true });
}

function show() {
  heading();
  const plan = shown();
  if (chosen !== null && !plan?.routes.some((route) => route.vehicle_id === chosen)) chosen = null;
  list();
  draw();
  leftOut();
}

function heading() {
  const plan = shown();
  const name = dayName(desk.day);
  const relative = desk.day === desk.today ? t("Aujourd’hui") : desk.day === dayAfter(desk.today) ? t("Demain") : "";
  say("plan-title", name);
  say("plan-relative", relative);
  byId("day-before").setAttribute("aria-label", t("Jour d’avant : {day}", { day: dayName(before()) }));
  byId("day-after").setAttribute("aria-label", t("Jour d’après : {day}", { day: dayName(after()) }));
  byId("plan-empty").hidden = plan !== null;
  byId("plan-whole").hidden = plan === null;
  if (!plan) {
    say("plan-empty", desk.trouble
      ? t("Le plan n’a pas pu être chargé. Il revient dès que le service répond.")
      : t("Aucun plan pour le {day}. Le planificateur le fait la veille au soir ; un intégrateur peut le demander par « voirie plan ».", { day: name }));
    say("plan-lead", "");
    say("plan-version", "");
    return;
  }
  const starts = plan.routes.map((route) => route.start_at).toSorted();
  const ends = plan.routes.map((route) => route.end_at).toSorted();
  say("plan-lead", plan.routes.length
    ? t("{rounds}, {bins}, {distance}, de {start} à {end}.", {
      rounds: n("{count} tournée", "{count} tournées", plan.routes.length),
      bins: n("{count} corbeille", "{count} corbeilles", plan.bin_count),
      distance: kilometres(plan.distance_m), start: clockTime(starts[0]), end: clockTime(ends.at(-1)),
    })
    : t("Aucune tournée : rien ne vaut le déplacement ce jour-là."));
  say("plan-version", trying.draft ? t("Brouillon : personne ne le conduit tant qu’il n’est pas publié.") : versionWords());
  byId("plan-version").classList.toggle("is-draft", trying.draft !== null);
}

function versionWords() {
  const { version } = desk;
  if (!version?.version) return "";
  const values = { version: version.version, by: version.published_by ?? version.made_by, time: momentOf(version.published_at ?? version.made_at) };
  if (version.origin === "repaired") return t("Version {version}, réparée à {time}.", values);
  if (version.origin === "edited") return t("Version {version}, publiée par {by} à {time}.", values);
  return t("Version {version}, du planificateur, à {time}.", values);
}

/** A time, with its day when that is another one than the one shown. */
const momentOf = (moment) => (dayOf(moment) === desk.day ? clockTime(moment) : dateTime(moment));

function list() {
  const plan = shown();
  keepFocus(byId("round-list"), (plan?.routes ?? []).map(item), t("Aucune tournée ce jour-là."));
  atTheDepot();
}

/** Who stays at the depot: a bin can be given to them. */
export function atTheDepot() {
  const names = shown() ? idle().map((vehicle) => vehicle.name) : [];
  byId("idle").hidden = names.length === 0;
  say("idle", n("Au dépôt : {names}. Une corbeille peut lui être donnée.", "Au dépôt : {names}. Une corbeille peut leur être donnée.", names.length, { names: names.join(", ") }));
}

function item(route) {
  const open = chosen === route.vehicle_id;
  const name = `round-stops-${route.route_index}`;
  const element = make("li", { class: `round ${roundClass(route.route_index)}` },
    make("button", { type: "button", "aria-expanded": open, "aria-controls": open ? name : null, "data-place": `round-${route.vehicle_id}`, onclick: () => choose(route) },
      make("span", { class: "round-swatch", "aria-hidden": true }, String(route.route_index + 1)),
      make("span", { class: "round-name" }, route.vehicle_name),
      make("span", { class: "round-hours" }, `${clockTime(route.start_at)} – ${clockTime(route.end_at)}`),
      make("span", { class: "round-note" }, [n("{count} corbeille", "{count} corbeilles", route.bin_count), kilometres(route.distance_m), duration(route.duration_s)].join(" · "))));
  if (open) element.append(opened(route, name));
  return element;
}

function opened(route, name) {
  const marks = changesOf(route.vehicle_id);
  let turn = 0;
  const rows = route.stops.map((stop) => {
    if (stop.kind !== "bin") {
      return make("li", { class: "stop-site" }, make("time", { datetime: stop.arrive_at }, clockTime(stop.arrive_at)), make("span", {}, KIND_WORDS[stop.kind]));
    }
    turn += 1;
    const mark = marks.get(stop.place_id);
    return make("li", {},
      make("button", { class: "stop", type: "button", "data-place": `stop-${stop.place_id}`, onclick: () => { point(stop.place_id); openPlace(stop.place_id); } },
        make("time", { datetime: stop.arrive_at }, clockTime(stop.arrive_at)),
        make("span", { class: "stop-name" }, make("span", { class: "stop-turn" }, `${turn}.`), ` ${stop.place_id}`, mark ? make("span", { class: "stop-mark" }, mark) : ""),
        stop.reason && reasonIn("span", { class: "stop-reason" }, stop.reason)));
  });
  return make("div", { id: name },
    may("edit") ? make("p", { class: "round-doings" },
      make("button", { type: "button", class: "button", "data-place": `vehicle-${route.vehicle_id}`, onclick: () => openVehicle(route) }, t("Véhicule, équipage, fichiers"))) : null,
    make("ol", { class: "stops" }, ...rows));
}

/** What the draft, or an edit that waits, does to bins of a round, in a word. */
function changesOf(vehicleId) {
  const marks = new Map();
  const route = trying.draft?.version.difference?.routes.find((each) => each.vehicle_id === vehicleId);
  for (const moved of route?.moved_in ?? []) marks.set(moved.place_id, t("venue de {vehicle}", { vehicle: nameOf(moved.from) }));
  for (const placeId of route?.added ?? []) marks.set(placeId, t("ajoutée"));
  const words = { lock: t("verrouillée"), drop: t("à retirer"), move: t("à déplacer") };
  for (const edit of trying.edits) {
    if (edit.place_id && words[edit.kind] && !marks.has(edit.place_id)) marks.set(edit.place_id, words[edit.kind]);
  }
  return marks;
}

/** A vehicle's name, for who reads its id. */
export const nameOf = (vehicleId) =>
  [...(shown()?.routes ?? []), ...(desk.plan?.routes ?? [])].find((route) => route.vehicle_id === vehicleId)?.vehicle_name ?? nameInFleet(vehicleId) ?? vehicleId;

function choose(route) {
  chosen = chosen === route.vehicle_id ? null : route.vehicle_id;
  list();
  draw();
  const line = lines.find((each) => chosen !== null && each.index === route.route_index);
  if (line) map.showBounds(line.bounds);
}

function draw() {
  const plan = shown();
  const group = map.group("rounds");
  if (!plan) {
    group.clearLayers();
    lines = [];
  } else {
    const index = plan.routes.find((route) => route.vehicle_id === chosen)?.route_index ?? null;
    lines = drawRounds(group, plan, { chosen: index, onStop: (stop) => openPlace(stop.place_id) });
  }
  drawClosed(group, trying.edits);
}

function leftOut() {
  const details = byId("left-out");
  const reasons = shownLeftOut();
  details.hidden = !shown() || reasons.size === 0;
  if (details.hidden) return;
  say("left-out-title", n("{count} corbeille laissée, et pourquoi", "{count} corbeilles laissées, et pourquoi", reasons.size));
  const groups = new Map();
  for (const [placeId, reason] of reasons) {
    const code = reason.code in LEFT_WORDS ? reason.code : "other";
    groups.set(code, [...(groups.get(code) ?? []), { placeId, reason }]);
  }
  byId("left-out-groups").replaceChildren(...[...groups].toSorted((one, other) => order(one[0]) - order(other[0])).map(([code, items]) => leftGroup(code, items)));
}

/** What can wait comes last: the rest is what somebody may want to do something about. */
const order = (code) => (code === "not_worth_it" ? 99 : Object.keys(LEFT_WORDS).indexOf(code));

function leftGroup(code, items) {
  const name = LEFT_WORDS[code] ?? t("Autres raisons");
  const rows = make("ol", { class: "rows" });
  const fill = () => {
    if (rows.childElementCount) return;
    const riskiest = items.toSorted((one, other) => risk(other.reason) - risk(one.reason));
    rows.replaceChildren(...inPieces(riskiest, leftRow));
  };
  const details = make("details", { open: openedGroups.has(code), ontoggle: (event) => {
    if (!event.target.open) return openedGroups.delete(code);
    openedGroups.add(code);
    return fill();
  } }, make("summary", {}, t("{reason} ({count})", { reason: name, count: items.length })), rows);
  if (openedGroups.has(code)) fill();
  return make("li", {}, details);
}

const risk = (reason) => reason.figures.probability_full_next ?? reason.figures.probability_full ?? 0;

function leftRow({ placeId, reason }) {
  return make("li", {},
    make("button", { class: "row", type: "button", "data-place": `left-${placeId}`, onclick: () => { point(placeId); openPlace(placeId); } },
      make("span", { class: "row-name" }, placeId),
      reasonIn("span", { class: "row-note" }, reason)));
}
