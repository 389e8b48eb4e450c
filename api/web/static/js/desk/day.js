// The day on the desk: its published plan, what became of it, and why bins were left.

import * as clock from "../clock.js";
import { dayAfter, dayOf } from "../format.js";
import { get, Problem } from "../http.js";

/** `day` is shown, `today` is the commune's; `plan` is null where the day has none, `trouble` what kept it from coming. */
export const desk = { day: null, today: null, plan: null, version: null, versions: [], audit: [], leftOut: new Map(), trouble: null };

const readers = [];

/** Call `reader()` each time the day was loaded. */
export function whenDay(reader) {
  readers.push(reader);
}

/** Load the day that people want: the one of the address, today's, or the next when today's rounds are over. */
export async function openDay() {
  desk.today = dayOf(clock.now());
  const asked = new URLSearchParams(location.search).get("jour");
  if (asked && /^\d{4}-\d{2}-\d{2}$/.test(asked)) return show(asked);
  await show(desk.today);
  const over = desk.plan === null || desk.plan.routes.every((route) => new Date(route.end_at) < clock.now());
  if (over && !desk.trouble) {
    const newest = await newestDay();
    if (newest && newest > desk.today) await show(newest);
  }
}

/** Show another day; the address keeps it. */
export async function turnTo(day) {
  const address = new URL(location.href);
  address.searchParams.set("jour", day);
  history.replaceState(null, "", address);
  await show(day);
}

export const before = () => dayAfter(desk.day, -1);
export const after = () => dayAfter(desk.day);

/** Load the shown day again. */
export const reload = () => show(desk.day);

/** Whether the shown plan's rounds have begun: what happens is declared then, and edits are of what is left. */
export function isUnderWay() {
  const starts = desk.plan?.routes.map((route) => new Date(route.start_at)) ?? [];
  return starts.length > 0 && clock.now() >= Math.min(...starts);
}

/** Load a draft, or any plan, with its version and what it leaves. */
export async function planWhole(planId) {
  const [plan, version, left] = await Promise.all([
    get(`/plans/${planId}`), get(`/plans/${planId}/version`), get(`/plans/${planId}/left-out`),
  ]);
  return { plan, version, leftOut: byPlace(left) };
}

async function show(day) {
  desk.day = day;
  try {
    const told = await get(`/plans/days/${day}`);
    const version = told.versions.find((each) => each.status === "published") ?? null;
    const [plan, left] = version
      ? await Promise.all([get(`/plans/${version.plan_id}`), get(`/plans/${version.plan_id}/left-out`)])
      : [null, { left_out: [] }];
    if (desk.day !== day) return; // somebody turned the page meanwhile
    Object.assign(desk, { plan, version, versions: told.versions, audit: told.audit, leftOut: byPlace(left), trouble: null });
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    desk.trouble = error;
  }
  for (const reader of readers) reader();
}

/** The newest day that has a plan, or null. */
async function newestDay() {
  try {
    return (await get("/plans/latest")).service_date;
  } catch (error) {
    if (error instanceof Problem) return null; // before the first plan there is none; what is wrong otherwise is said elsewhere
    throw error;
  }
}

const byPlace = ({ left_out: items }) => new Map(items.map((item) => [item.place_id, item.reason]));
