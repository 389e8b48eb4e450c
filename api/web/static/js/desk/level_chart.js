// A bin's level over time: measured and filtered, what was not trusted, emptyings, and the forecast with its bands.

import { svg } from "../dom.js";
import { clockTime, dayOf, percent, shortDate } from "../format.js";
import { t } from "../i18n.js";

const HEIGHT = 320;
const [TOP, RIGHT, FOOT, LEFT] = [14, 12, 34, 48];
const CEILING = 1.25; // bins overflow, and a forecast may reach further than full
const GAP_MS = 8 * 3_600_000; // over a longer silence no line is drawn: nobody knows
const COLOURS = { ink: "var(--ink)", muted: "var(--muted)", grid: "var(--line)", forecast: "var(--forecast)", emptied: "var(--good)", full: "var(--alert)" };

/**
 * Draw `width` pixels of a bin's life: `levels` (with `fill_fraction`, `filtered_fraction`), `predicted` (hours with p05 to
 * p95), `emptyings` (`{ at, declared }`), from `since` by `now` to `until`.
 */
export function levelChart({ width, levels, predicted, emptyings, since, now, until }) {
  const [from, to] = [Date.parse(since), Date.parse(until)];
  const x = (moment) => LEFT + ((Date.parse(moment) - from) / Math.max(1, to - from)) * (width - LEFT - RIGHT);
  const y = (fraction) => TOP + (1 - Math.max(0, Math.min(CEILING, fraction)) / CEILING) * (HEIGHT - TOP - FOOT);
  const parts = [...grid({ width, y }), ...days({ x, since, until, width })];
  parts.push(...bands({ x, y, predicted }));
  const trusted = levels.filter((level) => level.fill_fraction !== null && level.quality === "ok");
  for (const stretch of stretches(trusted, emptyings)) {
    const points = stretch.map((level) => `${x(level.measured_at).toFixed(1)},${y(level.filtered_fraction ?? level.fill_fraction).toFixed(1)}`).join(" ");
    parts.push(svg("polyline", { points, fill: "none", stroke: COLOURS.ink, "stroke-width": 2, "stroke-linejoin": "round" }));
  }
  for (const level of trusted) {
    parts.push(svg("circle", { cx: x(level.measured_at).toFixed(1), cy: y(level.fill_fraction).toFixed(1), r: 2.2, fill: COLOURS.ink }));
  }
  for (const level of levels) {
    if (level.quality !== "ok" && level.fill_fraction !== null) parts.push(cross(x(level.measured_at), y(level.fill_fraction)));
  }
  for (const { at, declared } of emptyings) {
    if (Date.parse(at) < from) continue;
    parts.push(svg("line", { x1: x(at), x2: x(at), y1: TOP, y2: HEIGHT - FOOT, stroke: COLOURS.emptied, "stroke-width": 2, "stroke-dasharray": declared ? null : "3 4" }));
    parts.push(svg("path", { d: `M${x(at) - 5},${TOP - 8}h10l-5,8z`, fill: declared ? COLOURS.emptied : "var(--card)", stroke: COLOURS.emptied, "stroke-width": 1.5 }));
  }
  parts.push(svg("line", { x1: x(now), x2: x(now), y1: TOP, y2: HEIGHT - FOOT, stroke: COLOURS.muted, "stroke-dasharray": "2 3" }));
  const near = x(now) > width - 110;
  parts.push(svg("text", { x: x(now) + (near ? -4 : 4), y: HEIGHT - FOOT - 5, "text-anchor": near ? "end" : "start", class: "now" }, t("maintenant, {time}", { time: clockTime(now) })));
  return svg("svg", { class: "levels", viewBox: `0 0 ${width} ${HEIGHT}`, width, height: HEIGHT, role: "img", "aria-label": t("Niveau de la corbeille dans le temps, mesuré puis estimé. Les tableaux ci-dessous disent la même chose en chiffres.") }, ...parts);
}

function grid({ width, y }) {
  return [0, 0.25, 0.5, 0.75, 1].flatMap((level) => [
    svg("line", { x1: LEFT, x2: width - RIGHT, y1: y(level), y2: y(level), stroke: level === 1 ? COLOURS.full : COLOURS.grid, "stroke-dasharray": level === 1 ? "6 4" : null }),
    svg("text", { x: LEFT - 8, y: y(level) + 4, "text-anchor": "end" }, percent(level)),
  ]);
}

/** A line at each local midnight, and the dates for which there is room. */
function days({ x, since, until, width }) {
  const found = [];
  const each = Math.max(1, Math.ceil((Date.parse(until) - Date.parse(since)) / 86_400_000 / Math.max(2, Math.floor(width / 90))));
  let last = dayOf(since);
  let count = 0;
  for (let at = Date.parse(since); at <= Date.parse(until); at += 1_800_000) {
    const moment = new Date(at).toISOString();
    if (dayOf(moment) === last) continue;
    last = dayOf(moment);
    count += 1;
    found.push(svg("line", { x1: x(moment), x2: x(moment), y1: TOP, y2: HEIGHT - FOOT + 5, stroke: COLOURS.grid }));
    if (count % each === 0 || each === 1) {
      const last = x(moment) > width - 100;
      found.push(svg("text", { x: last ? width - 1 : x(moment) + 3, y: HEIGHT - FOOT + 18, "text-anchor": last ? "end" : "start" }, shortDate(moment)));
    }
  }
  return found;
}

function bands({ x, y, predicted }) {
  if (predicted.length < 2) return [];
  const along = (name) => predicted.map((point) => `${x(point.valid_at).toFixed(1)},${y(point[name]).toFixed(1)}`);
  const band = (low, high, opacity) => svg("polygon", { points: [...along(low), ...along(high).reverse()].join(" "), fill: COLOURS.forecast, opacity });
  return [
    band("p05", "p95", 0.14),
    band("p10", "p90", 0.2),
    svg("polyline", { points: along("p50").join(" "), fill: "none", stroke: COLOURS.forecast, "stroke-width": 2, "stroke-dasharray": "6 4" }),
  ];
}

/** Measurements without a silence or an emptying between them. */
function stretches(levels, emptyings) {
  const found = [];
  let current = [];
  for (const level of levels) {
    const before = current.at(-1);
    const broken = before && (Date.parse(level.measured_at) - Date.parse(before.measured_at) > GAP_MS
      || emptyings.some(({ at }) => at > before.measured_at && at <= level.measured_at));
    if (broken) {
      found.push(current);
      current = [];
    }
    current.push(level);
  }
  return [...found, current].filter((stretch) => stretch.length > 1);
}

function cross(x, y) {
  return svg("path", { d: `M${x - 3.5},${y - 3.5}l7,7m0,-7l-7,7`, stroke: COLOURS.muted, "stroke-width": 1.5, fill: "none" });
}
