// What the page says of what was done.

import { byId } from "../dom.js";

const SHOWN_MS = 6_000;
let timer = 0;

/** Show what was done, for some seconds. */
export function done(words) {
  const shown = byId("done");
  shown.textContent = words;
  shown.hidden = false;
  clearTimeout(timer);
  timer = setTimeout(() => { shown.hidden = true; }, SHOWN_MS);
}
