// What the officer told: sent at once, and closings again and again until the server has them. They wait in the page's
// memory alone; leaving the page while some wait is asked about first.

import { now } from "../clock.js";
import { byId, say } from "../dom.js";
import { Problem, send } from "../http.js";
import { n, t } from "../i18n.js";
import { why } from "../refused.js";
import { uuid } from "../uuid.js";
import { holder } from "./known.js";

const AGAIN_MS = 8_000;
const waiting = [];
let timer = 0;
let busy = false;
let onSent = () => {};

/** Call `then()` when something that had waited was sent. */
export function start(then) {
  onSent = then;
  addEventListener("beforeunload", (event) => waiting.length && event.preventDefault());
  addEventListener("online", retry);
}

/** Whether something of a place waits to be sent. */
export const waits = (placeId) => waiting.some((each) => each.placeId === placeId);

/** Go there. Throws a Problem; 409 with `held` when a colleague goes there already. */
export const take = (placeId) => tell(placeId, "take", {});

/** Not go there after all. Throws a Problem. */
export const release = (placeId) => tell(placeId, "release", {});

/** Tell how a check ended. Returns whether the server has it yet; throws a Problem when it refuses it. */
export async function close(placeId, cause, comment) {
  const body = { event_id: uuid(), cause, ...(comment ? { comment } : {}), ...(now() ? { happened_at: now().toISOString() } : {}) };
  try {
    await tell(placeId, "close", body);
    return true;
  } catch (error) {
    if (!isForLater(error)) throw error;
    waiting.push({ placeId, body });
    told();
    return false;
  }
}

const tell = (placeId, act, body) =>
  send(`/checks/${encodeURIComponent(placeId)}/${act}`, { event_id: uuid(), holder_id: holder, by: t("Agent de contrôle"), ...body });

const isForLater = (error) => error instanceof Problem && (error.status === 0 || error.status === 401 || error.status === 429 || error.status >= 500);

/** Send what waits, in order. */
export async function retry() {
  clearTimeout(timer);
  if (busy || !waiting.length) return;
  busy = true;
  let sent = false;
  try {
    while (waiting.length) {
      const [{ placeId, body }] = waiting;
      try {
        await tell(placeId, "close", body);
      } catch (error) {
        if (!(error instanceof Problem)) throw error;
        if (isForLater(error)) break;
        say("notice", t("Le constat de {place} a été refusé : {detail}", { place: placeId, detail: why(error) }));
        byId("notice").hidden = false;
      }
      waiting.shift();
      sent = true;
    }
  } finally {
    busy = false;
    told();
  }
  if (sent) onSent();
}

function told() {
  clearTimeout(timer);
  const some = waiting.length > 0;
  byId("waiting").hidden = !some;
  if (!some) return;
  say("waiting", n("{count} constat attend le réseau. Il part dès qu’il revient : ne fermez pas cette page.", "{count} constats attendent le réseau. Ils partent dès qu’il revient : ne fermez pas cette page.", waiting.length));
  timer = setTimeout(retry, AGAIN_MS);
}
