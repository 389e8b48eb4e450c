// On a phone the list or the map fills the screen; on a wide one they stand side by side.

import { byId, say } from "../dom.js";
import { t } from "../i18n.js";

/** `seen()` is called when the map comes into view, also as a phone is turned: what it frames then fits its size. */
export function start(theMap, seen) {
  let had = byId("map").offsetWidth;
  new ResizeObserver(() => {
    const has = byId("map").offsetWidth;
    theMap.invalidateSize({ animate: false });
    if (has && !had) seen();
    had = has;
  }).observe(byId("map"));
  byId("view-switch").addEventListener("click", () => show(document.body.dataset.view === "map" ? "list" : "map"));
}

export const showMap = () => show("map");

function show(view) {
  if (document.body.dataset.view === view) return;
  document.body.dataset.view = view;
  byId("view-switch").setAttribute("aria-pressed", String(view === "map"));
  say("view-switch", view === "map" ? t("Liste") : t("Carte"));
  scrollTo(0, 0);
}
