// The round as its driver goes through it: what is done, what comes next, and what another plan may change of it.
//
// The plan may change at any time; the next stop never does. It is kept whole (with its way), so that it stays even when
// a newer plan has it no more.

/** A stop's name, the same in every version of the plan: breaks and unloadings are counted. */
function named(stops) {
  const seen = new Map();
  return stops.map((stop) => {
    const place = `${stop.kind} ${stop.place_id ?? ""}`;
    const count = (seen.get(place) ?? 0) + 1;
    seen.set(place, count);
    return { ...stop, key: stop.kind === "bin" ? place : `${place} ${count}` };
  });
}

/** The way to each stop: its points and steps, with the steps' points counted in these. */
export function withWays(route) {
  const line = route.geometry?.coordinates ?? null;
  let from = 0;
  return named(route.stops).map((stop) => {
    if (!line || stop.point_index === null) return { ...stop, way: null };
    const start = Math.min(from, stop.point_index);
    from = stop.point_index;
    return {
      ...stop,
      way: line.slice(start, stop.point_index + 1),
      steps: (stop.steps ?? []).map((step) => ({ ...step, at: Math.max(0, step.point_index - start) })),
    };
  });
}

/** The stops that ask for something: all but the depot that it starts from. */
export const toDo = (stops) => stops.filter((stop, index) => index > 0 || stop.kind !== "depot");

/** How far the round is: the last stop of `stops` that `isDone`; -1 at its beginning. */
const reached = (stops, isDone) => stops.findLastIndex((stop) => isDone(stop.key));

/**
 * What comes next: the first stop to do after the last one done; bins that were left behind come before the way home.
 * Unloadings and breaks that lie behind are taken to be over, as the planner takes them.
 */
export function nextOf(stops, isDone) {
  const last = reached(stops, isDone);
  const left = stops.filter((stop) => !isDone(stop.key));
  const after = stops.filter((stop, index) => index > last && !isDone(stop.key));
  const behind = left.filter((stop) => stop.kind === "bin" && !after.includes(stop));
  if (after.length && (after[0].kind !== "depot" || behind.length === 0)) return after[0];
  return behind[0] ?? after[0] ?? null;
}

/** Whether a stop that nobody declares lies behind. */
export function isPassed(stops, stop, isDone) {
  return stop.kind !== "bin" && stops.indexOf(stop) < reached(stops, isDone);
}

/** The next stop after the plan changed: the same one. It may have a new way, or be in the plan no more (`dropped`). */
export function heldNext(stops, next, isDone) {
  if (!next || isDone(next.key)) return nextOf(stops, isDone);
  const same = stops.find((stop) => stop.key === next.key);
  return same ?? { ...next, dropped: true };
}
