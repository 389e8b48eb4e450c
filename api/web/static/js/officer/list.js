// What to check, as a list: what is worth most first, or what is nearest. It never moves under a finger.

import { byId, keepFocus, make, say } from "../dom.js";
import { clockTime, duration, number } from "../format.js";
import { n, t } from "../i18n.js";
import { inPieces } from "../pieces.js";
import { known, load, whenLoaded } from "../store.js";
import { choices, choose, whenAskedOtherwise } from "./known.js";
import { heldOf, idOf, nameOf, reasonOf, ruleOf, SIGNS, sureMark } from "./words.js";

const FIRST = 25;
const STILL_MS = 1_200; // after a touch, before the order may change
let touchedAt = -STILL_MS;
let pending = 0;
let before = null;
let onChosen = () => {};

export function start(chosen) {
  onChosen = chosen;
  for (const kind of ["pointerdown", "pointermove", "touchmove"]) byId("check-list").addEventListener(kind, () => { touchedAt = performance.now(); }, { passive: true });
  for (const [id, name, as] of [["choice-kind", "kind", String], ["choice-within", "within_m", Number], ["choice-order", "order", String]]) {
    byId(id).addEventListener("change", (event) => choose({ [name]: as(event.target.value) }));
  }
  whenLoaded("checks", ({ total }) => {
    if (before !== null) announce(before, total);
    before = total;
    later();
  });
  whenAskedOtherwise(() => {
    draw();
    load("checks");
  });
}

/** The checks in the order of the list; those to which colleagues go come last. */
function inOrder() {
  const checks = [...(known.checks?.checks ?? [])];
  if (choices().order === "near" && known.checks?.position) checks.sort((one, other) => one.walk_m - other.walk_m);
  const theirs = (check) => check.held !== null && !check.held.mine;
  return [...checks.filter((check) => !theirs(check)), ...checks.filter(theirs)];
}

/** The first one that nobody goes to, but for `except`; undefined when there is none. */
export const nextFree = (except) => inOrder().find((check) => check.held === null && check.place_id !== except);

function later() {
  clearTimeout(pending);
  const still = performance.now() - touchedAt;
  if (still >= STILL_MS) draw();
  else pending = setTimeout(later, STILL_MS - still);
}

function draw() {
  const answer = known.checks;
  if (!answer) return;
  const list = byId("check-list");
  const checks = inOrder();
  say("count-checks", number(answer.total));
  const shown = Math.max(FIRST, list.querySelectorAll(".check").length);
  keepFocus(list, inPieces(checks, row, shown), nothing());
  list.querySelector(".empty")?.classList.toggle("empty-wide", true);
  const { kind, order } = choices();
  say("choices-words", [kind && byId("choice-kind").selectedOptions[0].text, order === "near" && t("par distance")].filter(Boolean).join(", "));
}

function row(check) {
  const over = check.reason !== "soon_over";
  const theirs = check.held && !check.held.mine;
  const walked = known.checks.position !== null;
  const far = walked && check.worth_min < 0;
  return make("li", {},
    make("button", { class: `check ${theirs ? "check-theirs" : ""}`, type: "button", "data-place": check.place_id, onclick: () => onChosen(check.place_id) },
      make("span", { class: `sign sign-${theirs ? "theirs" : check.reason}`, "aria-hidden": true }, theirs ? "C" : SIGNS[check.reason]),
      make("span", { class: "check-name" }, nameOf(check), make("small", {}, idOf(check))),
      walked ? make("span", { class: "check-walk" }, duration(check.walk_s), make("span", { class: "unseen" }, " ", t("à pied"))) : null,
      make("span", { class: over ? "check-why check-over" : "check-why" }, reasonOf(check)),
      make("span", { class: "check-since" }, sureMark(check.chance), t("là depuis {time}", { time: clockTime(check.occupied_since) })),
      check.rule ? make("span", { class: "check-rule" }, ruleOf(check.rule)) : null,
      check.held ? make("span", { class: "check-held" }, check.held.mine ? t("Vous y allez, jusqu’à {time}", { time: clockTime(check.held.expires_at) }) : heldOf(check.held)) : null,
      far && !theirs ? make("span", { class: "check-held" }, t("Plus loin que ce qu’il vaut")) : null));
}

function nothing() {
  if (known.checks.position) {
    return t("Rien à contrôler dans ce rayon pour l’instant. La liste se remplit d’elle-même quand un capteur dit un dépassement ; élargissez le rayon pour voir plus loin.");
  }
  return t("Rien à contrôler pour l’instant dans la commune. La liste se remplit d’elle-même quand un capteur dit un dépassement.");
}

/** What a screen reader hears when more becomes of it. */
function announce(before, after) {
  if (after > before) say("announcer", n("{count} contrôle dans la liste.", "{count} contrôles dans la liste.", after));
}
