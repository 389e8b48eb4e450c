// Taps: kept before anything is shown of them, sent in their order as soon as somebody answers, never twice for the
// server (each has an id of its own), and never lost: what is refused is put aside and shown.

import { Problem } from "../http.js";
import { uuid } from "../uuid.js";
import { ask } from "./ask.js";
import * as box from "./box.js";

const BATCH = 20;
const FIRST_WAIT_MS = 2_000;
const LONGEST_WAIT_MS = 60_000;
// What the server does not take now and may take later. Who has to log in, or lost a role, loses no tap by it.
const LATER = new Set([0, 401, 403, 408, 425, 429]);

let all = [];
let listener = () => {};
let running = false;
let again = false;
let timer = 0;
let wait_ms = FIRST_WAIT_MS;
let standing = { state: "idle", status: null };

/** Call `reader()` whenever a tap or the way to the server changed. */
export function whenChanged(reader) {
  listener = reader;
}

/** Every tap that is kept, in order; withdrawals of taps are among them. */
export const taps = () => all;

export const waiting = () => all.filter((tap) => tap.state === "waiting");
export const refused = () => all.filter((tap) => tap.state === "refused");

/** How sending goes: `state` "idle", "sending" or "stopped", then with the `status` of the answer (0: none). */
export const line = () => standing;

export async function recall() {
  all = await box.taps();
}

/** Keep a tap; it counts once this resolves. `hold_ms` lets it wait, so that a reason can still be added. */
export async function add(tap, { hold_ms = 0 } = {}) {
  for (const each of waiting()) each.held_until = 0;
  const made = { event_id: uuid(), type: "event", state: "waiting", tried: false, withdrawn: false, held_until: hold_ms ? Date.now() + hold_ms : 0, ...tap };
  await box.keepTap(made);
  all.push(made);
  listener();
  send();
  return made;
}

/** Take a tap back: it goes where nobody can have heard of it, and is withdrawn where somebody may have. */
export async function takeBack(tap, happenedAt) {
  if (!tap.tried || tap.state === "refused") {
    await forget(tap);
    listener();
    return;
  }
  tap.withdrawn = true;
  await box.keepTap(tap);
  await add({ type: "withdrawal", withdraws: tap.event_id, happened_at: happenedAt });
}

/** Say why. A tap that may have been heard is taken back, and told again with its reason. */
export async function giveReason(tap, comment, now) {
  if (!tap.tried) {
    Object.assign(tap, { comment, held_until: 0 });
    await box.keepTap(tap);
    listener();
    send();
    return tap;
  }
  await takeBack(tap, now);
  const { type, place_id, kind, found_fraction, plan_id, happened_at, completes } = tap;
  return add({ type, place_id, kind, found_fraction, plan_id, happened_at, completes, comment });
}

/** Try what was refused once more, in its turn. */
export async function tryAgain(tap) {
  Object.assign(tap, { state: "waiting", problem: null });
  await box.keepTap(tap);
  listener();
  send();
}

/** Send what waits, now: there may be a network again. */
export function send() {
  clearTimeout(timer);
  if (running) {
    again = true;
    return;
  }
  running = true;
  const work = async () => {
    do {
      again = false;
      await sendAll();
    } while (again);
  };
  // Of two windows of one tablet one sends at a time.
  const guarded = navigator.locks ? navigator.locks.request("voirie tournée", work) : work();
  guarded.finally(() => {
    running = false;
    if (again) send();
  });
}

function nextBatch() {
  const ready = waiting();
  const held = ready.findIndex((tap) => tap.held_until > Date.now());
  const free = held < 0 ? ready : ready.slice(0, held);
  if (free.length === 0) {
    if (ready.length) timer = setTimeout(send, Math.max(50, ready[0].held_until - Date.now()));
    return [];
  }
  const other = free.findIndex((tap) => tap.type !== free[0].type || tap.alone !== free[0].alone);
  return free.slice(0, free[0].alone ? 1 : Math.min(BATCH, other < 0 ? free.length : other));
}

async function sendAll() {
  for (let batch = nextBatch(); batch.length; batch = nextBatch()) {
    standing = { state: "sending", status: null };
    for (const tap of batch.filter((each) => !each.tried)) {
      tap.tried = true; // before it leaves: from here on it may have arrived, whatever is heard of it
      await box.keepTap(tap);
    }
    listener();
    try {
      await ask("POST", ...asked(batch));
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      if (LATER.has(error.status) || error.status >= 500) {
        standing = { state: "stopped", status: error.status };
        timer = setTimeout(send, wait_ms);
        wait_ms = Math.min(LONGEST_WAIT_MS, wait_ms * 2);
        listener();
        return;
      }
      await setAside(batch, error);
      continue;
    }
    wait_ms = FIRST_WAIT_MS;
    for (const tap of batch) {
      tap.state = "sent";
      await box.keepTap(tap);
    }
    listener();
  }
  standing = { state: "idle", status: null };
  listener();
}

/** Of several taps nobody knows which one was refused: each is sent alone. One alone is put aside. */
async function setAside(batch, problem) {
  for (const tap of batch) {
    if (batch.length > 1) {
      tap.alone = true;
      await box.keepTap(tap);
    } else if (tap.withdrawn) {
      await forget(tap, all.find((each) => each.withdraws === tap.event_id)); // it was to go anyway
    } else {
      Object.assign(tap, { state: "refused", problem: { status: problem.status, detail: problem.message } });
      await box.keepTap(tap);
    }
  }
  listener();
}

async function forget(...gone) {
  for (const tap of gone.filter(Boolean)) await box.dropTap(tap);
  all = all.filter((each) => !gone.includes(each));
}

function asked(batch) {
  if (batch[0].type === "withdrawal") {
    return ["/service-events/withdrawals", { body: { withdrawals: batch.map((tap) => ({ event_id: tap.withdraws, withdrawn_at: tap.happened_at })) } }];
  }
  if (batch[0].type === "vehicle") {
    return ["/vehicle-events", { body: { vehicle_events: batch.map(({ event_id, vehicle_id, kind, happened_at, comment }) => ({ event_id, vehicle_id, kind, happened_at, comment })) } }];
  }
  const events = batch.map(({ event_id, place_id, kind, happened_at, found_fraction = null, plan_id = null, comment = null }) =>
    ({ event_id, place_id, kind, happened_at, found_fraction, plan_id, comment }));
  return ["/service-events", { body: { events } }];
}
