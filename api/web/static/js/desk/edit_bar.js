// The bar of edits below the plan: what is asked, how the try goes, what it changes, and what to do next.

import { byId, make, say } from "../dom.js";
import { clockTime } from "../format.js";
import { colon, language, n, t } from "../i18n.js";
import { why } from "../refused.js";
import { desk, whenDay } from "./day.js";
import { inShort, whole } from "./difference.js";
import { inWords, refusals } from "./edits.js";
import { nameOf } from "./plan.js";
import * as trying from "./trying.js";

const LONG_S = 20; // from then on the worker is busy, or away

let ticking = 0;
let told = null;

export function start() {
  trying.whenTried(show);
  whenDay(show);
}

function show() {
  const { state, edits, draft } = trying.trying;
  const bar = byId("edit-bar");
  bar.hidden = !edits.length && state !== "conflict" && !others().length;
  difference();
  if (bar.hidden) return;
  bar.dataset.state = state;
  const parts = edits.length || state === "conflict" ? [heading(), list(), outcome()] : [othersDrafts()];
  const held = document.activeElement && bar.contains(document.activeElement);
  byId("edit-bar-body").replaceChildren(...parts.filter(Boolean), ...buttons());
  if (held) (byId("edit-bar-body").querySelector("button.primary") ?? bar).focus();
  clearInterval(ticking);
  if (state === "trying") ticking = setInterval(progress, 1000);
  if (state === "idle" && draft && trying.isFresh()) say("announcer", t("Le brouillon est prêt : {difference}", { difference: inShort(draft.version.difference) }));
}

function heading() {
  const { edits, state } = trying.trying;
  if (state === "conflict") return make("h3", {}, t("Le plan a changé pendant ce temps"));
  return make("h3", {}, n("{count} modification", "{count} modifications", edits.length));
}

function list() {
  const { edits } = trying.trying;
  return make("ul", { class: "edits" }, ...edits.map((edit) => {
    const words = inWords(edit, nameOf);
    return make("li", {}, make("span", {}, words),
      make("button", { type: "button", class: "take-back", "aria-label": t("Enlever : {edit}", { edit: words }), onclick: () => trying.takeBack(edit) }, make("span", { "aria-hidden": true }, "×")));
  }));
}

function outcome() {
  const { state, detail, draft, status } = trying.trying;
  switch (state) {
    case "trying":
      return make("div", { class: "progress" },
        make("progress", { "aria-label": t("Calcul en cours") }),
        make("p", { id: "try-progress", role: "status" }, progressWords()));
    case "publishing":
      return make("p", { role: "status" }, t("Publication…"));
    case "refused":
      return refusal(detail);
    case "failed":
      return make("p", { class: "alert", role: "alert" }, detail
        ? t("Le plan n’a pas pu être calculé : {why}. Vos modifications sont gardées.", { why: why({ status, message: detail }) })
        : t("Le service ne répond pas. Vos modifications sont gardées ici ; essayez de nouveau dans un instant."));
    case "conflict":
      return make("p", { class: "alert", role: "alert" }, conflictWords());
    case "overtaken":
      return make("p", { class: "alert", role: "alert" }, t("Les équipages ont avancé depuis ce brouillon. Vos modifications sont gardées : calculez le nouveau plan d’où ils sont."));
    default:
      if (!draft) return null;
      return trying.isFresh()
        ? make("p", { class: "in-short" }, make("b", {}, t("Brouillon prêt")), " ", inShort(draft.version.difference))
        : make("p", { class: "note" }, t("Le brouillon montré ne répond pas encore à toutes ces modifications."));
  }
}

function refusal(detail) {
  const found = refusals(detail);
  return make("div", { class: "alert", role: "alert" },
    make("p", {}, make("b", {}, t("Ces modifications ne vont pas ensemble, ou pas ce jour-là."))),
    found.length
      ? make("ul", { class: "plain" }, ...found.map((one) => make("li", {}, make("b", {}, one.who), colon, one.why, language === "en" ? ` (${one.told})` : "")))
      : language === "en" ? make("p", {}, detail) : null,
    make("p", {}, t("Enlevez celle qui gêne, et calculez de nouveau.")),
    language === "en" ? null : make("details", {}, make("summary", {}, t("Les mots du vérificateur, en anglais")), make("p", { lang: "en" }, detail)));
}

