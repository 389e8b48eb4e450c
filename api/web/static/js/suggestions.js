// Streets, addresses and places while somebody types: a combobox with a list, as the ARIA practices describe it.

import { make } from "./dom.js";
import { get, Problem } from "./http.js";
import { t } from "./i18n.js";

const CALM_MS = 180;
const LEAST_LETTERS = 2;
const KINDS = { street: t("rue"), address: t("adresse"), place: t("lieu") };

let input = null;
let list = null;
let choose = () => {};
let answered = () => {};
let found = [];
let active = -1;
let timer = 0;
let turn = 0;

/**
 * Suggest under `field` in `listbox`; `onChoice(destination)` when somebody takes one, `onAnswer(count)` with how many
 * there are, null when the server did not say.
 */
export function start(field, listbox, onChoice, onAnswer = () => {}) {
  [input, list, choose, answered] = [field, listbox, onChoice, onAnswer];
  for (const [name, value] of Object.entries({ role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": list.id })) {
    input.setAttribute(name, value);
  }
  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(suggest, CALM_MS);
  });
  input.addEventListener("keydown", onKey);
  input.addEventListener("blur", () => setTimeout(close, CALM_MS));
}

/** Hide the list. */
export function close() {
  clearTimeout(timer);
  turn += 1;
  active = -1;
  list.hidden = true;
  input.setAttribute("aria-expanded", "false");
  input.removeAttribute("aria-activedescendant");
}

async function suggest() {
  const typed = input.value.trim();
  if (typed.length < LEAST_LETTERS) {
    close();
    return;
  }
  turn += 1;
  const mine = turn;
  try {
    const answer = await get("/destinations", { q: typed });
    if (mine !== turn) return;
    open(answer.destinations);
    answered(found.length);
  } catch (error) {
    if (!(error instanceof Problem)) throw error; // what is typed can still be searched for
    if (mine === turn) answered(null);
  }
}

function open(destinations) {
  found = destinations;
  active = -1;
  list.replaceChildren(...found.map((one, index) => make("li", {
    role: "option", id: `suggestion-${index}`, "aria-selected": false,
    onmousedown: (event) => event.preventDefault(), // the field keeps the keyboard
    onclick: () => take(index),
  }, make("span", { class: "suggestion-name" }, one.name), make("span", { class: "dim" }, one.detail ?? KINDS[one.kind]))));
  list.hidden = found.length === 0;
  input.setAttribute("aria-expanded", String(!list.hidden));
  input.removeAttribute("aria-activedescendant");
}

function onKey(event) {
  if (list.hidden) return;
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step) {
    event.preventDefault();
    mark(active < 0 && step < 0 ? found.length - 1 : (active + step + found.length) % found.length);
  } else if (event.key === "Enter" && active >= 0) {
    event.preventDefault();
    take(active);
  } else if (event.key === "Escape") {
    event.preventDefault();
    close();
  }
}

function mark(index) {
  active = index;
  for (const [each, option] of [...list.children].entries()) option.setAttribute("aria-selected", String(each === index));
  list.children[index].scrollIntoView({ block: "nearest" });
  input.setAttribute("aria-activedescendant", `suggestion-${index}`);
}

function take(index) {
  const one = found[index];
  close();
  choose(one);
}
