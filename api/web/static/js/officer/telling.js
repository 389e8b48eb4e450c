// What the page says of what was done and of what failed, where everybody sees it.

import { byId, say } from "../dom.js";
import { t } from "../i18n.js";

const SHOWN_MS = 6_000;
const TROUBLES = {
  0: t("Pas de réseau. La page montre ce qu’elle sait et réessaie."),
  401: t("La session est terminée. Connectez-vous de nouveau."),
  403: t("Vos rôles ont changé. Rechargez la page."),
  404: t("Cette installation n’a pas encore de données pour cette commune. La page se remplira dès qu’elles arrivent."),
};
let timer = 0;

/** Show what failed; null: all is well again. */
export function trouble(problem) {
  byId("notice").hidden = problem === null;
  if (problem === null) return;
  say("notice", TROUBLES[problem.status] ?? t("Le service ne répond pas. La page montre ce qu’elle sait et réessaie."));
}

/** Show what was done, for some seconds. */
export function done(words) {
  const shown = byId("done");
  shown.textContent = words;
  shown.hidden = false;
  clearTimeout(timer);
  timer = setTimeout(() => { shown.hidden = true; }, SHOWN_MS);
}
