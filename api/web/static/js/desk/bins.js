// The bins of the desk: dots on the map and their list, narrowed together.

import { bar, fillOf, look, provenance } from "../bin_looks.js";
import { byId, keepFocus, make, say } from "../dom.js";
import * as dots from "../dots.js";
import { clockTime, lower, number, percent } from "../format.js";
import { n, t } from "../i18n.js";
import * as map from "../map.js";
import { inPieces } from "../pieces.js";
import { known, whenLoaded } from "../store.js";
import { typeset } from "../typography.js";
import { whenDay } from "./day.js";
import { byGravity, FILTERS, outlook } from "./outlook.js";
import { openPlace } from "./place.js";
import { whenTried } from "./trying.js";

const SOURCES = ["measured", "predicted", "declared", "unknown"];
const AWAY = { size: 2.5, weight: 0, color: "#8d9aa1", fillColor: "#8d9aa1", fillOpacity: 0.8, dashArray: null, heart: 0 };
const markers = new Map();
const wanted = { filter: "all", sector: "", text: "", sources: new Set(SOURCES) };
let ring = null;

export function start() {
  for (const part of ["bins", "forecasts", "alerts"]) whenLoaded(part, show);
  whenDay(show);
  whenTried(show);
  byId("filters").addEventListener("change", (event) => narrow({ filter: event.target.value }));
  byId("bin-search").addEventListener("input", (event) => narrow({ text: lower(event.target.value.trim()) }));
  byId("bin-sector").addEventListener("change", (event) => narrow({ sector: event.target.value }));
  for (const box of document.querySelectorAll("input[data-source]")) {
    box.addEventListener("change", () => {
      const sources = new Set(wanted.sources);
      if (box.checked) sources.add(box.dataset.source);
      else sources.delete(box.dataset.source);
      narrow({ sources });
    });
  }
}

/** Show a filter's bins, all else as before it was narrowed. */
export function filterBy(name) {
  document.querySelector(`#filters input[value="${name}"]`).checked = true;
  narrow({ filter: name });
}

/** Bring a bin into view and mark it. */
export function point(placeId) {
  const bin = binOf(placeId);
  if (!bin) return;
  map.goTo(bin);
  ring?.remove();
  ring = L.circleMarker([bin.latitude_deg, bin.longitude_deg], { pane: "bays", radius: 15, color: "#0d3b47", weight: 4, fill: false, interactive: false, className: "pointed" });
  ring.addTo(map.group("bins"));
}

export const binOf = (placeId) => known.bins?.bins.find((bin) => bin.place_id === placeId) ?? null;

function narrow(change) {
  Object.assign(wanted, change);
  show();
}

function show() {
  if (!known.bins) return;
  const { bins } = known.bins;
  sectors(bins);
  counts(bins);
  const held = new Set(bins.filter(isWanted).map((bin) => bin.place_id));
  draw(bins, held);
  list(bins.filter((bin) => held.has(bin.place_id)));
}

function isWanted(bin) {
  return wanted.sources.has(bin.best_source)
    && (!wanted.sector || bin.sector === wanted.sector)
    && (!wanted.text || lower(`${bin.place_id} ${bin.street ?? ""}`).includes(wanted.text))
    && FILTERS[wanted.filter].holds(outlook().get(bin.place_id), bin);
}

function draw(bins, held) {
  const present = new Set();
  for (const bin of bins) {
    present.add(bin.place_id);
    const style = held.has(bin.place_id) ? look(bin) : AWAY;
    const marker = markers.get(bin.place_id);
    if (!marker) {
      const made = dots.dot(bin, style);
      made.on("click", () => openPlace(bin.place_id));
      made.addTo(map.group("bins"));
      made.drawn = style;
      markers.set(bin.place_id, made);
    } else if (JSON.stringify(style) !== JSON.stringify(marker.drawn)) {
      dots.change(marker, style);
      marker.drawn = style;
    }
  }
  for (const [placeId, marker] of markers) {
    if (present.has(placeId)) continue;
    dots.forget(marker);
    markers.delete(placeId);
  }
  map.frame(bins);
}

