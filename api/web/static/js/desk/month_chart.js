// A month of rounds, a bar a day: what was driven beside what the former rounds would have driven.

import { svg } from "../dom.js";
import { dayName, weekdayLetter } from "../format.js";
import { t } from "../i18n.js";

const HEIGHT = 260;
const [TOP, RIGHT, FOOT, LEFT] = [14, 8, 40, 60];

/** Steps that people count in: the smallest of 1, 2, 5 × 10^n of which at most five make `most`. */
function step(most) {
  const raw = most / 5;
  const ten = 10 ** Math.floor(Math.log10(raw));
  return [1, 2, 5, 10].map((factor) => factor * ten).find((each) => each >= raw);
}

/** Draw `days` (`{ day, done, former, planned }`, null: not known) in `width` pixels; `words(value)` says a figure, `tick(value)` one at the side. */
export function monthChart({ width, days, words, tick, label }) {
  const most = Math.max(0, ...days.flatMap(({ done, former, planned }) => [done ?? 0, former ?? 0, planned ?? 0])) || 1; // nothing yet: a scale all the same
  const each = step(most);
  const top = Math.ceil(most / each) * each;
  const slot = (width - LEFT - RIGHT) / days.length;
  const y = (value) => TOP + (1 - value / top) * (HEIGHT - TOP - FOOT);
  const parts = [];
  for (let value = 0; value <= top + each / 2; value += each) {
    parts.push(svg("line", { x1: LEFT, x2: width - RIGHT, y1: y(value), y2: y(value), stroke: "var(--line)" }));
    parts.push(svg("text", { x: LEFT - 8, y: y(value) + 4, "text-anchor": "end" }, tick(value)));
  }
  const every = Math.ceil(26 / slot);
  for (const [index, { day, done, former, planned }] of days.entries()) {
    const x = LEFT + index * slot;
    const bar = Math.max(2, slot * 0.62);
    const left = x + (slot - bar) / 2;
    const title = [dayName(day), done === null ? t("rien de déclaré") : t("fait : {value}", { value: words(done) }), former === null ? null : t("avant : {value}", { value: words(former) })].filter(Boolean).join(", ");
    const group = svg("g", {}, svg("title", {}, title));
    if (former !== null) group.append(svg("rect", { x: left - 1, y: y(former), width: bar + 2, height: Math.max(0, y(0) - y(former)), fill: "var(--card)", stroke: "var(--muted)", "stroke-width": 1.5, "stroke-dasharray": "4 3" }));
    if (done !== null) group.append(svg("rect", { x: left + 2, y: y(done), width: Math.max(1, bar - 4), height: Math.max(0, y(0) - y(done)), fill: "var(--accent)" }));
    else if (planned !== null) group.append(svg("rect", { x: left + 2, y: y(planned), width: Math.max(1, bar - 4), height: Math.max(0, y(0) - y(planned)), fill: "var(--accent)", opacity: 0.4 }));
    parts.push(group);
    if (index % every === 0) {
      parts.push(svg("text", { x: x + slot / 2, y: HEIGHT - FOOT + 16, "text-anchor": "middle" }, String(Number(day.slice(8)))));
      parts.push(svg("text", { x: x + slot / 2, y: HEIGHT - FOOT + 31, "text-anchor": "middle", class: "now" }, weekdayLetter(day)));
    }
  }
  return svg("svg", { class: "levels", viewBox: `0 0 ${width} ${HEIGHT}`, width, height: HEIGHT, role: "img", "aria-label": label }, ...parts);
}
