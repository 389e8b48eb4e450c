// Where the vehicle is on the way to its next stop, how far that is, and what to do next.

const METRES_PER_DEGREE = 111_320;
const ON_THE_WAY_M = 60;
const POINTS = ["north", "north_east", "east", "south_east", "south", "south_west", "west", "north_west"];

/** Metres between two [longitude, latitude], near each other. */
function between(one, other) {
  const [x, y] = offset(one, other);
  return Math.hypot(x, y);
}

function offset([lon, lat], [toLon, toLat]) {
  return [(toLon - lon) * Math.cos((lat * Math.PI) / 180) * METRES_PER_DEGREE, (toLat - lat) * METRES_PER_DEGREE];
}

/** The point of the compass to which `to` lies: "north_east". */
function compass(from, to) {
  const [x, y] = offset(from, to);
  return POINTS[Math.round(((Math.atan2(x, y) * 180) / Math.PI + 360) / 45) % 8];
}

/** How far along `line` (metres) the point of it that is nearest to `point` lies, and how far away it is. */
function along(line, point) {
  let best = { along_m: 0, away_m: Infinity };
  let before_m = 0;
  for (let at = 0; at + 1 < line.length; at += 1) {
    const [x, y] = offset(line[at], line[at + 1]);
    const [px, py] = offset(line[at], point);
    const length = Math.hypot(x, y);
    const share = length ? Math.min(1, Math.max(0, (px * x + py * y) / length ** 2)) : 0;
    const away_m = Math.hypot(px - share * x, py - share * y);
    if (away_m < best.away_m) best = { along_m: before_m + share * length, away_m };
    before_m += length;
  }
  return best;
}

function lengths(line) {
  const sums = [0];
  for (let at = 1; at < line.length; at += 1) sums.push(sums[at - 1] + between(line[at - 1], line[at]));
  return sums;
}

/**
 * What to tell the driver: `{ kind, distance_m, step_m, step, after }`. `kind` is "on_way" (metres along the streets,
 * the next manoeuvre and how far it is), "off_way" (as the crow flies), "planned" (nobody knows where the vehicle is) or
 * "unknown" (nor where the stop is).
 */
export function guide(stop, here) {
  const place = stop.longitude_deg === null ? null : [stop.longitude_deg, stop.latitude_deg];
  if (!place) return { kind: "unknown", distance_m: null, step: null, step_m: null, after: null };
  const steps = stop.steps ?? [];
  if (!here) return { kind: "planned", distance_m: stop.distance_m, step: steps[0] ?? null, step_m: null, after: steps[1] ?? null };
  const crow = { kind: "off_way", distance_m: between(here, place), step: null, step_m: null, after: null, towards: compass(here, place) };
  if (!stop.way || stop.way.length < 2) return crow;
  const { along_m, away_m } = along(stop.way, here);
  if (away_m > ON_THE_WAY_M) return crow;
  const sums = lengths(stop.way);
  const ahead = steps.filter((step) => sums[Math.min(step.at, sums.length - 1)] > along_m + 5 || step.manoeuvre === "arrive");
  const [step = null, after = null] = ahead;
  return {
    kind: "on_way",
    distance_m: Math.max(0, sums.at(-1) - along_m),
    step,
    step_m: step ? Math.max(0, sums[Math.min(step.at, sums.length - 1)] - along_m) : null,
    after,
  };
}
