// What the officer's page knows: only in its memory. Where the officer starts, what is asked of the list, whose takes are
// one's own. After a reload the server tells them from others' by the session.

import { language } from "../i18n.js";
import { provide } from "../store.js";
import { uuid } from "../uuid.js";

/** Where walks begin: `{longitude_deg, latitude_deg, words, follows}`; null: nowhere, and no walk is counted. */
export let start = null;

const asked = { kind: "", within_m: 1500, order: "worth" };
const readers = [];

/** Whose takes are one's own. Where accounts are open no session says so: then the tab's own history does. */
export const holder = document.body.dataset.holder ?? ownHolder();

function ownHolder() {
  const made = history.state?.holder ?? uuid();
  history.replaceState({ ...history.state, holder: made }, "");
  return made;
}

/** How the list is asked for and shown. */
export const choices = () => ({ ...asked });

export function choose(change) {
  Object.assign(asked, change);
  for (const reader of readers) reader();
}

/** Start from somewhere else. */
export function startFrom(place) {
  start = place;
  for (const reader of readers) reader();
}

/** Call `reader()` when the start or a choice is another one. */
export const whenAskedOtherwise = (reader) => readers.push(reader);

/** The start as a query of the API has it, rounded to some ten metres: no more leaves the phone. */
export const position = () => (start ? { lon: start.longitude_deg.toFixed(4), lat: start.latitude_deg.toFixed(4) } : {});

provide("checks", () => ["/checks", {
  ...position(), holder_id: holder, ...(language === "en" ? { lang: language } : {}),
  ...(start ? { within_m: asked.within_m } : {}), ...(asked.kind ? { kind: asked.kind } : {}),
}]);
provide("held", () => ["/checks/held", { holder_id: holder }]);
provide("log", () => ["/checks/log", { days: 1, limit: 200 }]);
