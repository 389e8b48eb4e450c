// Which round of a plan stops at a bin.

import { known } from "./store.js";

let plan = null;
let stops = new Map();

/** The plan's stop at a bin, with its vehicle's name; undefined when the plan leaves the bin out. */
export function stopOf(placeId) {
  if (plan !== known.plan) {
    plan = known.plan;
    stops = new Map(plan.routes.flatMap((route) => route.stops
      .filter((stop) => stop.kind === "bin")
      .map((stop) => [stop.place_id, { ...stop, vehicle: route.vehicle_name }])));
  }
  return stops.get(placeId);
}

/** Where a bin is in a plan (null: there is none): its stop, its turn from 1 and its round; null when it is in none. */
export function placeIn(plan, placeId) {
  for (const route of plan?.routes ?? []) {
    const bins = route.stops.filter((stop) => stop.kind === "bin");
    const at = bins.findIndex((stop) => stop.place_id === placeId);
    if (at >= 0) return { stop: bins[at], turn: at + 1, route };
  }
  return null;
}
