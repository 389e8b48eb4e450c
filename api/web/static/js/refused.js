// Why the server refused, in the page's language. Its own sentence is English: a page in English shows that one.

import { language, t } from "./i18n.js";

const BY_KIND = {
  "check-taken": t("un collègue y va déjà"),
  "edit-refused": t("le plan ne peut pas être changé ainsi"),
};
const BY_STATUS = {
  0: t("le service ne répond pas"),
  401: t("la session est terminée"),
  403: t("vos rôles ne le permettent pas"),
  404: t("cela n’existe pas ou plus"),
  409: t("cela contredit ce qui a été dit entre-temps"),
  413: t("c’est trop volumineux"),
  422: t("une valeur n’est pas admise"),
  429: t("trop de demandes à la fois ; réessayez dans un instant"),
  500: t("le service a échoué ; son journal dit pourquoi"),
  503: t("le service n’est pas prêt ; réessayez dans un instant"),
};

/** Say why in words that end a sentence after a colon: `problem` has `status`, and `kind` and `message` if they are known. */
export function why({ status, kind = "", message = "" }) {
  if (language === "en" && status !== 0 && message) return message.replace(/\.$/, "");
  return BY_KIND[kind] ?? BY_STATUS[status] ?? t("réponse {status} du service", { status });
}
