// Where the officer starts: their own position, asked for on demand and followed while the page is looked at, or the
// middle of the map. Rounded before it leaves the phone, kept nowhere.

import { byId, say } from "../dom.js";
import { t } from "../i18n.js";
import { start as from, startFrom } from "./known.js";
import { showMap } from "./view.js";

const MOVED_M = 30;
const POSITION = { enableHighAccuracy: true, maximumAge: 15_000, timeout: 20_000 };
const PROBLEMS = {
  1: t("Le téléphone ne donne pas sa position à cette page. Autorisez-la dans les réglages du navigateur, ou choisissez un point de la carte."),
  2: t("Le téléphone ne trouve pas sa position. Réessayez dehors, ou choisissez un point de la carte."),
  3: t("La position tarde. Réessayez, ou choisissez un point de la carte."),
};
let map = null;
let watch = null;
let wanted = false;

export function start(theMap) {
  map = theMap;
  byId("from-me").addEventListener("click", () => (wanted ? stop() : ask()));
  byId("from-map").addEventListener("click", aim);
  byId("aim-here").addEventListener("click", () => {
    stop();
    const { lat, lng } = map.getCenter();
    startFrom({ longitude_deg: L.Util.wrapNum(lng, [-180, 180], true), latitude_deg: lat, words: t("un point de la carte"), follows: false });
    endAim();
  });
  byId("aim-cancel").addEventListener("click", endAim);
  // A page that nobody looks at does not follow anybody.
  document.addEventListener("visibilitychange", () => (document.hidden ? unwatch() : wanted && listen()));
}

function ask() {
  byId("from-problem").hidden = true;
  if (!("geolocation" in navigator)) return trouble({ code: 2 });
  wanted = true;
  say("from-words", t("recherche de votre position…"));
  listen();
}

function stop() {
  wanted = false;
  unwatch();
  byId("from-me").setAttribute("aria-pressed", "false");
}

function listen() {
  unwatch();
  byId("from-me").setAttribute("aria-pressed", "true");
  watch = navigator.geolocation.watchPosition(moved, trouble, POSITION);
}

function unwatch() {
  if (watch !== null) navigator.geolocation.clearWatch(watch);
  watch = null;
}

function moved({ coords: { longitude, latitude, accuracy } }) {
  byId("from-problem").hidden = true;
  const near = from?.follows && map.distance([from.latitude_deg, from.longitude_deg], [latitude, longitude]) < MOVED_M;
  if (near) return;
  const first = !from?.follows;
  startFrom({ longitude_deg: longitude, latitude_deg: latitude, words: accuracy > 100 ? t("votre position, à {metres} m près", { metres: Math.round(accuracy / 10) * 10 }) : t("votre position"), follows: true });
  if (first) map.setView([latitude, longitude], Math.max(map.getZoom(), 16), { animate: false });
}

function trouble({ code }) {
  stop();
  if (!from) say("from-words", t("aucun : la liste ne compte pas la marche"));
  else say("from-words", from.words);
  say("from-problem", PROBLEMS[code] ?? PROBLEMS[2]);
  byId("from-problem").hidden = false;
}

function aim() {
  byId("from-problem").hidden = true;
  byId("aim").hidden = false;
  showMap();
  byId("aim-here").focus();
}

function endAim() {
  byId("aim").hidden = true;
  byId("from-map").focus();
}
