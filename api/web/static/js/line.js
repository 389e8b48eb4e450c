// Whether the page hears what happens, in the top bar (status.html).

import { byId, say } from "./dom.js";
import { t } from "./i18n.js";

const WORDS = { live: t("En direct"), lost: t("Reconnexion…"), slow: t("Mis à jour toutes les 30 s") };

/** Show the state of the line, "live", "lost" or "slow", as live.js tells it. */
export function showLine(state) {
  byId("line").dataset.state = state;
  say("line-text", WORDS[state]);
}
