// The sign of a manoeuvre, read before the words are.

import { svg } from "../dom.js";

const TURNS = { straight: 0, slight_right: 45, right: 90, sharp_right: 135, uturn: 180, sharp_left: -135, left: -90, slight_left: -45 };
const COMPASS = { north: 0, north_east: 45, east: 90, south_east: 135, south: 180, south_west: -135, west: -90, north_west: -45 };
const ROUND = new Set(["roundabout", "exit_roundabout", "roundabout_turn"]);

/** The drawing of a step (as the API has it) or of a point of the compass; a pin when there is nothing to say. */
export function arrow({ manoeuvre = null, modifier = null, exit = null, towards = null }) {
  if (towards) return compass(COMPASS[towards]);
  if (manoeuvre === "depart" || manoeuvre === "direct") return modifier === "uturn" ? turn(180) : compass(COMPASS[modifier] ?? 0);
  if (manoeuvre === null || manoeuvre === "arrive") return pin();
  if (ROUND.has(manoeuvre)) return [svg("circle", { r: 24, "stroke-width": 10 }), exit ? svg("text", { y: 14 }, String(exit)) : svg("path", { d: "M0 -24V-44M-10 -36L0 -46L10 -36" })];
  return turn(TURNS[modifier] ?? 0);
}

/** Up the street, then the way it turns. */
function turn(degrees) {
  if (degrees === 180) return [svg("path", { d: "M18 40V-6a18 18 0 0 0-36 0V22M-32 8L-18 24L-4 8" })];
  if (degrees === 0) return [svg("path", { d: "M0 42V-36M-20 -16L0 -38L20 -16" })];
  const head = svg("g", { transform: `rotate(${degrees})` }, svg("path", { d: "M0 0V-34M-18 -18L0 -37L18 -18" }));
  return [svg("path", { d: "M0 42V0" }), head];
}

/** A needle: which way it is, whatever the streets. */
function compass(degrees) {
  return [svg("g", { transform: `rotate(${degrees})` }, svg("path", { d: "M0 -40L24 34L0 18L-24 34Z", "stroke-width": 8 }))];
}

function pin() {
  return [svg("path", { d: "M0 42C-24 14 -28 2 -28 -12a28 28 0 0 1 56 0C28 2 24 14 0 42Z", "stroke-width": 9 }), svg("circle", { r: 6, cy: -12, "stroke-width": 9 })];
}
