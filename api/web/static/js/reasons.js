// Why a plan serves a bin or leaves it, in the page's language. The plan keeps a French sentence with its code and its
// figures: on a page in French it is shown as it is, elsewhere it is said anew from these.

import { make } from "./dom.js";
import { clockTime, duration, kilometres, metres, percent } from "./format.js";
import { language, t } from "./i18n.js";
import { typeset } from "./typography.js";

const SERVED = {
  must: (said) => t("Imposée : à vider quoi qu’il arrive (remplissage prévu {fill}).", said),
  full_today: (said) => t("Sans doute pleine au passage : {full} de probabilité, remplissage prévu {fill}.", said),
  on_the_way: (said) => t("Sur le chemin : {detour} de détour seulement. Remplissage prévu {fill}, risque de débordement avant la prochaine tournée {risk}.", said),
  overflow_risk: (said) => t("Risque de débordement avant la prochaine tournée : {risk}. Remplissage prévu au passage {fill}.", said),
};
const LEFT = {
  not_worth_it: (said) => t("Peut attendre : la vider demanderait {detour} de détour et {work} de travail.", said),
  must_not: () => t("Laissée sur consigne du jour."),
  access: (said) => t("Aucun véhicule disponible n’y a accès : elle aurait demandé {detour} de détour.", said),
  capacity: (said) => t("Plus de place dans les bennes : elle aurait demandé {detour} de détour et {work} de travail.", said),
  range: (said) => t("Hors d’autonomie des véhicules : elle aurait demandé {detour} de détour et {work} de travail.", said),
  shift: (said) => t("Plus de temps dans les tournées : elle aurait demandé {detour} de détour et {work} de travail.", said),
  window: (said) => t("Aucune tournée ne peut y passer à ses heures : elle aurait demandé {detour} de détour.", said),
};
const ALONE = {
  no_forecast: () => t("Aucune prévision pour cette corbeille : rien ne dit qu’il faille y aller."),
  unreachable: () => t("Inaccessible au véhicule."),
  blocked: ({ text }) => t("Déclarée inaccessible à {time}.", { time: localTime(text) }),
};
const UTC = /(\d\d):(\d\d) UTC/;
// What no figure says: hours and what a vehicle needs, in the commune's own words.
const OWN_WORDS = [/\(((?!remplissage)[^)]*)\) :/, / (Heures d'accès : [^.]*\..*)$/, / (Accès : .*)$/];

/** The reason as an element of `tag`, in the page's language; what only the commune's French says is marked as French. */
export function reasonIn(tag, attributes, reason) {
  const said = language === "fr" ? null : anew(reason);
  if (said === null) return make(tag, { ...attributes, lang: "fr" }, typeset(reason.text.replace(UTC, localTime)));
  const own = OWN_WORDS.map((words) => reason.text.match(words)?.[1]).find(Boolean);
  return make(tag, attributes, said, ...(own ? [" ", make("span", { lang: "fr" }, typeset(own))] : []));
}

/** A moment that a text tells by UTC's clock, by the commune's. */
function localTime(text) {
  const [, hour, minute] = text.match(UTC) ?? [];
  return hour ? clockTime(new Date().setUTCHours(hour, minute, 0, 0)) : "?";
}

function anew({ code, text = "", figures = {} }) {
  if (code in ALONE) return ALONE[code]({ text });
  if (!Number.isFinite(figures.fill_p50)) return null;
  const said = {
    fill: share(figures.fill_p50), full: share(figures.probability_full), risk: share(figures.probability_full_next),
    detour: far(figures.detour_m ?? 0), work: duration(figures.detour_s ?? 0),
  };
  if (code in SERVED) return SERVED[code](said);
  if (!(code in LEFT)) return null;
  return `${LEFT[code](said)} ${t("Remplissage prévu {fill}, risque de débordement avant la prochaine tournée {risk}.", said)}`;
}

const far = (metres_) => (metres_ < 1000 ? metres(metres_) : kilometres(metres_));

/** A share without a claim of certainty. */
function share(fraction) {
  const whole = Math.round(100 * fraction);
  if (whole === 0 && fraction > 0) return t("moins de {share}", { share: percent(0.01) });
  if (whole === 100 && fraction < 1) return t("plus de {share}", { share: percent(0.99) });
  return percent(fraction);
}
