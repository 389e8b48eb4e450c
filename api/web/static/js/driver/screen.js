// What the driver sees, drawn from the state each time something changed.

import { byId, keepFocus, make, say } from "../dom.js";
import { clockTime, duration } from "../format.js";
import { colon, n, t } from "../i18n.js";
import { reasonIn } from "../reasons.js";
import { arrow } from "./arrows.js";
import * as map from "./map.js";
import { position } from "./position.js";
import * as queue from "./queue.js";
import * as state from "./state.js";
import { guide } from "./way.js";
import { far, KINDS, REASONS, said, towards } from "./words.js";

const SIGNS = { done: "✓", skipped: "✕" };
let onReason = () => {};
let onHead = () => {};
let drawn = "";
let reasoned = null;

/** `reason(tap, comment)` when a reason is pressed, `head(key)` when a stop of the list is chosen. */
export function start({ reason, head }) {
  onReason = reason;
  onHead = head;
}

const nameOf = (stop) => (stop.kind === "bin" ? stop.place_id : KINDS[stop.kind]);
const streetOf = (stop) => state.current()?.streets?.[stop.place_id] ?? "";

/** Draw all of it. */
export function draw() {
  const next = state.next();
  byId("main").dataset.state = next ? "under-way" : "over";
  say("vehicle-name", state.current()?.route?.vehicle_name ?? state.current()?.vehicle_id ?? document.body.dataset.vehicle);
  drawNext(next);
  drawGuide();
  drawDeeds(next);
  drawLast();
  drawChange();
  drawList(next);
  drawMap(next);
}

function drawNext(next) {
  if (!next) {
    const total = state.allStops().filter((stop) => stop.kind === "bin").length;
    say("next-name", total ? t("Tournée terminée") : t("Aucune tournée pour ce véhicule"));
    say("next-turn", "");
    say("next-street", total ? summary() : t("Le plan publié n’en a pas. Demandez au chef d’équipe, ou choisissez un autre véhicule dans le menu."));
    say("next-note", "");
    return;
  }
  const left = state.left().length;
  say("next-name", nameOf(next));
  say("next-turn", n("reste {count} corbeille", "reste {count} corbeilles", left));
  say("next-street", next.dropped ? t("N’est plus au plan : videz-la, ou signalez-la bloquée pour passer.") : streetOf(next));
  const remarks = state.tapsAt(next).map(said);
  const note = [t("prévu à {time}", { time: clockTime(next.arrive_at) }), ...remarks];
  if (next.kind === "break") note.push(duration((new Date(next.depart_at) - new Date(next.arrive_at)) / 1000));
  byId("next-note").replaceChildren(note.join(" · "), ...(next.reason ? [" · ", reasonIn("span", {}, next.reason)] : []));
}

function summary() {
  const bins = state.allStops().filter((stop) => stop.kind === "bin");
  const skipped = bins.filter((stop) => state.look(stop) === "skipped").length;
  return [n("{count} vidée", "{count} vidées", bins.length - skipped), n("{count} bloquée", "{count} bloquées", skipped)].join(", ");
}

/** The way to the next stop, from where the vehicle is; drawn again at each new position. */
export function drawGuide() {
  const next = state.next();
  byId("guide").hidden = !next;
  if (!next) return;
  const { kind, distance_m: distance, step, step_m: stepDistance, after, towards: point } = guide(next, position());
  byId("guide").dataset.kind = kind;
  byId("guide-arrow").replaceChildren(...arrow(point ? { towards: point } : step ?? {}));
  const arriving = step === null || step.manoeuvre === "arrive";
  say("guide-distance", distance === null ? "" : far(kind === "on_way" && !arriving ? stepDistance : distance));
  say("guide-sentence", sentence({ kind, step, point }));
  const rest = kind === "on_way" && !arriving ? t("Arrêt dans {distance}", { distance: far(distance) }) : null;
  const then = after && after.manoeuvre !== "arrive" && kind !== "off_way" ? t("Puis : {sentence}", { sentence: lowerFirst(after.sentence) }) : null;
  const blind = kind === "planned" ? t("Position inconnue") : null;
  say("guide-after", [blind, rest, then].filter(Boolean).join(" · "));
}

const lowerFirst = (text) => text.charAt(0).toLocaleLowerCase() + text.slice(1);

