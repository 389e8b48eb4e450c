// Where the vehicle is, while its round is open: for the map and the way, and told to the planner now and then.
// The server keeps the last position alone.

import { Problem } from "../http.js";
import { ask } from "./ask.js";

const TELL_EVERY_MS = 15_000;
const OPTIONS = { enableHighAccuracy: true, maximumAge: 5_000 };

let here = null;
let toldAt = -Infinity;
let watching = null;
let lock = null;

/** [longitude, latitude], or null while it is not known. */
export const position = () => here;

/** Begin. `onMove()` at each new position; `saying()` returns what the planner is told: `{vehicle_id, next_place_id, now}`. */
export function start({ onMove, saying }) {
  if (watching !== null || !navigator.geolocation) return;
  watching = navigator.geolocation.watchPosition(
    ({ coords }) => {
      here = [coords.longitude, coords.latitude];
      onMove();
      tell(saying);
    },
    () => {
      here = null; // refused, or no satellite: nothing is known, and an old place would mislead
      onMove();
    },
    OPTIONS,
  );
  stayAwake();
  document.addEventListener("visibilitychange", stayAwake);
}

export function stop() {
  if (watching !== null) navigator.geolocation.clearWatch(watching);
  watching = null;
  here = null;
  document.removeEventListener("visibilitychange", stayAwake);
  lock?.release();
  lock = null;
}

async function tell(saying) {
  if (performance.now() - toldAt < TELL_EVERY_MS) return;
  toldAt = performance.now();
  const { vehicle_id: vehicle, next_place_id, now } = saying();
  const [longitude_deg, latitude_deg] = here;
  try {
    await ask("PUT", `/vehicles/${encodeURIComponent(vehicle)}/position`, { body: { told_at: now.toISOString(), longitude_deg, latitude_deg, next_place_id } });
  } catch (error) {
    if (!(error instanceof Problem)) throw error; // an old position is of use to nobody: it is not kept for later
  }
}

/** A screen that goes dark between two stops would need a glove off. */
async function stayAwake() {
  if (document.hidden || !navigator.wakeLock) return;
  try {
    lock = await navigator.wakeLock.request("screen");
  } catch {
    lock = null; // such as a battery that is nearly empty
  }
}
