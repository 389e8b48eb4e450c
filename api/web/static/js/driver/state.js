// The round under way: put together from the plan, the taps and what was done without one. All of it is kept.

import { Problem } from "../http.js";
import { language } from "../i18n.js";
import { ask } from "./ask.js";
import * as box from "./box.js";
import { now } from "./present.js";
import * as queue from "./queue.js";
import { heldNext, isPassed, nextOf, toDo, withWays } from "./round.js";

const COMPLETES = new Set(["emptied", "blocked"]);

let round = null; // what the server said last of this vehicle's round, with its route
let stops = [];
let held = { next: null, done: [], told: null };

export const current = () => round;
export const allStops = () => stops;
export const next = () => held.next;
export const change = () => held.told;

/** What the driver said and did not take back, also what the server refused: he was there. */
const standing = () => queue.taps().filter((tap) => tap.type === "event" && tap.place_id && !tap.withdrawn);

/** What was tapped at a stop and stands, oldest first; what others declared there comes before. */
export function tapsAt(stop) {
  if (stop.kind !== "bin") return [];
  const mine = standing().filter((tap) => tap.place_id === stop.place_id);
  const ids = new Set(queue.taps().map((tap) => tap.event_id));
  const others = (round?.declared ?? []).filter((event) => event.place_id === stop.place_id && !ids.has(event.event_id));
  return [...others, ...mine];
}

const completing = (stop) => tapsAt(stop).findLast((tap) => COMPLETES.has(tap.kind)) ?? null;

function isDone(key) {
  const stop = stops.find((each) => each.key === key) ?? (held.next?.key === key ? held.next : null);
  if (!stop) return false;
  return stop.kind === "bin" ? completing(stop) !== null : held.done.includes(key);
}

/** "done", "skipped" or "": how a stop stands. */
export function look(stop) {
  if (stop.kind !== "bin") return isDone(stop.key) || isPassed(stops, stop, isDone) ? "done" : "";
  const last = completing(stop);
  if (!last) return "";
  return last.kind === "emptied" ? "done" : "skipped";
}

export const left = () => stops.filter((stop) => stop.kind === "bin" && !look(stop));

/** The turn of a bin in the round, from 1. */
export function turnOf(stop) {
  return stops.filter((each) => each.kind === "bin").findIndex((each) => each.key === stop.key) + 1;
}

/** Take what the tablet kept of this vehicle's round; false when it has none. */
export async function recall(vehicleId) {
  const found = await box.kept("round");
  if (!found || found.vehicle_id !== vehicleId) return false;
  round = found;
  held = (await box.kept("held")) ?? held;
  layOut();
  return round.route !== null;
}

function layOut() {
  stops = round?.route ? toDo(withWays(round.route)) : [];
}

const save = () => box.keep("held", held);

/**
 * Ask for the round: the first time whole, then what changed. The next stop stays what it is. Returns whether there was
 * news. Throws a Problem: 404 when no plan of the day is published.
 */
export async function renew(vehicleId) {
  const known = round?.vehicle_id === vehicleId ? round : null;
  const query = { lang: language };
  if (known) query.service_date = known.service_date;
  if (known?.route) query.known_version = known.version;
  const answer = await ask("GET", `/rounds/${encodeURIComponent(vehicleId)}`, { query });
  const whole = answer.route ?? (answer.changed ? null : known?.route ?? null);
  const streets = { ...known?.streets, ...answer.streets };
  const before = known?.version ?? null;
  round = { ...answer, route: whole, streets };
  if (!known) held = { next: null, done: [], told: null };
  layOut();
  held.next = heldNext(stops, held.next, isDone);
  if (before !== null && answer.changed && answer.version !== before) held.told = merged(held.told, answer.changes);
  await box.keep("round", round);
  await save();
  return answer.changed || before === null;
}

/** What changed since the driver last said that he saw it; what came and went again is not told. */
function merged(told, changes) {
  const empty = { added: [], removed: [], reordered: [] };
  const old = told ?? empty;
  const added = [...old.added.filter((id) => !changes.removed.includes(id)), ...changes.added.filter((id) => !old.removed.includes(id))];
  const removed = [...old.removed.filter((id) => !changes.added.includes(id)), ...changes.removed.filter((id) => !old.added.includes(id))];
  const reordered = [...new Set([...old.reordered, ...changes.reordered])].filter((id) => !added.includes(id) && !removed.includes(id));
  return { added, removed, reordered };
}

export async function changeSeen() {
  held.told = null;
  await save();
}

/** Tap at the next stop. Returns the tap; null when there is no stop, or the same was said of it already. */
export async function tap({ kind, found_fraction = null, hold_ms = 0 }) {
  const stop = held.next;
  if (!stop || stop.kind !== "bin") return null;
  if (tapsAt(stop).some((each) => each.kind === kind)) return null;
  const completes = COMPLETES.has(kind);
  const made = await queue.add(
    { place_id: stop.place_id, kind, found_fraction, comment: null, plan_id: round.plan_id, happened_at: now().toISOString(), completes, stop },
    { hold_ms },
  );
  if (completes) await goOn();
  return made;
}

/** A stop that nobody declares (the break, the unloading, the depot) is over. */
export async function pass() {
  if (!held.next || held.next.kind === "bin") return;
  held.done.push(held.next.key);
  await goOn();
}

async function goOn() {
  held.next = nextOf(stops, isDone);
  await save();
}

/** Go to another stop first. */
export async function headFor(key) {
  const stop = stops.find((each) => each.key === key);
  if (!stop) return;
  held.done = held.done.filter((each) => each !== key);
  held.next = stop;
  await save();
}

/** Take a tap back; its stop is the next one again. */
export async function takeBack(tapped) {
  await queue.takeBack(tapped, now().toISOString());
  const stop = stops.find((each) => each.kind === "bin" && each.place_id === tapped.place_id) ?? (tapped.stop && { ...tapped.stop, dropped: true });
  if (stop && tapped.completes) held.next = stop;
  await save();
}

export const giveReason = (tapped, comment) => queue.giveReason(tapped, comment, now().toISOString());

/** The last tap that can still be taken back; null before the first one. */
export const lastTap = () => standing().at(-1) ?? null;

/** Stops that were tapped and that the plan has no more, such as a blocked one after a repair. */
export function tappedElsewhere() {
  const here = new Set(stops.map((stop) => stop.key));
  const found = new Map(standing().filter((tap) => tap.stop && !here.has(tap.stop.key)).map((tap) => [tap.stop.key, tap.stop]));
  return [...found.values()];
}

/** The streets around, kept for the map; null when this server has none. */
export async function streets() {
  const found = await box.kept("streets");
  if (found) return found;
  try {
    const answer = await ask("GET", "/streets");
    await box.keep("streets", answer);
    return answer;
  } catch (error) {
    if (error instanceof Problem) return null;
    throw error;
  }
}

/** A round of another day, of which every tap was sent, is over: nothing of it stays. */
export async function forgetOld(today) {
  const found = await box.kept("round");
  if (!found) return;
  const taps = await box.taps();
  const open = taps.some((each) => each.state !== "sent");
  const ended = new Date(found.route?.end_at ?? `${found.service_date}T23:59:59Z`);
  if (!open && today - ended > 12 * 3_600_000) await box.empty();
}
