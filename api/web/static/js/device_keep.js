// On every page of a session that is bound to its device: the proof is renewed when half of its time is over, so that
// nobody waits for it. In a dead spot it runs out; the first question that is answered again renews it (http.js).

import { prove, provedUntil } from "./device.js";

const LOOK_MS = 5_000;
const told = document.querySelector('meta[name="voirie-device"]').dataset;
const lasts_ms = 1000 * Number(told.lasts);

let bound = told.bound === "yes";
let over = false;
let busy = false;

async function look() {
  if (over || busy || document.hidden || (bound && provedUntil() - Date.now() > lasts_ms / 2)) return;
  busy = true;
  const said = await prove();
  busy = false;
  bound ||= said === "proved";
  over = said === "lost"; // whatever asks next leads to the log-in
}

setInterval(look, Math.min(LOOK_MS, lasts_ms / 4));
addEventListener("online", look);
document.addEventListener("visibilitychange", look);
look();
