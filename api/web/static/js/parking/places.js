// Asks for the places, and puts them where the old ones were. The list is made by the server alone, in one way.

import { byId, say } from "../dom.js";
import { t } from "../i18n.js";

const RENEW_MS = 30_000;

let query = () => new URLSearchParams(location.search);
let onAnswer = () => {};
let turn = 0;

/** Keep the places up to date: `query()` is what to ask, `onAnswer()` is called after each answer. */
export function start(given = {}) {
  query = given.query ?? query;
  onAnswer = given.onAnswer ?? onAnswer;
  setInterval(() => document.hidden || ask(query()), RENEW_MS);
  // A phone that comes out of a pocket shows what is, not what was.
  document.addEventListener("visibilitychange", () => document.hidden || ask(query()));
  addEventListener("online", () => ask(query()));
}

/** Ask for the places of a query; only the last one that was asked for is shown. */
export async function ask(asked, { announce = false } = {}) {
  turn += 1;
  const mine = turn;
  const places = byId("places");
  if (announce) places.setAttribute("aria-busy", "true");
  let found;
  try {
    found = await answerTo(asked);
  } catch {
    if (mine === turn) {
      places.removeAttribute("aria-busy");
      trouble(t("Le service ne répond pas. La liste est celle de tout à l’heure ; elle se renouvellera dès que possible."));
      places.classList.add("stale");
    }
    return;
  }
  if (mine !== turn) return;
  places.removeAttribute("aria-busy");
  places.classList.remove("stale");
  byId("notice").hidden = true;
  replace(places, found);
  if (announce) say("said", [...found.querySelectorAll(".answer-title, .answer-lead")].map((each) => each.textContent.trim()).join(". "));
  onAnswer();
}

/** Tell what went wrong. */
export function trouble(words) {
  say("said", "");
  say("notice", words);
  byId("notice").hidden = false;
}

async function answerTo(asked) {
  const response = await fetch(`?${asked}`, { headers: { Accept: "text/html" } });
  if (!response.ok) throw new Error(response.statusText);
  // Our own server's page; its texts were made safe there, and a parsed document runs no script.
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  const found = page.getElementById("answer");
  if (!found) throw new Error("an answer without places");
  return document.importNode(found, true);
}

/** Who was on a link of the list stays on it. */
function replace(places, found) {
  const held = document.activeElement?.closest("#answer .spot")?.dataset.key;
  byId("answer").replaceWith(found);
  if (held) places.querySelector(`.spot[data-key="${CSS.escape(held)}"] .go`)?.focus({ preventScroll: true });
}
