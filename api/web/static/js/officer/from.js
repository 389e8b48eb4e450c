// Where the officer starts: their own position, asked for on demand and followed while the page is looked at; a street,
// an address or a place by its name; or the middle of the map. Rounded before it leaves the phone, kept nowhere.

import { byId, say } from "../dom.js";
import { t } from "../i18n.js";
import * as suggestions from "../suggestions.js";
import { start as from, startFrom } from "./known.js";
import { showMap } from "./view.js";

const MOVED_M = 30;
const POSITION = { enableHighAccuracy: true, maximumAge: 15_000, timeout: 20_000 };
const PROBLEMS = {
  1: t("Le téléphone ne donne pas sa position à cette page. Autorisez-la dans les réglages du navigateur, ou donnez une adresse."),
  2: t("Le téléphone ne trouve pas sa position. Réessayez dehors, ou donnez une adresse."),
  3: t("La position tarde. Réessayez, ou donnez une adresse."),
};
const UNKNOWN = t("Rien de ce nom dans la commune. Écrivez-le autrement, ou montrez un point de la carte.");
const UNANSWERED = t("Pas de réponse du service. Réessayez, ou montrez un point de la carte.");
let map = null;
let watch = null;
let wanted = false;

export function start(theMap) {
  map = theMap;
  byId("from-me").addEventListener("click", () => (wanted ? stop() : ask()));
  byId("from-elsewhere").addEventListener("click", () => elsewhere(byId("elsewhere").hidden));
  suggestions.start(byId("from-name"), byId("suggestions"), (found) => begin(found, found.name), (count) => complain(count === 0 ? UNKNOWN : count === null ? UNANSWERED : ""));
  byId("from-map").addEventListener("click", aim);
  byId("aim-here").addEventListener("click", () => {
    const { lat, lng } = map.getCenter();
    byId("aim").hidden = true;
    begin({ longitude_deg: L.Util.wrapNum(lng, [-180, 180], true), latitude_deg: lat }, t("un point de la carte"));
  });
  byId("aim-cancel").addEventListener("click", endAim);
  // A page that nobody looks at does not follow anybody.
  document.addEventListener("visibilitychange", () => (document.hidden ? unwatch() : wanted && listen()));
}

function elsewhere(shown) {
  byId("elsewhere").hidden = !shown;
  byId("from-elsewhere").setAttribute("aria-expanded", String(shown));
  if (shown) byId("from-name").focus();
}

/** Start from a place that was named or pointed at. */
function begin({ longitude_deg, latitude_deg }, words) {
  stop();
  complain("");
  startFrom({ longitude_deg, latitude_deg, words, follows: false });
  map.setView([latitude_deg, longitude_deg], Math.max(map.getZoom(), 16), { animate: false });
  byId("from-name").value = "";
  elsewhere(false);
  byId("from-elsewhere").focus();
}

function ask() {
  elsewhere(false);
  complain("");
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
  complain("");
  const near = from?.follows && map.distance([from.latitude_deg, from.longitude_deg], [latitude, longitude]) < MOVED_M;
  if (near) return;
  const first = !from?.follows;
  startFrom({ longitude_deg: longitude, latitude_deg: latitude, words: accuracy > 100 ? t("votre position, à {metres} m près", { metres: Math.round(accuracy / 10) * 10 }) : t("votre position"), follows: true });
  if (first) map.setView([latitude, longitude], Math.max(map.getZoom(), 16), { animate: false });
}

function trouble({ code }) {
  stop();
  if (!from) say("from-words", t("aucun : la liste ne compte pas la marche"));
  else say("from-words", from.words);
  complain(PROBLEMS[code] ?? PROBLEMS[2]);
}

function complain(words) {
  say("from-problem", words);
  byId("from-problem").hidden = !words;
}

function aim() {
  complain("");
  elsewhere(false);
  byId("aim").hidden = false;
  showMap();
  byId("aim-here").focus();
}

function endAim() {
  byId("aim").hidden = true;
  byId("from-elsewhere").focus();
}
