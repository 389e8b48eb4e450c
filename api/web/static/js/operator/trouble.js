// What went wrong with a request, above everything else, until one goes well.

import { byId, say } from "../dom.js";
import { Problem } from "../http.js";
import { t } from "../i18n.js";

const TROUBLES = {
  403: t("Vos rôles ont changé. Rechargez la page."),
  404: t("Cette commune n’est pas encore connue de cette installation : voirie communes add."),
};

/** Do some work with requests; say what failed, and take it back when it went well. */
export async function trying(work) {
  try {
    await work();
    byId("notice").hidden = true;
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    byId("notice").hidden = false;
    say("notice", TROUBLES[error.status] ?? t("Le service ne répond pas. La page montre ce qu’elle sait et réessaie."));
  }
}
