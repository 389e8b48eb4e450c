// Small helpers to build the page without a line of HTML in strings: nothing that comes from data is ever parsed as HTML.

/** Return the element with this id; it must be in the template. */
export function byId(id) {
  const element = document.getElementById(id);
  if (!element) throw new Error(`the template has no #${id}`);
  return element;
}

/** Make an element: `make("p", {class: "note"}, "text", child)`. Properties that start with "on" are listeners. */
export function make(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/** Make an SVG element in the same way. */
export function svg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined) continue;
    if (name.startsWith("aria-")) element.setAttribute(name, String(value)); // "false" is a value there
    else if (value === false) continue;
    else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/** Replace a list's rows; the row that has the keyboard keeps it. */
export function keepFocus(listElement, rows, ifNone) {
  const place = listElement.contains(document.activeElement) ? document.activeElement.dataset.place : null;
  listElement.replaceChildren(...(rows.length ? rows : [make("li", { class: "empty" }, ifNone)]));
  if (place) listElement.querySelector(`[data-place="${CSS.escape(place)}"]`)?.focus({ preventScroll: true });
}

/** Set an element's text, leaving it untouched when nothing changed (screen readers notice every touch). */
export function say(id, text) {
  const element = byId(id);
  if (element.textContent !== text) element.textContent = text;
}
