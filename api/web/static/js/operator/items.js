// Rows of the operator's lists: a sign and a word for a state, a name, a figure, a note, and what can be done.

import { make } from "../dom.js";
import { language, t } from "../i18n.js";

const SIGNS = { good: "✓", bad: "!", doubt: "?", none: "–" };

const QUIET_MS = 15 * 60_000;
const ALIVE_MS = 60_000;

/** Whether a collector took nothing for long, and whether a worker gave a sign of life of late. */
export const isQuiet = (collector, now) => new Date(now) - new Date(collector.last_committed_at) > QUIET_MS;
export const isAlive = (seen, now) => seen !== null && new Date(now) - new Date(seen) < ALIVE_MS;

/** How a collector's line to its broker is: "connected", "deaf" (nothing is subscribed to), "lost", or "gone" (not told of). */
export function lineState({ told_at: told, connected, subscribed }, now) {
  if (!isAlive(told, now)) return "gone";
  if (!connected) return "lost";
  return subscribed ? "connected" : "deaf";
}

export const LINE_LEVELS = { connected: "good", deaf: "doubt", lost: "bad", gone: "bad" };

/** A sign for "good", "bad", "doubt" or "none"; the words beside it say the same. */
export const sign = (level) => make("span", { class: "sign", "data-level": level, "aria-hidden": "true" }, SIGNS[level]);

/** A row: `level` of its sign, `name`, `of` (smaller, beside the name), `value`, `note`, and more elements. */
export function item({ level, name, of = "", value = "", note = "" }, ...more) {
  return make("li", { class: "item" },
    sign(level),
    make("span", { class: "item-name" }, name, of && make("span", {}, ` ${of}`)),
    value && make("span", { class: "item-value" }, value),
    note && make("p", { class: "item-note" }, note),
    ...more);
}

/** A fact of a description list. */
export function fact(name, value, note = "") {
  return make("div", {}, make("dt", {}, name), make("dd", {}, value, note && make("small", {}, note)));
}

const units = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"];

/** Bytes as people say them: "1,2 Go". */
export function bytes(count) {
  const step = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, count)) / 3));
  const shown = new Intl.NumberFormat(language, {
    style: "unit", unit: units[step], unitDisplay: "short", maximumFractionDigits: step > 2 ? 1 : 0,
  });
  return shown.format(count / 1000 ** step);
}

/** A moment of the real clock, by the device's own time zone: today's by the hour, others by the day too. */
export function moment(when) {
  const at = new Date(when);
  const today = at.toDateString() === new Date().toDateString();
  const look = today ? { hour: "2-digit", minute: "2-digit" } : { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" };
  return new Intl.DateTimeFormat(language, look).format(at);
}

/** Seconds of work: "0,4 s", "12 s", "3 min". */
export function worked(seconds) {
  if (seconds >= 90) return t("{minutes} min", { minutes: Math.round(seconds / 60) });
  const look = new Intl.NumberFormat(language, { style: "unit", unit: "second", maximumFractionDigits: seconds < 10 ? 1 : 0 });
  return look.format(seconds);
}
