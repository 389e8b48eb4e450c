// The commune's vehicles: those that stand idle can be sent out, too.

import { get, Problem } from "../http.js";
import { may } from "../store.js";
import { desk } from "./day.js";
import { shown, trying } from "./trying.js";

let fleet = [];
let done = () => {};

/** Ask for the vehicles, and call `onFleet()` when they are known. */
export async function start(onFleet) {
  done = onFleet;
  if (!may("vehicles")) return;
  try {
    ({ vehicles: fleet } = await get("/vehicles"));
    done();
  } catch (error) {
    if (!(error instanceof Problem)) throw error; // those of the plan can be chosen all the same
  }
}

/** The vehicles that no round of the shown plan takes out, and that no edit keeps at the depot, published ones included. */
export function idle() {
  const out = new Set((shown()?.routes ?? []).map((route) => route.vehicle_id));
  const published = desk.versions.filter((version) => version.status !== "draft" && version.status !== "discarded");
  for (const edit of [...trying.edits, ...published.flatMap((version) => version.edits)]) {
    if (edit.kind === "without") out.add(edit.vehicle_id);
  }
  return fleet.filter((vehicle) => !out.has(vehicle.vehicle_id));
}

/** A vehicle's name; undefined when it is not of the fleet, or that is not known yet. */
export const nameInFleet = (vehicleId) => fleet.find((vehicle) => vehicle.vehicle_id === vehicleId)?.name;
