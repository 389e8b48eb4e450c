// What the page knows. Parts are loaded by name and told to those who asked for them. The server says which parts the
// person may see; others are not asked for.

import { calmly } from "./calmly.js";
import { get, Problem } from "./http.js";

const PATHS = {
  commune: "",
  bins: "/bins",
  forecasts: "/forecasts?limit=5000",
  alerts: "/alerts",
  plan: "/plans/latest",
  bays: "/delivery-bays",
  parking: "/parking",
  intake: "/intake",
};

const allowed = new Set(["commune", ...(document.body.dataset.parts ?? "").split(" ")]);

/** Whether the person may see a part; also "history", a bin's last days. */
export const may = (part) => allowed.has(part);

/** Tell of a part that one page alone has; `ask()` returns its path and query as they are when it is loaded. */
export function provide(part, ask) {
  PATHS[part] = ask;
  known[part] = null;
  readers.set(part, []);
}

/** The last answer of each part; null before the first. A plan may be missing for long: that is no failure. */
export const known = Object.fromEntries(Object.keys(PATHS).map((part) => [part, null]));

const readers = new Map(Object.keys(PATHS).map((part) => [part, []]));
const loading = new Map();
const again = new Set();
const troubled = new Map();
let onProblem = () => {};

/** Call `reader(answer)` each time a part was loaded. */
export function whenLoaded(part, reader) {
  readers.get(part).push(reader);
}

/** Call `reporter(problem | null)` after each load: one part's problem, null when all went well. */
export function whenTroubled(reporter) {
  onProblem = reporter;
}

/** Load parts; one that is being loaded is loaded once more afterwards, however often it was asked for meanwhile. */
export async function load(...parts) {
  await Promise.all(parts.filter(may).map(loadOne));
}

/** Load what failed again, once the line stands: a stream that goes on where it was broken may tell of nothing new. */
export function retry(line) {
  if (line === "live") later(troubled.keys());
}

const later = calmly((parts) => load(...parts));

async function loadOne(part) {
  if (loading.has(part)) {
    again.add(part);
    return loading.get(part);
  }
  const work = fetchPart(part);
  loading.set(part, work);
  try {
    await work;
  } finally {
    loading.delete(part);
  }
  if (again.delete(part)) return loadOne(part);
}

async function fetchPart(part) {
  try {
    const path = PATHS[part];
    known[part] = await get(...(typeof path === "function" ? path() : [path]));
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    // Before the first plan there is none; a commune that is unknown is said by every other part.
    if (part !== "plan" || error.status !== 404) troubled.set(part, error);
    report();
    return;
  }
  troubled.delete(part);
  report();
  for (const reader of readers.get(part)) reader(known[part]);
}

function report() {
  const [first = null] = troubled.values();
  onProblem(first);
}
