// Long lists, rendered in pieces: a thousand rows at once would hold an old tablet for seconds.

import { make } from "./dom.js";
import { n } from "./i18n.js";

/** Return rows for `items` (`row(item)` makes an `li`), `size` at a time; the last row asks for more. */
export function inPieces(items, row, size = 40) {
  const rows = items.slice(0, size).map(row);
  const rest = items.slice(size);
  if (rest.length) rows.push(more(rest, row, size));
  return rows;
}

function more(rest, row, size) {
  const next = Math.min(size, rest.length);
  const button = make("button", { type: "button", class: "more" }, n("Montrer {count} de plus", "Montrer {count} de plus", next));
  const item = make("li", {}, button);
  button.addEventListener("click", () => {
    const rows = inPieces(rest, row, size);
    item.replaceWith(...rows);
    rows[0].querySelector("button, a")?.focus();
  });
  return item;
}