function list(bins) {
  const facts = outlook();
  const urgent = (bin) => (facts.get(bin.place_id).alerts.length ? 1 : 0);
  const sorted = bins.toSorted((one, other) =>
    wanted.filter === "alarms" ? byGravity(gravest(facts.get(one.place_id)), gravest(facts.get(other.place_id)))
      : (fillOf(other) ?? -1) - (fillOf(one) ?? -1) || urgent(other) - urgent(one) || (one.place_id < other.place_id ? -1 : 1));
  const all = known.bins.bins.length;
  say("bin-list-title", bins.length === all
    ? n("{count} corbeille, la plus pleine d’abord", "{count} corbeilles, la plus pleine d’abord", all)
    : n("{count} corbeille sur {all}", "{count} corbeilles sur {all}", bins.length, { all: number(all) }));
  keepFocus(byId("bin-list"), inPieces(sorted, (bin) => row(bin, facts.get(bin.place_id))), nothing());
}

const gravest = (facts) => facts.alerts.toSorted(byGravity)[0];

function nothing() {
  if (!known.bins.bins.length) return t("Cette commune n’a pas encore de corbeilles. L’intégrateur les importe avec les capteurs.");
  if (wanted.text || wanted.sector || wanted.sources.size < SOURCES.length) return t("Aucune corbeille ne répond à ces critères. Élargissez la recherche ou l’origine des niveaux.");
  const words = {
    today: known.forecasts?.run === null ? t("Aucune prévision pour l’instant : on ne sait pas encore lesquelles seront pleines.") : t("Aucune corbeille pleine aujourd’hui, d’après les mesures et la prévision."),
    tomorrow: known.forecasts?.run === null ? t("Aucune prévision pour l’instant : on ne sait pas encore lesquelles seront pleines.") : t("Aucune corbeille pleine demain, d’après la prévision."),
    alarms: t("Aucune alarme ouverte."),
    silent: t("Tous les capteurs parlent."),
    missed: t("Aucune : toute corbeille qui sera pleine ce jour-là est dans une tournée."),
  };
  return words[wanted.filter] ?? t("Aucune corbeille.");
}

function row(bin, facts) {
  const notes = [provenance(bin, known.bins.now)];
  if (facts.fullAt) notes.push(t("pleine vers {time}", { time: clockTime(facts.fullAt) }));
  return make("li", {},
    make("button", { class: "row", type: "button", "data-place": bin.place_id, onclick: () => { point(bin.place_id); openPlace(bin.place_id); } },
      make("span", { class: "row-name" }, bin.place_id, make("span", {}, bin.street ? ` ${bin.street}` : "")),
      make("span", { class: "row-value" }, fillOf(bin) === null ? "?" : percent(fillOf(bin))),
      bar(bin),
      make("span", { class: "row-note" }, facts.fullAt && !isSoon(facts) ? notes[0] : notes.join(" · ")),
      ...facts.alerts.toSorted(byGravity).map((alert) => make("span", { class: `row-alert ${alert.severity}`, lang: "fr" }, typeset(alert.message))),
      facts.silent ? make("span", { class: "row-alert minor" }, t("Capteur muet")) : null));
}

const isSoon = (facts) => FILTERS.today.holds(facts);

function counts(bins) {
  const facts = outlook();
  for (const [name, filter] of Object.entries(FILTERS)) {
    if (!document.getElementById(`count-${name}`)) continue; // who sees no plan has no such filter
    say(`count-${name}`, number(bins.filter((bin) => filter.holds(facts.get(bin.place_id), bin)).length));
  }
  for (const source of SOURCES) say(`count-${source}`, number(bins.filter((bin) => bin.best_source === source).length));
}

function sectors(bins) {
  const names = [...new Set(bins.map((bin) => bin.sector).filter(Boolean))].toSorted();
  const select = byId("bin-sector");
  select.closest("label").hidden = names.length === 0;
  if (select.options.length === names.length + 1) return;
  select.replaceChildren(make("option", { value: "" }, t("Tous les secteurs")), ...names.map((name) => make("option", { value: name }, name)));
  select.value = wanted.sector;
}
