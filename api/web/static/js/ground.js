// The ground of the map: tiles when the operator allows them and they come, otherwise the commune's own streets.

import { get, Problem } from "./http.js";
import { t } from "./i18n.js";

const LINES = {
  coast: { colour: "#9dbccb", width: 1.5 },
  water_line: { colour: "#c3dae5", width: 3 },
  path: { colour: "#fdfdfb", width: 1.2, from: 15 },
  access: { colour: "#ffffff", width: 2, casing: true, from: 14 },
  minor: { colour: "#ffffff", width: 4, casing: true },
  middle: { colour: "#ffffff", width: 6, casing: true },
  major: { colour: "#fff6dd", width: 7.5, casing: true },
};
const TILES_PATIENCE_MS = 8000;
const GROUNDS = { water: "#c5dce8", green: "#d0e0c9" };
const CASING = "#b9c4c3";
const CONTRIBUTORS = t("contributeurs OpenStreetMap");
const OSM = `© <a href="https://www.openstreetmap.org/copyright">${CONTRIBUTORS}</a>`;

/** Put a ground under `map`. A page that keeps the streets brings them (`streets()`, null: none are to be had) and needs no tile. */
export async function lay(map, streets = null) {
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

function drawStreets(map, document_) {
  map.createPane("streets").style.zIndex = 250;
  const renderer = L.canvas({ pane: "streets", padding: 0.3 });
  map.attributionControl.addAttribution(OSM);
  const drawn = [];
  const add = (feature, style) => {
    const layer = L.geoJSON(feature, { pane: "streets", renderer, interactive: false, style });
    layer.addTo(map);
    return layer;
  };
  for (const feature of document_.features) {
    const colour = GROUNDS[feature.properties.class];
    if (colour) add(feature, { stroke: false, fillColor: colour, fillOpacity: 1 });
  }
  const streets = document_.features.filter((feature) => feature.properties.class in LINES);
  for (const casing of [true, false]) {
    for (const feature of streets) {
      const look = LINES[feature.properties.class];
      if (casing && !look.casing) continue;
      const style = { color: casing ? CASING : look.colour, lineCap: "round", lineJoin: "round", opacity: 1 };
      drawn.push({ layer: add(feature, style), look, casing });
    }
  }
  const scale = () => {
    const zoom = map.getZoom();
    const factor = 2 ** ((zoom - 16) * 0.6);
    for (const { layer, look, casing } of drawn) {
      const width = Math.max(0.8, look.width * factor);
      const shown = zoom >= (look.from ?? 0);
      layer.setStyle({ weight: casing ? width + 1.8 : width, opacity: shown ? 1 : 0 });
    }
  };
  map.on("zoomend", scale);
  scale();
}
