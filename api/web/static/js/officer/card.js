// One check: where, by which rule, since when, how sure, what it will be on arrival; and what one may do about it.

import { byId, make, say } from "../dom.js";
import { clockTime, duration, metres, percent } from "../format.js";
import { t } from "../i18n.js";
import { why } from "../refused.js";
import { known, load, whenLoaded } from "../store.js";
import { Problem } from "../http.js";
import { showTrouble } from "../trouble.js";
import * as closing from "./closing.js";
import { nextFree } from "./list.js";
import { release, take } from "./sending.js";
import { done } from "./telling.js";
import { doubtsOf, heldOf, idOf, nameOf, reasonOf, ruleOf, sureness, sureMark } from "./words.js";

let shown = null; // the place's id
let said = null; // the Problem of the last touch, of the place that is shown
let busy = false;
let onTaken = () => {};
let onLeft = () => {};

/** Call `taken(placeId)` and `left(placeId)` when one's own take began, or was let go. */
export function start({ taken, left }) {
  onTaken = taken;
  onLeft = left;
  byId("card").addEventListener("close", () => { shown = null; });
  byId("card").addEventListener("click", (event) => event.target === byId("card") && byId("card").close());
  for (const part of ["checks", "held"]) whenLoaded(part, () => shown && draw());
}

/** Show a place. */
export const open = (placeId) => show(placeId, null);

function show(placeId, problem) {
  shown = placeId;
  said = problem;
  draw();
  if (!byId("card").open) byId("card").showModal();
  byId("card").scrollTop = 0;
}

/** The check of a place, or the place alone when there is nothing to check any more; undefined: never heard of. */
export function placeOf(placeId) {
  const check = known.checks?.checks.find((each) => each.place_id === placeId);
  const held = known.held?.places.find((each) => each.place_id === placeId);
  if (check) return { ...check, held: held?.held ?? check.held };
  return held;
}

/** Go there. Returns whether it is ours now; what else became of it the card says. */
export async function go(placeId) {
  if (busy) return false;
  busy = true;
  try {
    await take(placeId);
    say("announcer", t("Vous y allez. Les collègues le voient."));
    if (byId("card").open) byId("card").close();
    await load("held", "checks");
    onTaken(placeId);
    return true;
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    await load("held", "checks");
    show(placeId, error);
    return false;
  } finally {
    busy = false;
  }
}

/** Not go there after all. */
export async function leave(placeId) {
  try {
    await release(placeId);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    showTrouble(error);
    return;
  }
  if (byId("card").open) byId("card").close();
  done(t("Laissé : les collègues peuvent y aller."));
  await load("held", "checks");
  onLeft(placeId);
}

function draw() {
  const card = byId("card");
  const place = placeOf(shown);
  const focused = card.contains(document.activeElement) ? document.activeElement.dataset.act : null;
  card.replaceChildren(...(place ? parts(place) : gone()));
  if (focused) card.querySelector(`[data-act="${focused}"]`)?.focus();
}

const act = (name, title, onclick, kind = "") => make("button", { type: "button", class: `button wide ${kind}`, "data-act": name, onclick }, title);
const shut = () => make("button", { type: "button", class: "button shut", "data-act": "shut", "aria-label": t("Fermer"), onclick: () => byId("card").close() }, "×");

function gone() {
  return [shut(), make("h2", { id: "card-title" }, shown), make("p", {}, t("Ce lieu n’est plus à contrôler : le véhicule est parti, ou quelqu’un a terminé."))];
}

function parts(place) {
  const check = "reason" in place ? place : null;
  return [
    shut(),
    make("h2", { id: "card-title" }, nameOf(place), make("small", {}, idOf(place))),
    ...(check ? facts(check) : [make("p", { class: "card-lead" }, t("Le capteur n’y voit plus personne, ou quelqu’un a terminé."))]),
    ...refusal(),
    ...acts(place),
  ];
}

function facts(check) {
  const all = [];
  const fact = (name, ...value) => all.push(make("dt", {}, name), make("dd", {}, ...value));
  fact(t("Règle en vigueur"), check.rule ? make("b", {}, ruleOf(check.rule)) : t("aucune en ce moment : elle commence avant votre arrivée"), check.rule_until ? make("span", { class: "fact-more" }, t("jusqu’à {time}", { time: clockTime(check.rule_until) })) : "");
  fact(t("Là depuis"), make("b", {}, clockTime(check.occupied_since)), make("span", { class: "fact-more" }, duration((new Date(known.checks.now) - new Date(check.occupied_since)) / 1000)));
  fact(check.reason === "soon_over" ? t("Dépassée à") : t("Dépassée depuis"), make("b", {}, clockTime(check.over_since)));
  if (known.checks.position) {
    fact(t("À pied"), make("b", {}, duration(check.walk_s)), make("span", { class: "fact-more" }, metres(Math.round(check.walk_m / 10) * 10)));
    fact(t("À votre arrivée"), make("b", {}, t("{duration} de trop", { duration: duration(check.overstay_s) })), make("span", { class: "fact-more" }, t("à {time}", { time: clockTime(check.arrival_at) })));
  }
  const doubts = doubtsOf(check);
  fact(t("Certitude"), sureMark(check.chance), make("span", { class: "fact-more" }, t("{share} de chances que le contrôle soit fondé", { share: percent(check.chance) })),
    ...doubts.map((doubt) => make("span", { class: "fact-doubt" }, doubt)));
  return [
    make("p", { class: `card-lead ${check.reason === "soon_over" ? "" : "check-over"}` }, reasonOf(check), make("span", { class: "unseen" }, `, ${sureness(check.chance).words}`)),
    make("dl", { class: "facts" }, ...all),
  ];
}

/** What became of the last touch when it did not do what it said. */
function refusal() {
  if (!said) return [];
  if (said.status === 409 && said.held) {
    return [make("p", { class: "from-problem", role: "alert" }, t("Déjà pris : {by} y va depuis {since}, jusqu’à {until}.", { by: said.held.by, since: clockTime(said.held.since), until: clockTime(said.held.expires_at) }))];
  }
  if (said.status === 0) return [make("p", { class: "from-problem", role: "alert" }, t("Pas de réseau : les collègues ne verraient pas que vous y allez. Allez-y et constatez : le constat partira au retour du réseau."))];
  return [make("p", { class: "from-problem", role: "alert" }, t("Cela n’a pas été enregistré : {detail}", { detail: why(said) }))];
}

function acts(place) {
  const id = place.place_id;
  const there = (kind) => act("there", t("J’y suis"), () => closing.open(place), kind);
  if (place.held?.mine) {
    return [
      make("p", { class: "card-held" }, t("Vous y allez, jusqu’à {time}.", { time: clockTime(place.held.expires_at) })),
      make("div", { class: "acts" }, there("primary"), act("longer", t("Prolonger de 15 min"), () => go(id)), act("leave", t("Laisser"), () => leave(id))),
    ];
  }
  if (place.held) {
    const next = nextFree(id);
    return [
      make("p", { class: "card-held" }, heldOf(place.held), "."),
      make("div", { class: "acts" }, next ? act("next", insteadOf(next), () => go(next.place_id), "primary") : null, there("")),
    ];
  }
  return [make("div", { class: "acts" }, act("go", t("J’y vais"), () => go(id), "primary"), there(""))];
}

const insteadOf = (next) => (known.checks.position
  ? t("Aller plutôt à {place}, {duration} à pied", { place: nameOf(next), duration: duration(next.walk_s) })
  : t("Aller plutôt à {place}", { place: nameOf(next) }));
