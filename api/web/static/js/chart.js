// A bin's last days as measured and declared, and its next ones as predicted, in a small drawing.

import { make, svg } from "./dom.js";
import { clockTime, percent } from "./format.js";
import { get, Problem } from "./http.js";
import { t } from "./i18n.js";
import { may } from "./store.js";

const WIDTH = 288;
const HEIGHT = 92;
const TOP = 6;
const FOOT = 14;
const LEFT = 26;
const DAYS = 2;
const CEILING = 1.25; // bins overflow, and a forecast may reach further than full

/** Return the drawing and its caption, or null when nothing is known, or the person may not see it. */
export async function chart(placeId) {
  if (!may("history")) return null;
  let history;
  try {
    history = await get(`/bins/${encodeURIComponent(placeId)}/history`, { days: DAYS });
  } catch (error) {
    if (error instanceof Problem) return null;
    throw error;
  }
  const measured = history.measured.filter((level) => level.fill_fraction !== null);
  if (measured.length + history.predicted.length === 0) return null;
  const from = measured.length ? new Date(history.since) : new Date(history.now);
  const last = history.predicted.at(-1);
  const until = last ? new Date(last.valid_at) : new Date(history.now);
  const x = (moment) => LEFT + ((new Date(moment) - from) / Math.max(1, until - from)) * (WIDTH - LEFT);
  const y = (fraction) => TOP + (1 - Math.min(CEILING, fraction) / CEILING) * (HEIGHT - TOP - FOOT);
  const points = (items, at, level) => items.map((item) => `${x(item[at]).toFixed(1)},${y(item[level]).toFixed(1)}`);
  const parts = [];
  for (const level of [0, 0.5, 1]) {
    parts.push(svg("line", { x1: LEFT, x2: WIDTH, y1: y(level), y2: y(level), stroke: "var(--line)" }));
    parts.push(svg("text", { x: LEFT - 4, y: y(level) + 3, "text-anchor": "end" }, String(100 * level)));
  }
  if (last) {
    const band = [...points(history.predicted, "valid_at", "p10"), ...points(history.predicted, "valid_at", "p90").reverse()];
    parts.push(svg("polygon", { points: band.join(" "), fill: "var(--forecast)", opacity: 0.22 }));
    parts.push(svg("polyline", { points: points(history.predicted, "valid_at", "p50").join(" "), fill: "none", stroke: "var(--forecast)", "stroke-width": 1.6, "stroke-dasharray": "4 3" }));
  }
  parts.push(svg("polyline", { points: points(measured, "measured_at", "fill_fraction").join(" "), fill: "none", stroke: "var(--ink)", "stroke-width": 1.6, "stroke-linejoin": "round" }));
  for (const emptying of history.declared) {
    if (new Date(emptying.emptied_at) < from) continue;
    parts.push(svg("line", { x1: x(emptying.emptied_at), x2: x(emptying.emptied_at), y1: TOP, y2: HEIGHT - FOOT, stroke: "var(--good)", "stroke-width": 1.5 }));
  }
  parts.push(svg("line", { x1: x(history.now), x2: x(history.now), y1: TOP, y2: HEIGHT - FOOT, stroke: "var(--muted)", "stroke-dasharray": "2 2" }));
  parts.push(svg("text", { x: Math.min(x(history.now), WIDTH - 34), y: HEIGHT - 3, "text-anchor": measured.length ? "middle" : "start" }, `${clockTime(history.now)}`));
  const words = [measured.length && t("trait plein : mesuré"), last && t("bande : estimé à {share}", { share: percent(0.8) }), history.declared.length && t("vert : vidée")];
  return [
    svg("svg", { class: "chart", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": t("Remplissage des derniers et des prochains jours") }, ...parts),
    make("p", { class: "chart-caption" }, words.filter(Boolean).join(" · ")),
  ];
}
