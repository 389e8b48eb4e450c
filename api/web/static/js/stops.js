// Which round of the plan stops at a bin.

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
