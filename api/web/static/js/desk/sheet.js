// One sheet over the page, for whatever somebody opened: a native dialog, so that the keyboard stays in it and Escape closes it.

import { byId, say } from "../dom.js";

export function start() {
  byId("sheet-close").addEventListener("click", close);
  byId("sheet").addEventListener("click", (event) => event.target === byId("sheet") && close());
}

/** Open the sheet with a title, a line below it and parts (null: left out). */
export function open(title, about, parts) {
  say("sheet-title", title);
  say("sheet-about", about);
  byId("sheet-body").replaceChildren(...parts.filter(Boolean));
  if (!byId("sheet").open) byId("sheet").showModal();
  byId("sheet-title").focus();
}

export function close() {
  byId("sheet").close();
}

/** Replace what the open sheet says. */
export function tell(...parts) {
  byId("sheet-body").replaceChildren(...parts);
}
