// What went wrong with a request, above everything else, until one goes well.

import { Problem } from "../http.js";
import { t } from "../i18n.js";
import { showTrouble } from "../trouble.js";

const TROUBLES = { 404: t("Cette commune n’est pas encore connue de cette installation : voirie communes add.") };

/** Do some work with requests; say what failed, and take it back when it went well. */
export async function trying(work) {
  try {
    await work();
    showTrouble(null);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    showTrouble(error, TROUBLES);
  }
}
