// How a bin looks, on maps and in words. Its source is never told by colour alone.

import { chart } from "./chart.js";
import { make, svg } from "./dom.js";
import { clockTime, percent, since } from "./format.js";
import { t } from "./i18n.js";
import { fillClass, fillColour } from "./palette.js";
import { reasonIn } from "./reasons.js";

const WORDS = { measured: t("mesurée"), declared: t("vidée"), predicted: t("estimée"), unknown: t("niveau inconnu") };
let drawn = {};

/** The fill to show, or null: each source says it in its own field. */
export function fillOf(bin) {
  if (bin.best_source === "measured") return bin.measured.fill_fraction;
  if (bin.best_source === "predicted") return bin.predicted.fill_fraction_p50;
  return null;
}

/** How a bin's dot looks: a filled dot is measured, a white heart is estimated, a dotted ring is unknown. */
export function look(bin) {
  const common = { color: "#3c2440", fillColor: fillColour(fillOf(bin) ?? 0), fillOpacity: 1, dashArray: null };
  switch (bin.best_source) {
    case "measured":
      return { ...common, size: 7, weight: 1.5, heart: 0 };
    case "predicted":
      return { ...common, size: 6.5, weight: 0.8, heart: 0.4 };
    case "declared":
      return { size: 5, weight: 2, color: "#2f7d5b", fillColor: "#fff", fillOpacity: 1, dashArray: null, heart: 0 };
    default:
      return { size: 5, weight: 1.6, color: "#55646f", fillColor: "#fff", fillOpacity: 0.9, dashArray: "2 3", heart: 0 };
  }
}

/** Where a bin's level comes from, in words. */
export function provenance(bin, now) {
  switch (bin.best_source) {
    case "measured":
      return t("Mesurée {since}", { since: since(bin.measured.measured_at, now) });
    case "predicted":
      return t("Estimée, entre {low} et {high}", { low: percent(bin.predicted.fill_fraction_p10), high: percent(bin.predicted.fill_fraction_p90) });
    case "declared":
      return t("Vidée {since}, pas encore réestimée", { since: since(bin.declared.last_emptied_at, now) });
    default:
      return t("Ni mesure récente, ni estimation");
  }
}

/** A bin's level as a bar; of an estimated one its range. */
export function bar(bin) {
  const fraction = fillOf(bin);
  const width = (value) => Math.min(100, Math.max(0, 100 * value));
  const parts = [svg("rect", { width: 100, height: 6, rx: 3, fill: "#e6ebec" })];
  if (fraction !== null) {
    const colour = fillColour(fraction);
    if (bin.best_source === "predicted") {
      const [low, high] = [width(bin.predicted.fill_fraction_p10), width(bin.predicted.fill_fraction_p90)];
      parts.push(svg("rect", { x: low, width: Math.max(1, high - low), height: 6, fill: colour, opacity: 0.45 }));
      parts.push(svg("rect", { class: "bar-middle", x: width(fraction) - 0.8, width: 1.6, height: 6 }));
    } else {
      parts.push(svg("rect", { width: width(fraction), height: 6, fill: colour }));
    }
  }
  return svg("svg", { class: "bar", viewBox: "0 0 100 6", preserveAspectRatio: "none", "aria-hidden": true }, ...parts);
}

/** What is known of a bin, for a popup: `stop` is the plan's stop there; `settle()` is called when its drawing came. */
export function card(bin, { now, stop, settle }) {
  const placeId = bin.place_id;
  const facts = [];
  const fact = (name, ...value) => facts.push(make("dt", {}, name), make("dd", {}, ...value));
  if (bin.measured) {
    const level = bin.measured.fill_fraction === null ? t("sans résultat") : percent(bin.measured.fill_fraction);
    fact(t("Mesuré"), make("b", {}, level), ` ${since(bin.measured.measured_at, now)}`);
  }
  if (bin.predicted) {
    const { fill_fraction_p10: low, fill_fraction_p50: middle, fill_fraction_p90: high, valid_at: at } = bin.predicted;
    fact(t("Estimé"), make("b", {}, percent(middle)), " ", t("({low} à {high}) à {time}", { low: percent(low), high: percent(high), time: clockTime(at) }));
    fact(t("Risque d’être pleine"), percent(bin.predicted.probability_full));
  }
  if (bin.declared) fact(t("Vidée"), since(bin.declared.last_emptied_at, now));
  const charge = bin.measured?.battery_percent;
  fact(t("Capteur"), bin.has_sensor ? t("oui") : t("non"), charge ? t(", pile {share}", { share: percent(charge / 100) }) : "");
  const place = make("div", { class: "card", "data-place": placeId, "data-fill": fillOf(bin) === null ? "unknown" : fillClass(fillOf(bin)) },
    make("h4", {}, placeId),
    make("p", { class: "card-place" }, [bin.street, WORDS[bin.best_source]].filter(Boolean).join(", ")),
    make("dl", {}, ...facts),
    stop && make("p", { class: "why" }, t("{vehicle}, passage à {time}.", { vehicle: stop.vehicle, time: clockTime(stop.arrive_at) }), " ", stop.reason && reasonIn("span", {}, stop.reason)));
  // The last drawing stays until the new one is there, so that a popup does not jump when a reading comes in.
  const holder = make("div", {}, ...(drawn.placeId === placeId ? drawn.parts : []));
  place.append(holder);
  chart(placeId).then((parts) => {
    if (!parts) return;
    drawn = { placeId, parts };
    holder.replaceChildren(...parts);
    settle();
  });
  return place;
}
