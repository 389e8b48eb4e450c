// Where somebody is, asked of their device when they say so, and rounded before anything else sees it.

import { kilometres } from "../format.js";
import { t } from "../i18n.js";

const DECIMALS = 4; // some ten metres
const PATIENCE_MS = 15_000;
const DETOUR = 1.4;
const TOWN_M_PER_MIN = 300; // 18 km/h, with lights and turns
const START_MIN = 1;
const LATEST_MIN = 60;
const DEGREE_M = 111_195;

/** Resolve to `{lon, lat}` in degrees, rounded to some ten metres; reject with what to tell the person. */
export function whereIAm() {
  return new Promise((resolve, reject) => {
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => resolve({ lon: coords.longitude.toFixed(DECIMALS), lat: coords.latitude.toFixed(DECIMALS) }),
      ({ code, PERMISSION_DENIED }) => reject(new Error(code === PERMISSION_DENIED
        ? t("Votre appareil n’a pas donné sa position. Autorisez-la dans le navigateur, ou tapez une rue.")
        : t("Votre position est introuvable pour l’instant. Tapez une rue, ou réessayez dehors."))),
      { maximumAge: 60_000, timeout: PATIENCE_MS, enableHighAccuracy: true },
    );
  });
}

/** How long the way by car takes, about: `{minutes, words}`; 60 minutes at most, as nobody foretells more. */
export function drivingMinutes(from, to) {
  const east = (to.lon - from.lon) * Math.cos((to.lat * Math.PI) / 180);
  const way_m = DETOUR * DEGREE_M * Math.hypot(east, to.lat - from.lat);
  const minutes = Math.min(LATEST_MIN, Math.ceil(START_MIN + way_m / TOWN_M_PER_MIN));
  return { minutes, words: t("Environ {distance}, {minutes} min en voiture.", { distance: kilometres(way_m), minutes }) };
}
