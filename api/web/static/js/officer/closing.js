// How a check ended, in one touch: six causes, and a few words if need be. No plate goes into them.

import { byId, make } from "../dom.js";
import { Problem } from "../http.js";
import { t } from "../i18n.js";
import { why } from "../refused.js";
import { load } from "../store.js";
import { looksLikePlate } from "./plates.js";
import { close } from "./sending.js";
import { done } from "./telling.js";
import { CAUSES, idOf, nameOf } from "./words.js";

const LONGEST = 200;
const PLATE = t("Cela ressemble à une plaque. Retirez-la : aucun véhicule n’est identifié ici.");
let onClosed = () => {};
let place = null;
let comment = null;
let fault = null;
let busy = false;

/** Call `closed(placeId, cause)` when a check was closed. */
export function start(closed) {
  onClosed = closed;
  byId("closing").addEventListener("click", (event) => event.target === byId("closing") && byId("closing").close());
}

/** Ask what was found at a place. */
export function open(given) {
  place = given;
  draw();
  byId("card").close();
  byId("closing").showModal();
}

function draw() {
  comment = make("input", { type: "text", id: "closing-comment", maxlength: LONGEST, autocomplete: "off", "aria-describedby": "closing-fault closing-rule" });
  comment.addEventListener("input", () => complain(looksLikePlate(comment.value) ? PLATE : ""));
  fault = make("p", { class: "from-problem", id: "closing-fault", role: "alert", hidden: true });
  byId("closing").replaceChildren(
    make("button", { type: "button", class: "button shut", "aria-label": t("Fermer"), onclick: () => byId("closing").close() }, "×"),
    make("h2", { id: "closing-title" }, t("Qu’avez-vous trouvé ?"), make("small", {}, [nameOf(place), idOf(place)].filter(Boolean).join(" "))),
    make("div", { class: "causes" }, ...Object.entries(CAUSES).map(([cause, { title, about }]) =>
      make("button", { type: "button", class: `cause cause-${cause}`, "data-cause": cause, onclick: () => chosen(cause) }, make("b", {}, title), make("span", {}, about)))),
    make("label", { class: "comment", for: "closing-comment" }, make("span", {}, t("Un mot, si besoin")), comment),
    make("p", { class: "note", id: "closing-rule" }, t("Pas de plaque, pas de nom : ces mots restent au journal.")),
    fault);
}

function complain(words) {
  fault.hidden = !words;
  fault.textContent = words;
  comment.setAttribute("aria-invalid", String(Boolean(words)));
}

async function chosen(cause) {
  if (busy) return;
  const words = comment.value.trim();
  if (looksLikePlate(words)) {
    complain(PLATE);
    comment.focus();
    return;
  }
  if (cause === "other" && !words) {
    complain(t("Dites d’abord quoi en quelques mots, puis touchez « Autre »."));
    comment.focus();
    return;
  }
  busy = true;
  try {
    const sent = await close(place.place_id, cause, words);
    byId("closing").close();
    const what = { cause: CAUSES[cause].title, place: nameOf(place) };
    done(sent ? t("Terminé : {cause}, {place}.", what) : t("Gardé : {cause}, {place}. Le constat part au retour du réseau.", what));
    if (sent) await load("held", "checks", "log");
    onClosed(place.place_id, cause);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    complain(t("Cela n’a pas été enregistré : {detail}", { detail: why(error) }));
  } finally {
    busy = false;
  }
}
