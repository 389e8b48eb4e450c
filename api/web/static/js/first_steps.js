// Commands can be copied with one press.

import { make } from "./dom.js";
import { t } from "./i18n.js";

const SAID_MS = 2_000;

if (navigator.clipboard) {
  for (const block of document.querySelectorAll("pre.command")) {
    const text = block.textContent;
    block.append(make("button", { class: "button copy", type: "button", onclick: (event) => copy(event.currentTarget, text) }, t("Copier")));
  }
}

async function copy(button, text) {
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = t("Copié");
  } catch {
    button.textContent = t("Refusé");
  }
  setTimeout(() => { button.textContent = t("Copier"); }, SAID_MS);
}
