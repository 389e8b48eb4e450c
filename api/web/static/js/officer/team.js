// What colleagues took and how checks ended: roles, places and times; of officers themselves nothing is known.

import { byId, keepFocus, make, say } from "../dom.js";
import { clockTime, number } from "../format.js";
import { colon, t } from "../i18n.js";
import { inPieces } from "../pieces.js";
import { whenLoaded } from "../store.js";
import { CAUSES, idOf, nameOf } from "./words.js";

const SHIFT_MS = 12 * 3_600_000;
let onChosen = () => {};

export function start(chosen) {
  onChosen = chosen;
  whenLoaded("held", held);
  whenLoaded("log", log);
}

function held({ places }) {
  const theirs = places.filter((place) => !place.held.mine);
  say("count-team", theirs.length ? number(theirs.length) : "");
  const rows = places.map((place) => make("li", {},
    make("button", { type: "button", class: "row", "data-place": place.place_id, onclick: () => onChosen(place.place_id) },
      make("span", { class: "row-name" }, nameOf(place), make("span", {}, ` ${idOf(place)}`)),
      make("span", { class: "row-value" }, t("→ {time}", { time: clockTime(place.held.expires_at) })),
      make("span", { class: "row-note" }, place.held.mine ? t("Vous, depuis {time}", { time: clockTime(place.held.since) }) : t("{by}, depuis {time}", { by: place.held.by, time: clockTime(place.held.since) })))));
  keepFocus(byId("held-list"), rows, t("Personne n’a pris de contrôle en ce moment. Quand un collègue en prend un, il apparaît ici et vous n’y êtes plus envoyé."));
}

function log({ now, events }) {
  const since = new Date(now) - SHIFT_MS;
  const closed = events.filter((event) => event.act === "closed" && new Date(event.happened_at) >= since);
  const rows = inPieces(closed, (event) => make("li", { class: "told" },
    make("time", { datetime: event.happened_at }, clockTime(event.happened_at)),
    make("b", {}, CAUSES[event.cause].title),
    make("span", {}, [event.street, event.place_id].filter(Boolean).join(" ")),
    make("span", { class: "told-by" }, [event.by, event.comment && t("« {words} »", { words: event.comment })].filter(Boolean).join(colon))));
  keepFocus(byId("log-list"), rows, t("Aucun contrôle terminé depuis 12 heures."));
}
