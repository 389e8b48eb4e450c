// What a page says when a part of it could not be loaded.

import { byId, say } from "./dom.js";
import { t } from "./i18n.js";

const TROUBLES = {
  401: t("La session est terminée. Connectez-vous de nouveau."),
  403: t("Vos rôles ont changé. Rechargez la page."),
  404: t("Cette installation n’a pas encore de données pour cette commune. La page se remplira dès qu’elles arrivent."),
};

/** Show a problem in #notice, or that there is none any more (null); `words` by status say more than those of every page. */
export function showTrouble(problem, words = {}) {
  const notice = byId("notice");
  notice.hidden = problem === null;
  if (problem === null) return;
  say("notice", words[problem.status] ?? TROUBLES[problem.status] ?? t("Le service ne répond pas. La page montre ce qu’elle sait et réessaie."));
}

/** Whether a problem is shown. */
export const isTroubled = () => !byId("notice").hidden;