function conflictWords() {
  const { version } = desk;
  const { edits } = trying.trying;
  const values = { version: version?.version ?? "?", by: version?.published_by ?? version?.made_by ?? "?", time: clockTime(version?.published_at ?? version?.made_at ?? 0) };
  const who = version?.origin === "repaired"
    ? t("Les tournées ont été réparées à {time} (version {version}).", values)
    : t("{by} a publié la version {version} à {time}.", values);
  return `${who} ${edits.length ? t("Vos modifications sont gardées : refaites-les sur ce nouveau plan, ou abandonnez-les.") : ""}`;
}

function buttons() {
  const { state, edits, draft } = trying.trying;
  const button = (text, work, kind = "") => make("button", { type: "button", class: `button ${kind}`, onclick: work }, text);
  const giveUp = button(draft ? t("Abandonner le brouillon") : t("Tout enlever"), trying.giveUp, "danger");
  if (state === "publishing") return [];
  if (state === "trying") return [make("p", { class: "buttons" }, button(t("Ne plus attendre"), trying.stopWaiting))];
  if (state === "conflict") return [make("p", { class: "buttons" }, edits.length ? button(t("Les refaire sur ce plan"), trying.tryAgainOnNew, "primary") : null, button(t("Les abandonner"), trying.giveUp, "danger"))];
  if (!edits.length) return [];
  if (draft && trying.isFresh() && state === "idle") return [make("p", { class: "buttons" }, button(t("Publier ce plan"), trying.publish, "primary"), giveUp)];
  const again = state === "refused" || state === "failed";
  // A publication that failed is tried again as such: the draft still stands.
  if (state === "failed" && draft && trying.isFresh()) return [make("p", { class: "buttons" }, button(t("Publier de nouveau"), trying.publish, "primary"), giveUp)];
  return [make("p", { class: "buttons" }, button(again ? t("Calculer de nouveau") : t("Calculer le nouveau plan"), trying.tryOut, "primary"), giveUp)];
}

function progressWords() {
  const seconds = Math.round((performance.now() - trying.trying.since) / 1000);
  return seconds < LONG_S
    ? t("Calcul depuis {seconds} s. Quelques secondes suffisent d’ordinaire.", { seconds })
    : t("Calcul depuis {seconds} s. Le service qui calcule est occupé ou arrêté ; la demande est gardée, et la réponse viendra ici.", { seconds });
}

function progress() {
  const words = document.getElementById("try-progress");
  if (words) words.textContent = progressWords();
}

function difference() {
  const { draft } = trying.trying;
  const section = byId("difference");
  section.hidden = !draft;
  if (told === draft) return;
  told = draft;
  byId("difference-body").replaceChildren(...(draft ? whole(draft.version.difference, nameOf) : []));
  if (draft) section.scrollIntoView({ block: "start" });
}

/** Drafts of the published plan that are not on the desk: a colleague's, or one's own of another browser. */
const others = () => desk.versions.filter((version) => version.status === "draft" && version.based_on === desk.plan?.plan_id && version.plan_id !== trying.trying.draft?.plan.plan_id);

function othersDrafts() {
  return make("div", {},
    make("h3", {}, t("Un brouillon attend")),
    make("ul", { class: "drafts" }, ...others().map((version) => make("li", {},
      make("p", {}, n("{by}, à {time} : {count} modification.", "{by}, à {time} : {count} modifications.", version.edits.length, { by: version.made_by, time: clockTime(version.made_at) })),
      make("p", { class: "buttons" },
        make("button", { type: "button", class: "button", onclick: () => trying.resume(version) }, t("Le reprendre")),
        make("button", { type: "button", class: "button danger", onclick: () => trying.discardOther(version) }, t("L’abandonner")))))));
}
