// What the tablet calls things.

import { metres, kilometres, percent } from "../format.js";
import { t } from "../i18n.js";

export const KINDS = { depot: t("Retour au dépôt"), disposal: t("Vidage à l’exutoire"), break: t("Pause") };

export const REASONS = {
  blocked: [t("Véhicule garé devant"), t("Travaux"), t("Accès fermé"), t("Marché ou événement")],
  overflowing: [t("Sacs au sol"), t("Dépôt sauvage"), t("Encombrants")],
  damaged: [t("Cassée"), t("Brûlée"), t("Serrure"), t("Renversée")],
};

const TOWARDS = {
  north: t("vers le nord"), north_east: t("vers le nord-est"), east: t("vers l’est"), south_east: t("vers le sud-est"),
  south: t("vers le sud"), south_west: t("vers le sud-ouest"), west: t("vers l’ouest"), north_west: t("vers le nord-ouest"),
};

/** Metres as a driver reads them: by tens, from a kilometre on in kilometres. */
export const far = (value) => (value >= 1000 ? kilometres(value) : metres(Math.round(value / 10) * 10));

export const towards = (point) => TOWARDS[point];

/** "vidée, 50 %": what a tap says. */
export function said(tap) {
  if (tap.kind === "emptied") return tap.found_fraction === null || tap.found_fraction === undefined ? t("vidée") : t("vidée, trouvée à {share}", { share: percent(tap.found_fraction) });
  const words = { blocked: t("bloquée"), overflowing: t("déborde"), damaged: t("abîmée"), broken: t("en panne"), back: t("de retour") }[tap.kind];
  return tap.comment ? `${words} (${tap.comment})` : words;
}
