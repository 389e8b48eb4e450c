// The commune's clock: our own for a real commune, an accelerated one for a demonstration.

import { byId, say } from "./dom.js";
import { clockTime, longDate, useZone } from "./format.js";
import { t } from "./i18n.js";
import { whenLoaded } from "./store.js";

let commune = null;
let loadedAt = 0;

/** How many of the commune's seconds pass in one of ours. */
const rate = () => commune?.clock_rate ?? 1;

/** The commune's present, or null before it is known. */
export const now = () =>
  commune && new Date(new Date(commune.now).getTime() + (performance.now() - loadedAt) * commune.clock_rate);

export function start() {
  whenLoaded("commune", (answer) => {
    commune = answer;
    loadedAt = performance.now();
    useZone(answer.time_zone);
    say("commune-name", answer.name);
    document.title = `${answer.name} · Voirie`;
    const demo = byId("demo");
    demo.hidden = !answer.simulated;
    say("demo", answer.clock_rate > 1.01
      ? t("Démonstration, temps accéléré ×{rate}", { rate: Math.round(answer.clock_rate) })
      : t("Démonstration"));
    tick();
  });
  setInterval(tick, 500);
}

/** Call `work()` once a minute of the commune's, though not within five seconds, while the page is seen: states change with time alone too. */
export function eachMinute(work) {
  const wait = Math.min(60_000, Math.max(5_000, 60_000 / rate()));
  setTimeout(() => {
    if (!document.hidden) work();
    eachMinute(work);
  }, wait);
}

function tick() {
  if (!commune) return;
  say("clock-time", clockTime(now()));
  say("clock-date", longDate(now()));
}
