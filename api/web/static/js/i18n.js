// What pages say, in the page's language. French is written in the modules; every other language is one catalogue.

import { root } from "./root.js";
import { typeset } from "./typography.js";

export const language = document.documentElement.lang;

/** What stands between a name and what is said of it. */
export const colon = language === "fr" ? "\u00a0: " : ": ";

const catalogue = language === "fr" ? {} : await load();

const whole = new Intl.NumberFormat(language, { maximumFractionDigits: 0 });

async function load() {
  try {
    const response = await fetch(new URL(`messages/${language}.json`, root));
    return response.ok ? await response.json() : {};
  } catch {
    return {}; // without its catalogue a page speaks French
  }
}

/** Return a French text in the page's language, `{name}`s filled in: `t("{km} km à faire", { km: 12 })`. */
export function t(french, values = {}) {
  return filled(catalogue[french]?.[0] ?? typeset(french), values);
}

/** Return what counts `count` things: `n("{count} corbeille", "{count} corbeilles", 3)`. French has one for 0 and 1. */
export function n(one, many, count, values = {}) {
  const forms = catalogue[one];
  const text = forms
    ? forms[new Intl.PluralRules(language).select(count) === "one" ? 0 : 1]
    : typeset(Math.abs(count) < 2 ? one : many);
  return filled(text, { count: whole.format(count), ...values });
}

function filled(text, values) {
  return text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}
