// The ground of the map: tiles when the operator allows them and they come, otherwise the commune's own streets.

import { get, Problem } from "./http.js";
import { t } from "./i18n.js";

const LINES = {
  coast: { width: 1.5 },
  water_line: { width: 3 },
  path: { width: 1.2, from: 15 },
  access: { width: 2, casing: true, from: 14 },
  minor: { width: 4, casing: true },
  middle: { width: 6, casing: true },
  major: { width: 7.5, casing: true },
};
const TILES_PATIENCE_MS = 8000;
const GROUNDS = new Set(["water", "green"]);
const dark = matchMedia("(prefers-color-scheme: dark)");
const CONTRIBUTORS = t("contributeurs OpenStreetMap");
const OSM = `© <a href="https://www.openstreetmap.org/copyright">${CONTRIBUTORS}</a>`;

/**
 * Put a ground under `map`. A page that keeps the streets brings them (`streets()`, null: none are to be had) and needs no
 * tile. Others ask for them `after` a promise.
 */
export async function lay(map, { streets = null, after = null } = {}) {
  const own = await streets?.();
  if (own) {
    drawStreets(map, own);
    return;
  }
  const { tilesUrl, tilesAttribution } = document.body.dataset;
  if (tilesUrl) {
    const tiles = L.tileLayer(tilesUrl, { attribution: tilesAttribution, maxZoom: 20, maxNativeZoom: 19 });
    if (await tilesCome(tiles.addTo(map))) return;
    tiles.remove();
  }
  if (streets) return;
  try {
    await after;
    drawStreets(map, await get("/streets"));
  } catch (error) {
    // Without streets the places still stand where they are.
    if (!(error instanceof Problem)) throw error;
  }
}

/** Say whether the tiles' server answers: in a closed network, or away from what it covers, not one tile comes. */
function tilesCome(tiles) {
  return new Promise((resolve) => {
    tiles.once("tileload", () => resolve(true));
    tiles.once("load", () => resolve(false)); // every tile is done, and none of them loaded
    setTimeout(() => resolve(false), TILES_PATIENCE_MS); // a firewall that drops what it refuses never answers
  });
}

/** Colours of the ground by class, as the style sheet has them for the look of the moment. */
function colours() {
  const styles = getComputedStyle(document.documentElement);
  return (name) => styles.getPropertyValue(`--ground-${name}`).trim();
}

function drawStreets(map, document_) {
  map.createPane("streets").style.zIndex = 250;
  const renderer = L.canvas({ pane: "streets", padding: 0.3 });
  map.attributionControl.addAttribution(OSM);
  const drawn = [];
  const add = (feature, part) => {
    const layer = L.geoJSON(feature, { pane: "streets", renderer, interactive: false, style: styleOf(part) });
    layer.addTo(map);
    drawn.push({ layer, part });
  };
  const classes = (known) => document_.features.filter((feature) => known(feature.properties.class));
  const styleOf = ({ name, look, casing }) => {
    const colour = colours()(casing ? "casing" : name);
    if (!look) return { stroke: false, fillColor: colour, fillOpacity: 1 };
    const zoom = map.getZoom();
    const width = Math.max(0.8, look.width * 2 ** ((zoom - 16) * 0.6));
    return { color: colour, lineCap: "round", lineJoin: "round", weight: casing ? width + 1.8 : width, opacity: zoom >= (look.from ?? 0) ? 1 : 0 };
  };
  for (const feature of classes((name) => GROUNDS.has(name))) add(feature, { name: feature.properties.class });
  for (const casing of [true, false]) {
    for (const feature of classes((name) => name in LINES)) {
      const name = feature.properties.class;
      if (!casing || LINES[name].casing) add(feature, { name, look: LINES[name], casing });
    }
  }
  const restyle = () => {
    for (const { layer, part } of drawn) layer.setStyle(styleOf(part));
  };
  // A zoom ends with a drawing of everything, which takes these: a style that is set would have all drawn twice.
  map.on("zoomend", () => {
    for (const { layer, part } of drawn) layer.eachLayer((path) => L.setOptions(path, styleOf(part)));
  });
  dark.addEventListener("change", restyle);
  new MutationObserver(restyle).observe(document.documentElement, { attributeFilter: ["data-theme"] });
}