function sentence({ kind, step, point }) {
  if (kind === "off_way") return t("À vol d’oiseau, {direction}", { direction: towards(point) });
  if (kind === "unknown") return t("À prendre sur le chemin");
  if (kind === "planned") return step ? step.sentence : t("Depuis l’arrêt précédent");
  return step ? step.sentence : t("Suivez le trait sur la carte");
}

function drawDeeds(next) {
  byId("for-bin").hidden = next?.kind !== "bin";
  byId("for-other").hidden = !next || next.kind === "bin";
  byId("for-end").hidden = Boolean(next);
  const told = new Set(next ? state.tapsAt(next).map((tap) => tap.kind) : []);
  for (const button of document.querySelectorAll("#for-bin [data-kind]")) {
    const { kind } = button.dataset;
    if (kind === "overflowing" || kind === "damaged") button.setAttribute("aria-pressed", String(told.has(kind)));
  }
}

function drawLast() {
  const last = state.lastTap();
  byId("last").hidden = !last;
  if (!last) return;
  const place = last.state === "refused" ? t("{place} : refusée par le serveur, voir le menu", { place: last.place_id }) : `${last.place_id}${colon}${said(last)}`;
  say("last-text", place);
  const offered = last.comment || last.state === "refused" ? [] : REASONS[last.kind] ?? [];
  byId("reasons").hidden = offered.length === 0;
  if (reasoned === `${last.event_id} ${offered.length}`) return;
  reasoned = `${last.event_id} ${offered.length}`;
  byId("reasons").replaceChildren(...offered.map((words) => make("button", { class: "big", type: "button", onclick: () => onReason(last, words) }, words)));
}

function drawChange() {
  const told = state.change();
  const parts = told ? [
    told.added.length ? n("{count} corbeille de plus ({places})", "{count} corbeilles de plus ({places})", told.added.length, { places: few(told.added) }) : null,
    told.removed.length ? n("{count} de moins ({places})", "{count} de moins ({places})", told.removed.length, { places: few(told.removed) }) : null,
    told.reordered.length ? n("{count} change de rang", "{count} changent de rang", told.reordered.length) : null,
  ].filter(Boolean) : [];
  byId("change").hidden = !told;
  say("change-text", told ? [parts.length ? t("Le plan a changé : {what}.", { what: parts.join(", ") }) : t("Le plan a changé : seulement les heures."), t("Votre prochain arrêt reste le même.")].join(" ") : "");
}

const few = (places) => (places.length > 4 ? [...places.slice(0, 3), "…"] : places).join(", ");

function drawList(next) {
  if (byId("stops").hidden) return;
  const rows = [...state.tappedElsewhere(), ...listed(next)].map((stop) => row(stop, next));
  keepFocus(byId("stops"), rows, t("Le plan publié n’a pas de tournée pour ce véhicule."));
}

/** The stops in their order; a next stop that the plan has no more stands before those to come. */
function listed(next) {
  const stops = state.allStops();
  if (!next?.dropped) return stops;
  const at = stops.findLastIndex((stop) => state.look(stop)) + 1;
  return [...stops.slice(0, at), next, ...stops.slice(at)];
}

function row(stop, next) {
  const look = stop.key === next?.key ? "" : state.look(stop);
  const current = stop.key === next?.key;
  const turn = stop.kind === "bin" && state.turnOf(stop) > 0 ? String(state.turnOf(stop)) : "·";
  const taps = state.tapsAt(stop);
  const words = taps.length ? taps.map(said).join(", ") : current ? t("prochain arrêt") : look === "done" ? t("fait") : clockTime(stop.arrive_at);
  return make("li", {},
    make("button", { class: `stop ${look ? `stop-${look}` : ""}`, type: "button", "data-place": stop.key, "aria-current": current ? "step" : null, onclick: () => onHead(stop) },
      make("span", { class: "stop-turn", "aria-hidden": true }, SIGNS[look] ?? turn),
      make("span", { class: "stop-name" }, nameOf(stop)),
      make("span", { class: "stop-state" }, words),
      make("span", { class: "stop-street" }, streetOf(stop))));
}

function drawMap(next) {
  const stops = state.allStops();
  const shown = JSON.stringify([state.current()?.version, next?.key, next?.dropped, stops.map(state.look)]);
  if (shown === drawn) return;
  drawn = shown;
  map.draw({ stops, next, look: state.look, turnOf: state.turnOf });
  map.follow(position(), next);
}

/** How many taps wait, in words; "" when none does. */
export function unsent() {
  const count = queue.waiting().length;
  return count ? n("{count} geste à envoyer", "{count} gestes à envoyer", count) : "";
}
