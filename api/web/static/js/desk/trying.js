// Edits are tried before anybody drives them: asked of the worker, looked at as a draft, published or given up.
//
// The list of edits is the truth, and is kept in the browser until it is published or emptied: no failure loses it. Each
// try sends all of it for the published plan, so that any edit can be taken back by itself.

import { get, Problem, send } from "../http.js";
import { t } from "../i18n.js";
import { uuid } from "../uuid.js";
import { desk, planWhole, reload, whenDay } from "./day.js";
import { withEdit } from "./edits.js";

const ANSWER_S = 2; // how long one request waits; progress is shown in between
const ASK_AGAIN_MS = 700;
const commune = document.body.dataset.commune;
const by = document.body.dataset.who || t("Chef d’équipe");

/**
 * `state`: "idle", "trying", "refused", "failed", "conflict", "overtaken" or "publishing". `draft` is what the last try made ({plan, version,
 * leftOut}), `tried` the edits that it answers; `detail` says why not, in English, and `status` what kind of failure it was; `since` when the try began (performance.now()).
 */
export const trying = { state: "idle", edits: [], tried: [], draft: null, detail: "", status: 500, since: 0, planId: null, day: null };

const readers = [];
let request = null; // { id, edits }: sent again as it is after a failure, so that nothing is made twice
let turn = 0;

/** Call `reader()` after each change. */
export function whenTried(reader) {
  readers.push(reader);
}

export function start() {
  whenDay(() => follow());
}

/** Whether the draft answers the edits as they are. */
export const isFresh = () => trying.draft !== null && same(trying.edits, trying.tried);

/** The plan to look at: the draft, else the published one. */
export const shown = () => trying.draft?.plan ?? desk.plan;
export const shownLeftOut = () => trying.draft?.leftOut ?? desk.leftOut;

export function add(edit) {
  become({ state: "idle", detail: "", edits: withEdit(trying.edits, edit) });
}

export function takeBack(edit) {
  const edits = trying.edits.filter((other) => other !== edit);
  if (edits.length === 0) return giveUp();
  return become({ state: "idle", detail: "", edits });
}

/** Ask for a draft with all edits, and wait for it as long as it takes. */
export async function tryOut() {
  const edits = trying.edits;
  const mine = ++turn;
  const planId = desk.plan.plan_id;
  if (!request || request.planId !== planId || !same(request.edits, edits)) request = { id: uuid(), edits, planId };
  become({ state: "trying", detail: "", since: performance.now() });
  try {
    let answer = await send(`/plans/${planId}/edits`, { request_id: request.id, by, edits }, { query: { wait_s: ANSWER_S } });
    while (answer.state === "waiting" && mine === turn) {
      await new Promise((resolve) => setTimeout(resolve, ASK_AGAIN_MS));
      answer = await get(`/plan-requests/${request.id}`);
    }
    if (mine !== turn) return;
    await answered(answer, edits);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    if (mine === turn) await refused(error);
  }
}

/** Stop waiting; the edits stay. */
export function stopWaiting() {
  turn += 1;
  become({ state: "idle" });
}

/** Publish the draft: crews drive it from now on. */
export async function publish() {
  become({ state: "publishing", detail: "" });
  try {
    await send(`/plans/${trying.draft.plan.plan_id}/publish`, { by });
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return refused(error);
  }
  forget();
  become({ state: "idle", edits: [], tried: [], draft: null });
  return reload();
}

/** Give the edits and their draft up. What the server does not hear is told again when the page opens next. */
export async function giveUp() {
  turn += 1;
  const { draft } = trying;
  forget();
  become({ state: "idle", detail: "", edits: [], tried: [], draft: null });
  await discard(draft?.plan.plan_id);
}

/** Look at a draft that somebody made of the published plan, and go on from it. */
export async function resume(version) {
  const draft = await planWhole(version.plan_id);
  become({ state: "idle", detail: "", edits: version.edits, tried: version.edits, draft });
}

/** Give a draft up that is not on the desk. */
export async function discardOther(version) {
  await discard(version.plan_id);
  await reload();
}

/** After somebody else published: the same edits, tried on the new plan. */
export async function tryAgainOnNew() {
  await discard(trying.draft?.plan.plan_id);
  become({ draft: null, tried: [] });
  await reload();
  if (trying.edits.length) await tryOut();
}

async function answered(answer, edits) {
  if (answer.state === "refused" || answer.state === "failed") {
    request = null; // the same edits, asked again, are a new request
    return become({ state: answer.state === "refused" ? "refused" : "failed", detail: answer.detail ?? "", status: 500 });
  }
  const old = trying.draft?.plan.plan_id;
  const draft = await planWhole(answer.made_plan_id);
  become({ state: "idle", draft, tried: edits });
  if (old && old !== answer.made_plan_id) discard(old);
}

async function refused(error) {
  if (error.kind === "edit-refused") {
    request = null;
    return become({ state: "refused", detail: error.message });
  }
  if (error.status === 409) {
    const before = desk.plan?.plan_id;
    const publishing = trying.state === "publishing";
    await reload();
    if (desk.plan?.plan_id !== before) return become({ state: "conflict", detail: error.message });
    // The same plan, further on: the crews have come to what the draft changes, so it has to be made anew.
    if (publishing) return become({ state: "overtaken", detail: "", tried: [] });
    return become({ state: "failed", detail: error.message, status: error.status });
  }
  return become({ state: "failed", detail: error.status === 0 ? "" : error.message, status: error.status });
}

async function discard(planId) {
  if (!planId) return;
  try {
    await send(`/plans/${planId}/discard`, { by });
  } catch (error) {
    if (!(error instanceof Problem)) throw error; // published or discarded already, or out of reach: nobody drives it
  }
}

/** The day was loaded: take up what is kept of it, or see that another plan was published. */
async function follow() {
  const planId = desk.plan?.plan_id ?? null;
  if (trying.planId === planId) return notify();
  const had = trying.planId !== null && trying.edits.length > 0;
  const sameDay = had && trying.day === desk.day;
  if (sameDay && trying.state !== "publishing") {
    // Somebody published meanwhile, or a repair did: the edits wait for a decision, the draft is good for nothing.
    const old = trying.draft?.plan.plan_id;
    turn += 1;
    forget();
    become({ state: "conflict", planId, draft: null, tried: [] });
    return discard(old);
  }
  turn += 1;
  const kept = read(planId);
  become({ state: "idle", detail: "", planId, day: desk.day, edits: kept.edits, tried: [], draft: null });
  const draft = desk.versions.find((version) => version.plan_id === kept.draftId && version.status === "draft");
  if (draft) await resume(draft);
}

function become(change) {
  Object.assign(trying, change);
  if (trying.planId) keep();
  notify();
}

function notify() {
  for (const reader of readers) reader();
}

const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);
const nameOfKept = (planId) => `voirie.desk.${commune}.${planId}`;

function keep() {
  if (!trying.edits.length) return forget();
  store(() => localStorage.setItem(nameOfKept(trying.planId), JSON.stringify({ edits: trying.edits, draftId: trying.draft?.plan.plan_id ?? null })));
}

function forget() {
  if (trying.planId) store(() => localStorage.removeItem(nameOfKept(trying.planId)));
}

function read(planId) {
  return (planId && store(() => JSON.parse(localStorage.getItem(nameOfKept(planId))))) || { edits: [], draftId: null };
}

/** A browser may refuse to keep anything; the page works without. */
function store(work) {
  try {
    return work();
  } catch {
    return null;
  }
}
