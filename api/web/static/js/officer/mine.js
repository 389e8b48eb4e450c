// What the officer goes to now, always in reach: how far, until when, and the touch that says "I am there".

import { byId, make } from "../dom.js";
import { clockTime, duration } from "../format.js";
import { t } from "../i18n.js";
import { known, whenLoaded } from "../store.js";
import * as card from "./card.js";
import * as closing from "./closing.js";
import { waits } from "./sending.js";
import { idOf, nameOf } from "./words.js";

export function start() {
  whenLoaded("held", draw);
  whenLoaded("checks", draw);
}

/** Draw it anew, as when something was told that the server does not know yet. */
export function draw() {
  const mine = (known.held?.places ?? []).filter((place) => place.held.mine && !waits(place.place_id));
  const shown = byId("mine");
  const focused = shown.contains(document.activeElement) ? document.activeElement.dataset : null;
  shown.hidden = mine.length === 0;
  shown.replaceChildren(...mine.map(one));
  if (focused) shown.querySelector(`[data-place="${CSS.escape(focused.place)}"][data-act="${focused.act}"]`)?.focus();
}

function one(held) {
  const place = card.placeOf(held.place_id) ?? held;
  const facts = [known.checks?.position && "walk_s" in place ? t("{duration} à pied", { duration: duration(place.walk_s) }) : null, t("à vous jusqu’à {time}", { time: clockTime(held.held.expires_at) })];
  const act = (name, title, onclick, kind = "") => make("button", { type: "button", class: `button ${kind}`, "data-act": name, "data-place": place.place_id, onclick }, title);
  return make("div", { class: "mine-one", "data-place": place.place_id },
    make("button", { type: "button", class: "mine-name", "data-act": "open", "data-place": place.place_id, onclick: () => card.open(place.place_id) },
      make("b", {}, nameOf(place), make("small", {}, idOf(place))), make("span", {}, facts.filter(Boolean).join(" · "))),
    act("there", t("J’y suis"), () => closing.open(place), "primary"),
    act("leave", t("Laisser"), () => card.leave(place.place_id)));
}

/** Put the keyboard on "I am there". */
export function focus(placeId) {
  byId("mine").querySelector(`[data-place="${CSS.escape(placeId)}"][data-act="there"]`)?.focus();
}
