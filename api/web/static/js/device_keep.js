// On every page of a session that is bound to its device: the device proves itself when the page opens, and again when
// half of a proof's time is over, so that nobody waits for it. In a dead spot the proof runs out; the first question that
// is answered again renews it (http.js).

import { prove, provedUntil } from "./device.js";

const LOOK_MS = 5_000;
const lasts_ms = 1000 * Number(document.querySelector('meta[name="voirie-device"]').dataset.lasts);

// The page may be a kept one, of a session before: the first proof binds a new one.
let begun = false;
let over = false;
let busy = false;

async function look() {
  if (over || busy || (begun && (document.hidden || provedUntil() - Date.now() > lasts_ms / 2))) return;
  busy = true;
  const said = await prove();
  busy = false;
  begun ||= said === "proved";
  over = said === "lost"; // whatever asks next leads to the log-in
}

setInterval(look, Math.min(LOOK_MS, lasts_ms / 4));
addEventListener("online", look);
document.addEventListener("visibilitychange", look);
look();
